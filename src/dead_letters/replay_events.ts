/** What is logged and counted of letters that are sent again. */
import { describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Counter, Metrics } from '../core/metrics.ts';

export class ReplayEvents {
  readonly #log: Log;
  readonly #replayed: Counter;
  readonly #returned: Counter;

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#replayed = metrics.counter(
      'sluice_dead_letter_replayed_records_total',
      'Dead letters that were sent again and have settled; those that were refused again are dead letters again.',
    );
    this.#returned = metrics.counter(
      'sluice_dead_letter_returned_records_total',
      'Lines among letters to be replayed that could not be sent and were put back into the store.',
    );
  }

  replayed(file: string, records: number): void {
    this.#replayed.add(records);
    this.#log.info('dead letters were replayed', { file, records });
  }

  returned(file: string, problems: ReadonlyMap<string, number>): void {
    for (const [problem, records] of problems) {
      this.#returned.add(records);
      this.#log.warn('letters could not be replayed and are in the store again', { file, records, problem });
    }
  }

  /** It was not delivered and not refused either. */
  undelivered(file: string, retryMs: number): void {
    this.#log.warn('dead letters could not be replayed, it is tried again', { file, retry_ms: retryMs });
  }

  /** The file could not be read or removed. */
  failed(file: string, error: unknown, retryMs: number): void {
    this.#log.error('a file of letters to be replayed cannot be worked on', {
      file,
      reason: describeError(error),
      retry_ms: retryMs,
    });
  }
}

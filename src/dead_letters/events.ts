/** What the dead letters of a pipeline log and count. */
import { describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Counter, Metrics } from '../core/metrics.ts';

export type RemovalReason = 'max_bytes' | 'max_age';

/** What may go wrong for a while. */
export type Undertaking = 'write' | 'look';

const FAILED: Record<Undertaking, string> = {
  write: 'dead letters cannot be written, the records are dropped',
  look: 'the directory of dead letters cannot be looked at',
};

const WORKS_AGAIN: Record<Undertaking, string> = {
  write: 'dead letters can be written again',
  look: 'the directory of dead letters can be looked at again',
};

export class DeadLetterEvents {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #letters = new Map<string, Counter>();
  readonly #removed: Record<RemovalReason, Counter>;
  readonly #failedWrites: Counter;
  readonly #failing = new Set<Undertaking>();

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
    const removed = (reason: RemovalReason): Counter =>
      metrics.counter(
        'sluice_dead_letter_removed_records_total',
        'Dead letters that were removed to keep the store within its bounds, by which of them.',
        { reason },
      );
    this.#removed = { max_bytes: removed('max_bytes'), max_age: removed('max_age') };
    this.#failedWrites = metrics.counter(
      'sluice_dead_letter_failed_writes_total',
      'Writes that the disk did not take; the records were dropped, with the reason dead_letters_unavailable.',
    );
  }

  observe(store: { readonly bytes: number; readonly records: number }): void {
    this.#metrics.observed('sluice_dead_letter_bytes', 'Disk that the dead letters take.', () => store.bytes);
    this.#metrics.observed('sluice_dead_letter_records', 'Dead letters in the store.', () => store.records);
  }

  stored(destination: string, reason: string, records: number): void {
    const key = `${destination} ${reason}`;
    const labels = { destination, reason };
    const counter =
      this.#letters.get(key) ??
      this.#metrics.counter('sluice_dead_letter_records_total', 'Records that became dead letters.', labels);
    this.#letters.set(key, counter);
    counter.add(records);
  }

  removed(reason: RemovalReason, records: number, file: string): void {
    this.#removed[reason].add(records);
    this.#log.warn('dead letters were removed, since the store has reached a bound', { bound: reason, records, file });
  }

  writeFailed(error: unknown): void {
    this.#failedWrites.add();
    this.failed('write', error);
  }

  /** Logged once, until it works again. */
  failed(what: Undertaking, error: unknown): void {
    if (!this.#failing.has(what)) this.#log.error(FAILED[what], { reason: describeError(error) });
    this.#failing.add(what);
  }

  worked(what: Undertaking): void {
    if (this.#failing.delete(what)) this.#log.info(WORKS_AGAIN[what]);
  }

  torn(path: string, bytes: number): void {
    this.#log.info('the torn end of a file of dead letters was cut off', { path, bytes });
  }

  unreadable(path: string, reason: string): void {
    this.#log.warn('a file of dead letters cannot be read and is left alone', { path, reason });
  }
}

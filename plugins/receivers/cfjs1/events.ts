/** What the cfjs1 receiver logs and counts. */
import type { ReceiverContext } from '../../../src/core/component.ts';
import { describeError } from '../../../src/core/errors.ts';
import type { Counter } from '../../../src/core/metrics.ts';

export class Cfjs1Events {
  readonly #context: ReceiverContext;
  readonly #connections: Counter;
  readonly #batches: Counter;
  readonly #refusedConnections: Counter;
  readonly #refusedRecords: Counter;
  readonly #excess: Counter;
  #open = 0;

  constructor(context: ReceiverContext) {
    const { metrics } = context;
    this.#context = context;
    this.#connections = metrics.counter('sluice_cfjs1_connections_total', 'Connections taken.');
    this.#batches = metrics.counter('sluice_cfjs1_batches_total', 'Batches received in acknowledged mode.');
    this.#refusedConnections = metrics.counter(
      'sluice_cfjs1_refused_connections_total',
      'Connections closed for what they sent or left out.',
    );
    this.#refusedRecords = metrics.counter(
      'sluice_cfjs1_refused_records_total',
      'Lines that were not taken, since they are not cfjs1.',
    );
    this.#excess = metrics.counter('sluice_cfjs1_excess_connections_total', 'Connections closed since there were too many.');
    metrics.observed('sluice_cfjs1_connections', 'Connections open now.', () => this.#open);
  }

  opened(): void {
    this.#open += 1;
    this.#connections.add();
  }

  closed(): void {
    this.#open -= 1;
  }

  batch(): void {
    this.#batches.add();
  }

  refusedConnection(peer: string, reason: string): void {
    this.#refusedConnections.add();
    this.#context.log.warn('a connection was refused', { peer, reason });
  }

  /** `max_connections` are open, and one more came. */
  tooMany(maxConnections: number): void {
    this.#excess.add();
    this.#context.log.warn('a connection was closed since there are too many', { max_connections: maxConnections });
  }

  /** The system could not hand a connection over. */
  notTaken(error: Error): void {
    this.#context.log.warn('a connection could not be taken', { reason: error.message });
  }

  /** Something went wrong here that no peer should be able to cause. */
  failed(peer: string, error: unknown): void {
    this.#context.log.error('a connection ended because of an unexpected error', {
      peer,
      reason: describeError(error),
      stack: error instanceof Error ? error.stack : undefined,
    });
  }

  /** Memory that is taken for what has come only in part. */
  observeBuffered(read: () => number): void {
    this.#context.metrics.observed(
      'sluice_cfjs1_buffered_bytes',
      'Memory for batches and lines of which only a part has come.',
      read,
    );
  }

  refusedRecords(peer: string, records: number, reason: string): void {
    this.#refusedRecords.add(records);
    this.#context.log.warn('records were refused', { peer, records, reason });
  }
}

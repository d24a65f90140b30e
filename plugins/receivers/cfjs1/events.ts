/** What the cfjs1 receiver logs and counts. */
import type { ReceiverContext } from '../../../src/core/component.ts';
import { describeError } from '../../../src/core/errors.ts';
import type { Counter } from '../../../src/core/metrics.ts';

/** How much is in use of what is bounded. */
interface InUse {
  readonly bufferedBytes: () => number;
  readonly pooledBytes: () => number;
  readonly epochs: () => number;
}

export class Cfjs1Events {
  readonly #context: ReceiverContext;
  readonly #connections: Counter;
  readonly #batches: Counter;
  readonly #refusedConnections: Counter;
  readonly #refusedRecords: Counter;
  readonly #excess: Counter;
  readonly #failedHandshakes: Counter;
  readonly #duplicates: Counter;
  readonly #gaps: Counter;
  readonly #filledGaps: Counter;
  readonly #forgottenEpochs: Counter;
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
    this.#failedHandshakes = metrics.counter(
      'sluice_cfjs1_failed_handshakes_total',
      'Connections closed since their TLS handshake failed.',
    );
    this.#duplicates = metrics.counter(
      'sluice_cfjs1_duplicate_records_total',
      'Records that were left out since another copy of them is stored, or was about to be.',
    );
    this.#gaps = metrics.counter('sluice_cfjs1_gap_records_total', 'Sequence numbers of an epoch that were passed over.');
    this.#filledGaps = metrics.counter(
      'sluice_cfjs1_filled_gap_records_total',
      'Of the sequence numbers that were passed over, those that came after all.',
    );
    this.#forgottenEpochs = metrics.counter(
      'sluice_cfjs1_forgotten_epochs_total',
      'Epochs of which no copies can be told apart any more, since there were too many others.',
    );
    metrics.observed('sluice_cfjs1_connections', 'Connections open now.', () => this.#open);
  }

  connected(): void {
    this.#open += 1;
    this.#connections.add();
  }

  disconnected(): void {
    this.#open -= 1;
  }

  /** A batch came, and so many of its lines were copies. */
  batch(copies: number): void {
    this.#batches.add();
    if (copies > 0) this.#duplicates.add(copies);
  }

  holeOpened(numbers: number): void {
    this.#gaps.add(numbers);
  }

  holeFilled(numbers: number): void {
    this.#filledGaps.add(numbers);
  }

  epochForgotten(): void {
    this.#forgottenEpochs.add();
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

  failedHandshake(peer: string, reason: string): void {
    this.#failedHandshakes.add();
    this.#context.log.warn('a TLS handshake failed', { peer, reason });
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

  /** Shows what is in use of what is bounded. */
  observe({ bufferedBytes, pooledBytes, epochs }: InUse): void {
    const { metrics } = this.#context;
    metrics.observed('sluice_cfjs1_buffered_bytes', 'Memory for batches and lines of which only a part has come.', bufferedBytes);
    metrics.observed('sluice_cfjs1_pooled_bytes', 'Memory that is kept for batches to come.', pooledBytes);
    metrics.observed('sluice_cfjs1_epochs', 'Epochs of which copies can be told apart.', epochs);
  }

  refusedRecords(peer: string, records: number, reason: string): void {
    this.#refusedRecords.add(records);
    this.#context.log.warn('records were refused', { peer, records, reason });
  }
}

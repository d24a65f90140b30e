/** What the cfjs1 receiver logs and counts. */
import type { ReceiverContext } from '../../../src/core/component.ts';
import type { Counter } from '../../../src/core/metrics.ts';

export class Cfjs1Events {
  readonly #context: ReceiverContext;
  readonly #connections: Counter;
  readonly #batches: Counter;
  readonly #refusedConnections: Counter;
  readonly #refusedRecords: Counter;
  #open = 0;

  constructor(context: ReceiverContext) {
    const { metrics } = context;
    this.#context = context;
    this.#connections = metrics.counter('sluice_cfjs1_connections_total', 'Connections taken.');
    this.#batches = metrics.counter('sluice_cfjs1_batches_total', 'Batches received in acknowledged mode.');
    this.#refusedConnections = metrics.counter(
      'sluice_cfjs1_refused_connections_total',
      'Connections closed for what they sent.',
    );
    this.#refusedRecords = metrics.counter('sluice_cfjs1_refused_records_total', 'Lines that are not cfjs1 and were refused.');
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
    this.#context.log.warn('a connection was refused for what it sent', { peer, reason });
  }

  refusedRecords(peer: string, records: number, reason: string): void {
    this.#refusedRecords.add(records);
    this.#context.log.warn('records were refused', { peer, records, reason });
  }
}

/** What the logx exporter logs and counts, for one destination. */
import type { ComponentContext } from '../../../src/core/component.ts';
import type { Counter, Histogram } from '../../../src/core/metrics.ts';
import type { RoutePhase } from './route.ts';
import type { Sent } from './window.ts';

const ACK_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10];

const MEANING: Record<RoutePhase, string> = {
  direct: 'records go to their own endpoint',
  suspect: 'the endpoint does not take records',
  diverted: 'records go to another endpoint, marked',
  probing: 'trying the own endpoint',
  returning: 'records return to their own endpoint',
};

export class LogxEvents {
  readonly #context: ComponentContext;
  readonly #destination: string;
  readonly #direct: { records: Counter; bytes: Counter };
  readonly #diverted: { records: Counter; bytes: Counter };
  readonly #ackSeconds: Histogram;
  readonly #resent: Counter;

  constructor(context: ComponentContext, destination: string) {
    this.#context = context;
    this.#destination = destination;
    this.#direct = this.#delivered('direct');
    this.#diverted = this.#delivered('diverted');
    const labels = { destination };
    this.#ackSeconds = context.metrics.histogram(
      'sluice_logx_ack_seconds',
      'From sending a batch to its ack.',
      ACK_BUCKETS_SECONDS,
      labels,
    );
    this.#resent = context.metrics.counter(
      'sluice_logx_resent_batches_total',
      'Batches that were sent and go out again because no ack came.',
      labels,
    );
  }

  acked(settled: readonly Sent[], isDiverted: boolean, nowMs: number): void {
    const { records, bytes } = isDiverted ? this.#diverted : this.#direct;
    for (const sent of settled) {
      records.add(sent.delivery.batch.count);
      bytes.add(sent.bytes);
    }
    const oldest = settled[0];
    if (oldest !== undefined) this.#ackSeconds.observe((nowMs - oldest.sentMs) / 1000);
  }

  refused(records: number, reason: string): void {
    const { metrics, log } = this.#context;
    metrics
      .counter('sluice_logx_refused_records_total', 'Records that a receiver refused for good.', {
        destination: this.#destination,
      })
      .add(records);
    log.warn('a receiver refused records for good', { destination: this.#destination, records, reason });
  }

  resent(batches: number): void {
    this.#resent.add(batches);
  }

  phase(from: RoutePhase, to: RoutePhase, problem: string): void {
    if (from === to || to === 'probing' || from === 'probing') return;
    const { metrics, log } = this.#context;
    const fields = {
      destination: this.#destination,
      route: to,
      ...(to === 'suspect' || to === 'diverted' ? { reason: problem } : {}),
    };
    if (to === 'suspect' || to === 'diverted') log.warn(MEANING[to], fields);
    else log.info(MEANING[to], fields);
    metrics
      .counter('sluice_logx_route_changes_total', 'Changes of route, by the phase entered.', {
        destination: this.#destination,
        phase: to,
      })
      .add();
  }

  #delivered(route: string) {
    const labels = { destination: this.#destination, route };
    const { metrics } = this.#context;
    return {
      records: metrics.counter(
        'sluice_logx_delivered_records_total',
        'Records that a receiver has acknowledged, by route.',
        labels,
      ),
      bytes: metrics.counter(
        'sluice_logx_delivered_bytes_total',
        'Bytes of the frames that a receiver has acknowledged, by route.',
        labels,
      ),
    };
  }
}

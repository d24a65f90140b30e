/** What the logx exporter logs and counts, for one destination. */
import type { ComponentContext } from '../../../src/core/component.ts';
import type { Counter, Histogram } from '../../../src/core/metrics.ts';
import { formatAddress } from '../../../src/kit/options.ts';
import type { Endpoint } from './endpoint.ts';
import type { OutboxEvents } from './outbox.ts';
import type { Refused } from './parcels.ts';
import type { RoutePhase } from './route.ts';
import type { Trigger } from './trouble.ts';
import type { SentFrame } from './window.ts';

const ACK_BUCKETS_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 2, 5, 10];

/** Without an endpoint for so long, it is told that there is none: longer than moving to another one takes. */
const NONE_TOLD_AFTER_MS = 5000;

const MEANING: Record<RoutePhase, string> = {
  direct: 'records go to their own endpoint',
  suspect: 'the endpoint does not take records',
  diverted: 'records go to another endpoint, marked',
  probing: 'trying the own endpoint',
  returning: 'records return to their own endpoint',
};

/** What is read when it is scraped. */
export interface Observed {
  readonly isDiverted: () => boolean;
  readonly unackedBytes: () => number;
  readonly isReady: () => boolean;
  readonly isIsolating: () => boolean;
}

interface Delivered {
  readonly records: Counter;
  readonly bytes: Counter;
  readonly lineBytes: Counter;
}

export class LogxEvents implements OutboxEvents {
  readonly #context: ComponentContext;
  readonly #destination: string;
  readonly #direct: Delivered;
  readonly #diverted: Delivered;
  readonly #ackSeconds: Histogram;
  readonly #resent: Counter;
  /** Endpoints that compress nothing, which is told once. */
  readonly #uncompressed = new Set<Endpoint>();
  /** What was told last of who takes the records. */
  #served: Endpoint | 'nobody' | undefined;
  #servedMs: number;
  /** What was counted last, since the same trouble is seen again and again. */
  #troubled: { readonly of: object; readonly trigger: Trigger } | undefined;

  constructor(context: ComponentContext, destination: string) {
    const { metrics } = context;
    const labels = { destination };
    this.#context = context;
    this.#destination = destination;
    this.#servedMs = context.clock.monotonicMs();
    this.#direct = this.#delivered('direct');
    this.#diverted = this.#delivered('diverted');
    this.#ackSeconds = metrics.histogram(
      'sluice_logx_ack_seconds',
      'From sending a frame to its ack.',
      ACK_BUCKETS_SECONDS,
      labels,
    );
    this.#resent = metrics.counter(
      'sluice_logx_resent_frames_total',
      'Frames that were sent and go out again, since their connection ended before the ack.',
      labels,
    );
  }

  observe({ isDiverted, unackedBytes, isReady, isIsolating }: Observed): void {
    const { metrics } = this.#context;
    const labels = { destination: this.#destination };
    metrics.observed(
      'sluice_logx_diverted',
      '1 while records go to another endpoint than their own.',
      () => Number(isDiverted()),
      labels,
    );
    metrics.observed(
      'sluice_logx_unacked_bytes',
      'Bytes of lines sent and not acknowledged yet, before they were compressed.',
      unackedBytes,
      labels,
    );
    metrics.observed(
      'sluice_logx_ready',
      '1 while an endpoint takes the records of the destination.',
      () => Number(isReady()),
      labels,
    );
    metrics.observed(
      'sluice_logx_isolating',
      '1 while records are sent one by one, to find the one for which connections end.',
      () => Number(isIsolating()),
      labels,
    );
  }

  connecting({ address }: Endpoint): void {
    const labels = { destination: this.#destination, endpoint: formatAddress(address) };
    this.#context.metrics
      .counter('sluice_logx_connections_total', 'Connections begun, by endpoint; probes are not counted.', labels)
      .add();
  }

  /** The receiver there does not offer the compression that was asked for. */
  uncompressed(endpoint: Endpoint): void {
    if (this.#uncompressed.has(endpoint)) return;
    this.#uncompressed.add(endpoint);
    const { address, compression } = endpoint;
    const fields = { destination: this.#destination, endpoint: formatAddress(address), compression };
    this.#context.log.warn('the receiver does not offer the compression; batches are sent as they are', fields);
  }

  /** `of` is the link that is in trouble; the same trouble of the same link counts once. */
  trouble(of: object, trigger: Trigger): void {
    if (this.#troubled?.of === of && this.#troubled.trigger === trigger) return;
    this.#troubled = { of, trigger };
    const labels = { destination: this.#destination, trigger };
    this.#context.metrics
      .counter('sluice_logx_troubles_total', 'Times that an endpoint in use did not take records, by what said so.', labels)
      .add();
  }

  isolating(isIsolating: boolean): void {
    const { metrics, log } = this.#context;
    const fields = { destination: this.#destination };
    if (!isIsolating) {
      log.info('records are sent as usual again', fields);
      return;
    }
    log.warn('connections end each time the same records are sent; records are sent one by one to find which', fields);
    metrics.counter('sluice_logx_isolations_total', 'Times that records were sent one by one.', fields).add();
  }

  /** These were settled by one ack; at least one. */
  acked(frames: readonly SentFrame[], isDiverted: boolean): void {
    const delivered = isDiverted ? this.#diverted : this.#direct;
    for (const { records, lines, compressed, refused } of frames) {
      const refusedRecords = records === 0 ? 0 : refused.reduce((sum, refusal) => sum + refusal.records.length, 0);
      delivered.records.add(records - refusedRecords);
      delivered.bytes.add((compressed ?? lines).length);
      delivered.lineBytes.add(lines.length);
    }
    const oldest = frames[0];
    if (oldest !== undefined) this.#ackSeconds.observe((this.#context.clock.monotonicMs() - oldest.sentMs) / 1000);
  }

  resent(frames: number): void {
    this.#resent.add(frames);
  }

  /** A probe, which changes nothing about where records go, is not told. */
  phase(from: RoutePhase, to: RoutePhase, problem: string): void {
    if (to === 'probing' || from === to || (from === 'probing' && to === 'diverted')) return;
    const { metrics, log } = this.#context;
    const isTrouble = to === 'suspect' || to === 'diverted';
    const fields = { destination: this.#destination, route: to, ...(isTrouble ? { reason: problem } : {}) };
    if (isTrouble) log.warn(MEANING[to], fields);
    else log.info(MEANING[to], fields);
    metrics
      .counter('sluice_logx_route_changes_total', 'Changes of route, by the phase entered.', {
        destination: this.#destination,
        phase: to,
      })
      .add();
  }

  /** Says which endpoint takes the records now, where it is another one than before, or that for some time there has been none. */
  serving(endpoint: Endpoint | undefined, problem: string): void {
    const { clock, log } = this.#context;
    if (endpoint !== undefined) this.#servedMs = clock.monotonicMs();
    else if (clock.monotonicMs() - this.#servedMs < NONE_TOLD_AFTER_MS) return;
    if ((endpoint ?? 'nobody') === this.#served) return;
    this.#served = endpoint ?? 'nobody';
    const fields = { destination: this.#destination };
    if (endpoint === undefined) log.warn('no endpoint takes the records; they wait in the spool', { ...fields, reason: problem });
    else
      log.info('an endpoint takes the records', {
        ...fields,
        endpoint: `${endpoint.name} at ${formatAddress(endpoint.address)}`,
      });
  }

  refused({ records: { length: records }, reason, detail }: Refused): void {
    const { metrics, log } = this.#context;
    const labels = { destination: this.#destination, reason };
    metrics.counter('sluice_logx_refused_records_total', 'Records that go to the dead letters, by reason.', labels).add(records);
    log.warn('records go to the dead letters', { ...labels, records, detail });
  }

  #delivered(route: string): Delivered {
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
        'Bytes of batches that a receiver has acknowledged, as they were sent.',
        labels,
      ),
      lineBytes: metrics.counter(
        'sluice_logx_delivered_line_bytes_total',
        'Bytes of lines that a receiver has acknowledged, before they were compressed.',
        labels,
      ),
    };
  }
}

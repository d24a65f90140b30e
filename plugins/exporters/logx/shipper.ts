/**
 * Ships one destination: keeps the link that its route asks for, and tells the route what happens to it. At any time at most one
 * link carries records; beside it a probe may try the own endpoint.
 */
import type { Timer } from '../../../src/core/clock.ts';
import { type Cursor, type ExporterContext, READY, type Readiness } from '../../../src/core/component.ts';
import { BackOff } from '../../../src/kit/back_off.ts';
import { LogxEvents } from './events.ts';
import type { FrameCache } from './frame_cache.ts';
import type { LogxOptions } from './index.ts';
import { type Endpoint, Link } from './link.ts';
import { initialRoute, type RouteEvent, type RoutePhase, type RoutePolicy, type RouteState, stepRoute } from './route.ts';
import { Session } from './session.ts';

/** How often silence, and the times of the route, are looked at. */
const TICK_MS = 250;

const MAX_DWELL_FACTOR = 16;

export interface ShipperOptions {
  readonly cursor: Cursor;
  readonly own: Endpoint;
  /** Other endpoints, in order of preference. */
  readonly alternates: readonly Endpoint[];
  readonly frames: FrameCache;
  readonly options: LogxOptions;
  readonly context: ExporterContext;
}

export class Shipper {
  readonly #o: ShipperOptions;
  readonly #policy: RoutePolicy;
  readonly #events: LogxEvents;
  readonly #backOff = new BackOff({ minMs: 100, maxMs: 5000 });
  #route: RouteState;
  #link: Link | undefined;
  #probe: Session | undefined;
  #nextAlternate = 0;
  /** The last thing that went wrong, for logs and readiness. */
  #problem = 'no connection yet';
  #tick: Timer | undefined;
  #reconnect: Timer | undefined;
  #isRunning = false;
  #onDrained: (() => void) | undefined;

  constructor(given: ShipperOptions) {
    const { options, context, cursor, alternates } = given;
    this.#o = given;
    this.#events = new LogxEvents(context, cursor.destination);
    this.#policy = {
      divertAfterMs: options.divert_after,
      probeIntervalMs: options.probe_interval,
      probeSuccesses: options.probe_successes,
      minDwellMs: options.min_dwell,
      maxDwellMs: options.min_dwell * MAX_DWELL_FACTOR,
      hasAlternate: alternates.length > 0,
    };
    this.#route = initialRoute(this.#policy, context.clock.monotonicMs());
    cursor.onReadable(() => this.#link?.pump());
    this.#observe();
  }

  get destination(): string {
    return this.#o.cursor.destination;
  }

  start(): void {
    this.#isRunning = true;
    this.#connect();
    this.#scheduleTick();
  }

  /** Delivers what the cursor holds until it is empty or the deadline has passed, then closes. */
  async stop(deadlineMs: number): Promise<void> {
    if (!this.#isRunning) return;
    const { cursor, context } = this.#o;
    if (cursor.oldest !== undefined) {
      await new Promise<void>((resolve) => {
        const timer = context.clock.after(Math.max(0, deadlineMs - context.clock.monotonicMs()), resolve);
        this.#onDrained = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#isRunning = false;
    this.#tick?.cancel();
    this.#reconnect?.cancel();
    this.#probe?.close('stopping');
    this.#link?.close('stopping');
  }

  readiness(): Readiness {
    if (this.#link?.isReady === true) return READY;
    return { ready: false, reason: `no endpoint takes the records of ${this.destination} (${this.#problem})` };
  }

  get #isDiverted(): boolean {
    return isAway(this.#route.phase);
  }

  /** Opens the link that the route asks for; while diverted, each time with the next of the other endpoints. */
  #connect(): void {
    const { own, alternates, cursor, frames, options, context } = this.#o;
    let endpoint = own;
    if (this.#isDiverted && alternates.length > 0) endpoint = alternates[this.#nextAlternate++ % alternates.length]!; // not empty
    const isCurrent = (): boolean => this.#link === link;
    const link: Link = new Link({
      endpoint,
      mark: endpoint === own ? undefined : own.name,
      cursor,
      frames,
      maxUnackedBytes: options.max_unacked_bytes,
      timeoutMs: options.ack_timeout,
      hostName: context.hostName,
      clock: context.clock,
      events: {
        ready: () => {
          // Being ready is not yet taking records: where some wait, only their ack shows that.
          if (isCurrent() && endpoint === own && cursor.oldest === undefined) this.#step({ kind: 'ack' });
        },
        notReady: (reason) => {
          if (isCurrent()) this.#onTrouble(reason, endpoint);
        },
        acked: (settled) => {
          this.#events.acked(settled, endpoint !== own, context.clock.monotonicMs());
          this.#backOff.reset();
          if (isCurrent() && endpoint === own) this.#step({ kind: 'ack' });
          queueMicrotask(() => this.#afterAck());
        },
        refused: (records, reason) => this.#events.refused(records, reason),
        closed: (reason, unsettledBatches) => {
          this.#events.resent(unsettledBatches);
          if (isCurrent()) this.#onClosed(reason, endpoint);
        },
      },
    });
    this.#link = link;
  }

  #onTrouble(reason: string, endpoint: Endpoint): void {
    this.#problem = reason;
    if (endpoint === this.#o.own) this.#step({ kind: 'trouble' });
    else this.#link?.close(reason);
  }

  #onClosed(reason: string, endpoint: Endpoint): void {
    this.#problem = reason;
    this.#link = undefined;
    if (!this.#isRunning) return;
    if (endpoint === this.#o.own) this.#step({ kind: 'trouble' });
    if (this.#link === undefined) this.#connectLater();
  }

  #connectLater(): void {
    this.#reconnect?.cancel();
    this.#reconnect = this.#o.context.clock.after(this.#backOff.nextMs(), () => {
      if (this.#link === undefined && this.#isRunning) this.#connect();
    });
  }

  /** Replaces the link by the one that the route asks for now; what it had not settled is sent again over the new one. */
  #switch(reason: string): void {
    this.#reconnect?.cancel();
    const link = this.#link;
    this.#link = undefined;
    link?.close(reason);
    this.#backOff.reset();
    this.#connect();
  }

  #step(event: RouteEvent): void {
    const { state, action } = stepRoute(this.#route, event, this.#o.context.clock.monotonicMs(), this.#policy);
    const from = this.#route.phase;
    this.#route = state;
    this.#events.phase(from, state.phase, this.#problem);
    if (action === 'divert') this.#switch('its records are diverted');
    else if (action === 'probe') this.#startProbe();
    else if (action === 'return') this.#beginReturn();
  }

  #startProbe(): void {
    const { own, options, context } = this.#o;
    const finish = (event: RouteEvent): void => {
      const probe = this.#probe;
      if (probe === undefined) return;
      this.#probe = undefined;
      probe.close('the probe is done');
      if (this.#isRunning) this.#step(event);
    };
    this.#probe = new Session({
      address: own.address,
      acknowledged: own.acknowledged,
      timeoutMs: options.ack_timeout,
      hostName: context.hostName,
      clock: context.clock,
      events: {
        opened: (ready) =>
          finish(ready ? { kind: 'probe_ok', isUrgent: this.#link?.isReady !== true } : { kind: 'probe_failed' }),
        acked: ignore,
        refused: ignore,
        readiness: ignore,
        closed: () => finish({ kind: 'probe_failed' }),
      },
    });
  }

  /** Lets what is under way on the other endpoint be acked first, so that it is not sent twice. */
  #beginReturn(): void {
    this.#link?.hold();
    if ((this.#link?.window.batches ?? 0) === 0) this.#switch('its records return');
  }

  #afterAck(): void {
    const link = this.#link;
    const isDraining = this.#route.phase === 'returning' && link !== undefined && link.endpoint !== this.#o.own;
    if (isDraining && link.window.batches === 0) this.#switch('its records return');
    if (this.#o.cursor.oldest === undefined) this.#onDrained?.();
  }

  #onTick(): void {
    const { own, options, context } = this.#o;
    const link = this.#link;
    const silentMs = link?.window.silentMs(context.clock.monotonicMs()) ?? 0;
    if (link !== undefined && silentMs > options.ack_timeout) {
      const reason = `${link.endpoint.name} has acknowledged nothing for ${Math.round(silentMs / 100) / 10} s`;
      if (this.#route.phase === 'returning' && link.endpoint !== own) this.#switch(reason);
      else if (link.endpoint !== own) link.close(reason);
      else this.#onTrouble(reason, own);
    }
    // With nowhere else to go, a silent connection is given up for a new one.
    if (silentMs > options.ack_timeout + options.divert_after && this.#link === link && link?.endpoint === own)
      link.close('silent');
    this.#step({ kind: 'tick', jitter: Math.random() });
  }

  #scheduleTick(): void {
    this.#tick = this.#o.context.clock.after(TICK_MS, () => {
      this.#onTick();
      if (this.#isRunning) this.#scheduleTick();
    });
  }

  #observe(): void {
    const { metrics } = this.#o.context;
    const labels = { destination: this.destination };
    metrics.observed(
      'sluice_logx_diverted',
      '1 while records go to another endpoint than their own.',
      () => Number(this.#isDiverted),
      labels,
    );
    metrics.observed('sluice_logx_unacked_bytes', 'Sent and not acknowledged yet.', () => this.#link?.window.bytes ?? 0, labels);
    metrics.observed(
      'sluice_logx_ready',
      '1 while an endpoint takes the records of the destination.',
      () => Number(this.readiness().ready),
      labels,
    );
  }
}

function isAway(phase: RoutePhase): boolean {
  return phase === 'diverted' || phase === 'probing';
}

function ignore(): void {}

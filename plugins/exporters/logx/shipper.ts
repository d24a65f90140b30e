/**
 * Ships one destination: keeps the link that its route asks for, and tells the route what happens to it. At any time at most one
 * link carries records; beside it a probe may try an own endpoint.
 */
import type { Timer } from '../../../src/core/clock.ts';
import { type Cursor, type ExporterContext, READY, type Readiness } from '../../../src/core/component.ts';
import { BackOff } from '../../../src/kit/back_off.ts';
import { describeEndpoint, type Dial, type Endpoint } from './endpoint.ts';
import { Endpoints } from './endpoints.ts';
import { LogxEvents } from './events.ts';
import type { LogxOptions } from './options.ts';
import type { LineCache } from './line_cache.ts';
import { Link, type LinkEnd } from './link.ts';
import { Outbox } from './outbox.ts';
import { Probe } from './probe.ts';
import { initialRoute, isAway, type RouteEvent, type RoutePolicy, type RouteState, stepRoute } from './route.ts';
import type { SessionSetup } from './session.ts';
import type { Trouble } from './trouble.ts';
import type { SentFrame } from './window.ts';

/** How often silence, and the times of the route, are looked at. */
const TICK_MS = 250;

const MAX_DWELL_FACTOR = 16;

/** What a shipper reaches the outside with, besides the clock. */
export interface Outside {
  readonly dial: Dial;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Which boot of its host the agent belongs to; undefined where that is not known. Asked once, at the start. */
  readonly readBoot: () => string | undefined;
}

export interface ShipperParts {
  readonly cursor: Cursor;
  /** Those of all destinations, in order of preference. */
  readonly endpoints: readonly Endpoint[];
  /** Endpoints that take records now, as far as any shipper knows; all of them see to it. */
  readonly taking: Set<Endpoint>;
  readonly cache: LineCache;
  readonly options: LogxOptions;
  readonly context: ExporterContext;
  readonly outside: Outside;
}

export class Shipper {
  readonly #p: ShipperParts;
  readonly #endpoints: Endpoints;
  readonly #outbox: Outbox;
  readonly #policy: RoutePolicy;
  #setup: SessionSetup;
  readonly #events: LogxEvents;
  readonly #backOff: BackOff;
  #route: RouteState;
  #link: Link | undefined;
  #probe: Probe | undefined;
  /** When its records were diverted, and when another endpoint took some for the first time after that. */
  #divertedMs = 0;
  #stoodInMs: number | undefined;
  /** The last thing that went wrong, for logs and readiness. */
  #problem = 'no connection yet';
  #tick: Timer | undefined;
  #reconnect: Timer | undefined;
  #isRunning = false;
  #stopped: Promise<void> | undefined;
  #onDrained: (() => void) | undefined;

  constructor(parts: ShipperParts) {
    const { options, context, cursor, cache, endpoints, outside } = parts;
    const { clock, hostName } = context;
    const { dial, random } = outside;
    this.#p = parts;
    this.#endpoints = new Endpoints(cursor.destination, endpoints);
    this.#policy = {
      divertAfterMs: options.divert_after,
      probeIntervalMs: options.probe_interval,
      probeSuccesses: options.probe_successes,
      minDwellMs: options.min_dwell,
      maxDwellMs: options.min_dwell * MAX_DWELL_FACTOR,
      hasAlternate: this.#endpoints.others.count > 0,
    };
    this.#setup = { dial, clock, hostName, boot: undefined, timeoutMs: options.ack_timeout };
    this.#backOff = new BackOff({ minMs: 100, maxMs: 5000, random });
    this.#route = initialRoute(this.#policy, clock.monotonicMs());
    this.#events = new LogxEvents(context, cursor.destination);
    this.#outbox = new Outbox({ cursor, cache, maxAttempts: options.max_attempts ?? Infinity, random, events: this.#events });
    this.#events.observe({
      isDiverted: () => isAway(this.#route.phase),
      unackedBytes: () => this.#link?.unackedBytes ?? 0,
      isReady: () => this.readiness().ready,
      isIsolating: () => this.#outbox.isIsolating,
    });
    cursor.onReadable(() => this.#link?.pump());
  }

  /** `boot` is what hellos say of the boot of the host. */
  start(boot: string | undefined): void {
    this.#setup = { ...this.#setup, boot };
    this.#isRunning = true;
    this.#connect();
    this.#scheduleTick();
  }

  /** Delivers what the cursor holds until it is empty or the deadline has passed, then closes. */
  stop(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#drainAndClose(deadlineMs);
    return this.#stopped;
  }

  readiness(): Readiness {
    if (this.#link?.isReady === true && this.#link.assess().condition !== 'bad' && this.#route.phase !== 'suspect') return READY;
    return { ready: false, reason: `no endpoint takes the records of ${this.#p.cursor.destination} (${this.#problem})` };
  }

  async #drainAndClose(deadlineMs: number): Promise<void> {
    const { cursor, context } = this.#p;
    if (this.#isRunning && !cursor.isEmpty) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = context.clock.after(Math.max(0, deadlineMs - context.clock.monotonicMs()), resolve);
      this.#onDrained = resolve;
      await promise;
      timer.cancel();
    }
    this.#isRunning = false;
    this.#tick?.cancel();
    this.#reconnect?.cancel();
    this.#probe?.cancel();
    this.#link?.close('stopping');
  }

  /** Opens the link that the route asks for, to the endpoint whose turn it is. */
  #connect(): void {
    const { own, others } = this.#endpoints;
    const { options } = this.#p;
    const endpoint = (isAway(this.#route.phase) ? others : own).current;
    this.#events.connecting(endpoint);
    const link: Link = new Link({
      endpoint,
      mark: this.#endpoints.markFor(endpoint),
      outbox: this.#outbox,
      maxUnackedBytes: options.max_unacked_bytes,
      ackTimeoutMs: options.ack_timeout,
      setup: this.#setup,
      events: {
        changed: () => this.#judge(link),
        uncompressed: () => this.#events.uncompressed(endpoint),
        acked: (frames) => this.#onAcked(link, frames),
        closed: (end) => this.#onClosed(link, end),
      },
    });
    this.#link = link;
  }

  #onAcked(link: Link, frames: readonly SentFrame[]): void {
    this.#events.acked(frames, !this.#endpoints.isOwn(link.endpoint));
    this.#endpoints.turnsOf(link.endpoint).succeed();
    this.#backOff.reset();
    this.#judge(link);
    if (this.#p.cursor.isEmpty) this.#onDrained?.();
  }

  #onClosed(link: Link, { reason, trigger, unsettledFrames }: LinkEnd): void {
    this.#p.taking.delete(link.endpoint);
    if (this.#isRunning) this.#events.resent(unsettledFrames);
    if (link !== this.#link) return; // it was replaced
    this.#link = undefined;
    if (!this.#isRunning) return;
    if (trigger === undefined) {
      this.#connect(); // records are sent one by one, each over a connection of its own
      return;
    }
    this.#note(link, { reason, trigger });
    const turns = this.#endpoints.turnsOf(link.endpoint);
    const hasAnother = turns.fail();
    if (turns === this.#endpoints.own) {
      const isLeft = trigger === 'goodbye' && !hasAnother;
      this.#step(isLeft ? { kind: 'goodbye', jitter: this.#p.outside.random() } : { kind: 'trouble' });
    } else if (this.#route.phase === 'returning') {
      this.#switch(reason);
    }
    if (this.#link !== undefined) return;
    if (hasAnother) this.#connect();
    else this.#connectLater();
  }

  /** Draws the consequences of how the current link does. */
  #judge(link: Link): void {
    if (link !== this.#link) return;
    const { own, others } = this.#endpoints;
    const turns = this.#endpoints.turnsOf(link.endpoint);
    const assessment = link.assess();
    const isBad = assessment.condition === 'bad';
    if (assessment.condition === 'good') this.#p.taking.add(link.endpoint);
    if (assessment.condition === 'good' && turns === others) this.#stoodInMs ??= this.#p.context.clock.monotonicMs();
    if (isBad) this.#note(link, assessment);
    if (turns === others && this.#route.phase === 'returning') {
      if (isBad || link.isDrained) this.#switch('its records return');
    } else if (isBad && (turns === others || own.count > 1 || assessment.trigger === 'goodbye')) {
      link.close(assessment.reason, assessment.trigger); // and on to the next one
    } else if (turns === own && assessment.condition !== 'unproven') {
      this.#step({ kind: isBad ? 'trouble' : 'ack' });
    }
  }

  #note(link: Link, trouble: Trouble): void {
    this.#p.taking.delete(link.endpoint);
    this.#problem = `${describeEndpoint(link.endpoint)}: ${trouble.reason}`;
    this.#events.trouble(link, trouble.trigger);
  }

  #connectLater(): void {
    this.#reconnect?.cancel();
    this.#reconnect = this.#p.context.clock.after(this.#backOff.nextMs(), () => this.#connect());
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
    const { state, action } = stepRoute(this.#route, event, this.#p.context.clock.monotonicMs(), this.#policy);
    const from = this.#route.phase;
    this.#route = state;
    this.#events.phase(from, state.phase, this.#problem);
    if (action === 'divert') {
      this.#divertedMs = this.#p.context.clock.monotonicMs();
      this.#stoodInMs = undefined;
      this.#endpoints.others.restart((endpoint) => this.#p.taking.has(endpoint));
      this.#switch('its records are diverted');
    } else if (action === 'probe') {
      this.#probe = new Probe(this.#endpoints.own.current, this.#setup, (isReady) => this.#onProbed(isReady));
    } else if (action === 'return') {
      // What is under way on the other endpoint is acked first, so that it is not sent twice.
      this.#link?.hold();
      if (this.#link?.isDrained !== false) this.#switch('its records return');
    }
  }

  #onProbed(isReady: boolean): void {
    const isUrgent = this.#link?.assess().condition !== 'good' || this.#hadNobody;
    if (!isReady) this.#endpoints.own.fail();
    this.#step(isReady ? { kind: 'probe_ok', isUrgent } : { kind: 'probe_failed' });
  }

  /**
   * Whether nobody took the records for a while after they were diverted. The receivers come back from the same outage then, the first of
   * them by chance, and there is no working endpoint that would be left for one that may not last.
   */
  get #hadNobody(): boolean {
    return this.#stoodInMs !== undefined && this.#stoodInMs - this.#divertedMs > this.#p.options.ack_timeout;
  }

  #scheduleTick(): void {
    this.#tick = this.#p.context.clock.after(TICK_MS, () => {
      this.#scheduleTick();
      this.#onTick();
    });
  }

  #onTick(): void {
    const { cursor, options, outside } = this.#p;
    if (this.#link !== undefined) this.#judge(this.#link);
    if (cursor.isEmpty) this.#onDrained?.(); // what was left may have been dropped
    this.#step({ kind: 'tick', jitter: outside.random() });
    const link = this.#link;
    this.#events.serving(this.readiness().ready ? link?.endpoint : undefined, this.#problem);
    // With nowhere else to go, a silent connection is given up for a new one.
    if (this.#policy.hasAlternate || link === undefined || link.silentMs <= options.ack_timeout + options.divert_after) return;
    const assessment = link.assess();
    if (assessment.condition === 'bad') link.close(assessment.reason, assessment.trigger);
  }
}

/**
 * The route of one destination: which endpoint serves it right now. A pure function of state, event and time, so that every
 * schedule of faults can be replayed.
 *
 *        ┌──────────────────────── goodbye ───────────────────────┐
 *        │      trouble                 divert_after passed       ▼
 *     direct ────────────▶ suspect ──────────────────────────▶ diverted ◀───────────────┐
 *       ▲ ▲       ack          │        or goodbye              │     ▲                 │
 *       │ └────────────────────┘               probe is due     ▼     │ probe failed,   │ trouble
 *       │                                                    probing ─┘ or more wanted  │ or goodbye
 *       │ first ack                                             │ enough probes, dwelt  │
 *       └──────────────────────── returning ◀───────────────────┘                       │
 *                                     └─────────────────────────────────────────────────┘
 *
 * `trouble` is anything that says that the own endpoints do not take records: no connection, a connection that broke, no ack for
 * `ackTimeoutMs` while batches wait for one, a receiver that says it is not ready. `goodbye` is a receiver that is stopping, and needs no
 * time to be believed. Failing back needs the real thing: a connection, a hello and a receiver that says it is ready, several times in
 * a row, and a minimum dwell that doubles each time a return does not last as long as the dwell before it.
 */
export interface RoutePolicy {
  readonly divertAfterMs: number;
  readonly probeIntervalMs: number;
  /** Probes that must succeed in a row. */
  readonly probeSuccesses: number;
  /** The least time on the other route. */
  readonly minDwellMs: number;
  readonly maxDwellMs: number;
  /** False where there is no other endpoint: the route then stays suspect for as long as it is in trouble. */
  readonly hasAlternate: boolean;
}

export type RoutePhase = 'direct' | 'suspect' | 'diverted' | 'probing' | 'returning';

export interface RouteState {
  readonly phase: RoutePhase;
  /** When this phase was entered, or for the three last ones when the route was diverted; milliseconds, monotonic. */
  readonly sinceMs: number;
  readonly nextProbeMs: number;
  readonly successes: number;
  readonly dwellMs: number;
  /** When the route came back last. */
  readonly returnedMs: number;
}

export type RouteEvent =
  /** The own endpoint has acked something, or says that it is ready while nothing waits for an ack. */
  | { readonly kind: 'ack' }
  /** The own endpoint does not take records. */
  | { readonly kind: 'trouble' }
  /** The own endpoint is stopping, and has acked what it will. `jitter` as in `tick`. */
  | { readonly kind: 'goodbye'; readonly jitter: number }
  /** `isUrgent` where the other endpoints do not take records either, so that there is nothing to dwell on. */
  | { readonly kind: 'probe_ok'; readonly isUrgent: boolean }
  | { readonly kind: 'probe_failed' }
  /** Time has passed. `jitter` is a random number from 0 up to 1. */
  | { readonly kind: 'tick'; readonly jitter: number };

/** Whether records go to another endpoint than their own; while they return, that is already over. */
export function isAway(phase: RoutePhase): boolean {
  return phase === 'diverted' || phase === 'probing';
}

export type RouteAction = 'none' | 'divert' | 'probe' | 'return';

export interface RouteStep {
  readonly state: RouteState;
  readonly action: RouteAction;
}

/** A probe comes up to this share of the interval later, so that a fleet does not return at once. */
const JITTER_SHARE = 0.5;

export function initialRoute(policy: RoutePolicy, nowMs: number): RouteState {
  return { phase: 'direct', sinceMs: nowMs, nextProbeMs: 0, successes: 0, dwellMs: policy.minDwellMs, returnedMs: -Infinity };
}

export function stepRoute(state: RouteState, event: RouteEvent, nowMs: number, policy: RoutePolicy): RouteStep {
  switch (event.kind) {
    case 'ack':
      return stay(onAck(state, nowMs));
    case 'trouble':
      return onTrouble(state, nowMs, policy);
    case 'goodbye':
      return onGoodbye(state, event.jitter, nowMs, policy);
    case 'probe_ok':
      return onProbeOk(state, event.isUrgent, nowMs, policy);
    case 'probe_failed':
      return stay(state.phase === 'probing' ? { ...state, phase: 'diverted', successes: 0 } : state);
    case 'tick':
      return onTick(state, event.jitter, nowMs, policy);
  }
}

function onAck(state: RouteState, nowMs: number): RouteState {
  if (state.phase === 'suspect') return { ...state, phase: 'direct', sinceMs: nowMs };
  if (state.phase === 'returning') return { ...state, phase: 'direct', sinceMs: nowMs, returnedMs: nowMs };
  return state;
}

function onTrouble(state: RouteState, nowMs: number, policy: RoutePolicy): RouteStep {
  if (state.phase === 'direct') return stay({ ...state, phase: 'suspect', sinceMs: nowMs });
  if (state.phase !== 'returning') return stay(state);
  return { state: diverted({ ...state, returnedMs: nowMs }, nowMs, policy, 1), action: 'divert' };
}

function onGoodbye(state: RouteState, jitter: number, nowMs: number, policy: RoutePolicy): RouteStep {
  const isDirect = state.phase === 'direct' || state.phase === 'suspect';
  if (!isDirect || !policy.hasAlternate) return onTrouble(state, nowMs, policy);
  return { state: diverted(state, nowMs, policy, jitter), action: 'divert' };
}

function onProbeOk(state: RouteState, isUrgent: boolean, nowMs: number, policy: RoutePolicy): RouteStep {
  if (state.phase !== 'probing') return stay(state);
  const successes = state.successes + 1;
  const hasDwelt = nowMs - state.sinceMs >= state.dwellMs;
  if (!isUrgent && (successes < policy.probeSuccesses || !hasDwelt)) return stay({ ...state, phase: 'diverted', successes });
  return { state: { ...state, phase: 'returning', successes: 0 }, action: 'return' };
}

function onTick(state: RouteState, jitter: number, nowMs: number, policy: RoutePolicy): RouteStep {
  if (state.phase === 'suspect' && policy.hasAlternate && nowMs - state.sinceMs >= policy.divertAfterMs) {
    return { state: diverted(state, nowMs, policy, jitter), action: 'divert' };
  }
  if (state.phase === 'diverted' && nowMs >= state.nextProbeMs) {
    return { state: { ...state, phase: 'probing', nextProbeMs: nextProbe(nowMs, policy, jitter) }, action: 'probe' };
  }
  return stay(state);
}

function diverted(state: RouteState, nowMs: number, policy: RoutePolicy, jitter: number): RouteState {
  const hasLasted = nowMs - state.returnedMs > state.dwellMs;
  const dwellMs = hasLasted ? policy.minDwellMs : Math.min(state.dwellMs * 2, policy.maxDwellMs);
  return { ...state, phase: 'diverted', sinceMs: nowMs, successes: 0, nextProbeMs: nextProbe(nowMs, policy, jitter), dwellMs };
}

function nextProbe(nowMs: number, policy: RoutePolicy, jitter: number): number {
  return nowMs + policy.probeIntervalMs * (1 + jitter * JITTER_SHARE);
}

function stay(state: RouteState): RouteStep {
  return { state, action: 'none' };
}

import fc from 'fast-check';
import { test } from 'tap';
import {
  initialRoute,
  isAway,
  type RouteAction,
  type RouteEvent,
  type RoutePolicy,
  type RouteState,
  stepRoute,
} from './route.ts';

const policy: RoutePolicy = {
  divertAfterMs: 1000,
  probeIntervalMs: 2000,
  probeSuccesses: 3,
  minDwellMs: 10_000,
  maxDwellMs: 160_000,
  hasAlternate: true,
};

const ACK: RouteEvent = { kind: 'ack' };
const TROUBLE: RouteEvent = { kind: 'trouble' };
const TICK: RouteEvent = { kind: 'tick', jitter: 0 };
const GOODBYE: RouteEvent = { kind: 'goodbye', jitter: 0 };
const PROBE_FAILED: RouteEvent = { kind: 'probe_failed' };
const PROBE_OK: RouteEvent = { kind: 'probe_ok', isUrgent: false };
const URGENT_PROBE_OK: RouteEvent = { kind: 'probe_ok', isUrgent: true };

/** A route that is driven by hand. */
class Driver {
  state: RouteState;
  nowMs = 0;
  action: RouteAction = 'none';

  constructor(given: RoutePolicy = policy) {
    this.policy = given;
    this.state = initialRoute(given, 0);
  }

  readonly policy: RoutePolicy;

  at(nowMs: number, ...events: RouteEvent[]): this {
    this.nowMs = nowMs;
    for (const event of events) {
      const { state, action } = stepRoute(this.state, event, nowMs, this.policy);
      this.state = state;
      this.action = action;
    }
    return this;
  }

  /** Ticks until the route asks for a probe, answers it, and returns when that was. */
  probe(answer: RouteEvent): number {
    do this.at(this.nowMs + 100, TICK);
    while (this.action !== 'probe');
    this.at(this.nowMs, answer);
    return this.nowMs;
  }
}

function diverted(given: RoutePolicy = policy): Driver {
  return new Driver(given).at(0, TROUBLE).at(1000, TICK);
}

void test('records go direct until there is trouble', (t) => {
  const route = new Driver().at(5000, TICK).at(60_000, ACK, TICK);
  t.equal(route.state.phase, 'direct');
  t.end();
});

void test('trouble that is over within divert_after changes nothing', (t) => {
  const route = new Driver().at(0, TROUBLE).at(900, TROUBLE, TICK);
  t.equal(route.state.phase, 'suspect');
  t.equal(route.at(950, ACK).state.phase, 'direct');
  t.equal(route.at(960, TROUBLE).at(1900, TICK).action, 'none');
  t.equal(route.state.phase, 'suspect');
  t.end();
});

void test('trouble that lasts for divert_after diverts', (t) => {
  const route = new Driver().at(0, TROUBLE).at(999, TICK);
  t.equal(route.action, 'none');
  t.equal(route.at(1000, TICK).action, 'divert');
  t.ok(isAway(route.state.phase));
  t.end();
});

void test('without another endpoint, trouble lasts until the own one is back', (t) => {
  const route = new Driver({ ...policy, hasAlternate: false }).at(0, TROUBLE).at(1e9, TICK);
  t.equal(route.state.phase, 'suspect');
  t.equal(route.at(1e9, ACK).state.phase, 'direct');
  t.end();
});

void test('a goodbye diverts at once, from whatever is direct', (t) => {
  t.equal(new Driver().at(5000, GOODBYE).action, 'divert');
  t.equal(new Driver().at(5000, TROUBLE).at(5100, GOODBYE).action, 'divert');
  const away = diverted().at(1100, GOODBYE);
  t.equal(away.action, 'none');
  t.equal(away.state.phase, 'diverted');
  const alone = new Driver({ ...policy, hasAlternate: false }).at(0, GOODBYE);
  t.equal(alone.action, 'none');
  t.equal(alone.state.phase, 'suspect');
  t.end();
});

void test('a goodbye as soon as records have returned makes them stay away twice as long', (t) => {
  const route = diverted();
  while (route.action !== 'return') route.probe(PROBE_OK);
  route.at(route.nowMs, ACK).at(route.nowMs + 100, GOODBYE);
  t.equal(route.action, 'divert');
  t.equal(route.state.dwellMs, 20_000);
  const returning = diverted();
  while (returning.action !== 'return') returning.probe(PROBE_OK);
  t.equal(returning.at(returning.nowMs, GOODBYE).state.dwellMs, 20_000);
  t.end();
});

void test('records return after enough probes in a row and the least dwell', (t) => {
  const route = diverted();
  const probes = [route.probe(PROBE_OK), route.probe(PROBE_OK), route.probe(PROBE_OK)];
  t.same(probes, [3000, 5000, 7000]);
  t.equal(route.action, 'none', 'three successes, but only 6 s of 10');
  route.probe(PROBE_OK);
  t.equal(route.probe(PROBE_OK), 11_000);
  t.equal(route.action, 'return');
  t.equal(route.at(11_050, ACK).state.phase, 'direct');
  t.end();
});

void test('a probe that fails starts the count anew', (t) => {
  const route = diverted();
  for (const answer of [PROBE_OK, PROBE_OK, PROBE_OK, PROBE_OK, PROBE_FAILED, PROBE_OK, PROBE_OK]) route.probe(answer);
  t.equal(route.action, 'none');
  route.probe(PROBE_OK);
  t.equal(route.action, 'return');
  t.end();
});

void test('where no other endpoint takes records either, one probe is enough', (t) => {
  const route = diverted();
  t.equal(route.probe(URGENT_PROBE_OK), 3000);
  t.equal(route.action, 'return');
  t.end();
});

void test('a probe that is due comes later by up to half of the interval', (t) => {
  const route = new Driver().at(0, TROUBLE).at(1000, { kind: 'tick', jitter: 0.999 });
  t.equal(route.at(3900, TICK).action, 'none');
  t.equal(route.at(4000, TICK).action, 'probe');
  t.end();
});

void test('trouble while records return sends them away again, for twice as long', (t) => {
  const route = diverted();
  while (route.action !== 'return') route.probe(PROBE_OK);
  t.equal(route.at(route.nowMs, TROUBLE).action, 'divert');
  const awayMs = route.nowMs;
  while (route.action !== 'return') route.probe(PROBE_OK);
  t.ok(route.nowMs - awayMs >= 20_000 && route.nowMs - awayMs < 23_000, `away for ${route.nowMs - awayMs} ms`);
  t.end();
});

void test('the dwell grows up to its limit while returns do not last, and starts anew once one has lasted', (t) => {
  const route = diverted();
  const dwells: number[] = [];
  for (let round = 0; round < 6; round++) {
    dwells.push(route.state.dwellMs);
    while (route.action !== 'return') route.probe(PROBE_OK);
    route
      .at(route.nowMs, ACK)
      .at(route.nowMs + 3000, TROUBLE)
      .at(route.nowMs + 1000, TICK);
  }
  t.same(dwells, [10_000, 20_000, 40_000, 80_000, 160_000, 160_000]);
  while (route.action !== 'return') route.probe(PROBE_OK);
  route
    .at(route.nowMs, ACK)
    .at(route.nowMs + 160_000, TROUBLE)
    .at(route.nowMs + 1000, TICK);
  t.equal(route.state.dwellMs, 10_000);
  t.end();
});

void test('an endpoint that comes and goes every 2 s for 10 minutes makes its records move at most 13 times', (t) => {
  fc.assert(
    fc.property(
      fc.nat({ max: 4000 }),
      fc.array(fc.float({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { minLength: 1 }),
      (phaseMs, jitters) => {
        const moves = movesOf((nowMs) => (nowMs + phaseMs) % 4000 < 2000, jitters);
        if (moves > 13) throw new Error(`${moves} moves`);
      },
    ),
  );
  t.end();
});

/** How often the action `divert` or `return` comes in 10 minutes at an endpoint that is up when `isUp` says so. */
function movesOf(isUp: (nowMs: number) => boolean, jitters: readonly number[]): number {
  const route = new Driver();
  let moves = 0;
  let ticks = 0;
  const step = (event: RouteEvent): void => {
    route.at(route.nowMs, event);
    if (route.action === 'divert' || route.action === 'return') moves += 1;
    else if (route.action === 'probe') step(isUp(route.nowMs) ? PROBE_OK : PROBE_FAILED);
  };
  for (let nowMs = 0; nowMs < 600_000; nowMs += 250) {
    route.nowMs = nowMs;
    if (!isAway(route.state.phase)) step(isUp(nowMs) ? ACK : TROUBLE);
    step({ kind: 'tick', jitter: jitters[ticks++ % jitters.length] ?? 0 });
  }
  return moves;
}

const anyEvent = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .float({ min: 0, max: 1, noNaN: true, maxExcluded: true })
      .map((jitter): RouteEvent => ({ kind: 'tick', jitter })),
  },
  { weight: 1, arbitrary: fc.constantFrom(ACK, TROUBLE, GOODBYE, PROBE_OK, URGENT_PROBE_OK, PROBE_FAILED) },
);
const anyHistory = fc.array(fc.tuple(fc.nat({ max: 3000 }), anyEvent), { maxLength: 300 });

void test('whatever happens, records leave only after trouble has lasted, and return only when they may', (t) => {
  fc.assert(
    fc.property(anyHistory, (history) => {
      const route = new Driver();
      let troubledSinceMs: number | undefined;
      let divertedMs = 0;
      let successes = 0;
      for (const [passedMs, event] of history) {
        const { phase: before, dwellMs } = route.state;
        route.at(route.nowMs + passedMs, event);
        if (event.kind === 'trouble' && !isAway(before)) troubledSinceMs ??= route.nowMs;
        if (event.kind === 'ack') troubledSinceMs = undefined;
        if (before === 'probing' && event.kind === 'probe_ok') successes += 1;
        if (before === 'probing' && event.kind === 'probe_failed') successes = 0;
        if (route.action === 'divert') {
          const hasLasted = troubledSinceMs !== undefined && route.nowMs - troubledSinceMs >= policy.divertAfterMs;
          if (!hasLasted && before !== 'returning' && event.kind !== 'goodbye') throw new Error('left without lasting trouble');
          [divertedMs, troubledSinceMs, successes] = [route.nowMs, undefined, 0];
          const { dwellMs: next } = route.state;
          if (next < policy.minDwellMs || next > policy.maxDwellMs || next > dwellMs * 2) throw new Error(`a dwell of ${next}`);
        }
        if (route.action === 'return') {
          const isUrgent = event.kind === 'probe_ok' && event.isUrgent;
          if (!isUrgent && route.nowMs - divertedMs < dwellMs) throw new Error('returned before it had dwelt');
          if (!isUrgent && successes < policy.probeSuccesses) throw new Error(`returned after ${successes} probes`);
          troubledSinceMs = undefined;
        }
        if (route.action !== 'none' && route.action !== 'probe' && route.state.phase === before) throw new Error('moved nowhere');
      }
    }),
    { numRuns: 1000 },
  );
  t.end();
});

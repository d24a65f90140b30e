/** Any schedule of faults: what is delivered, and in what order the exporter leaves the place when it is stopped in the midst of it. */
import fc from 'fast-check';
import { test } from 'tap';
import type { HostState } from './testdata/fake_network.ts';
import { type FakeBatch, type FakeConnection, messageOf } from './testdata/fake_receiver.ts';
import { LogxBench } from './testdata/logx_bench.ts';

/** `mute`: stores and does not ack. `deaf`: neither. */
type Mood = 'good' | 'mute' | 'deaf';

const DESTINATIONS = ['log-a', 'log-b'] as const;
/** The first two share a destination. */
const RECEIVERS = ['a1', 'a2', 'b'] as const;
const SHARES = { 'log-a': ['a1', 'a2'], 'log-b': ['b'] };
const name = fc.constantFrom(...RECEIVERS);

type Step =
  | { readonly do: 'push'; readonly count: number }
  | { readonly do: 'poison'; readonly count: number; readonly at: number }
  | { readonly do: 'host'; readonly name: string; readonly state: HostState }
  | { readonly do: 'mood'; readonly name: string; readonly mood: Mood }
  | { readonly do: 'say'; readonly name: string; readonly ready: boolean }
  | { readonly do: 'goodbye'; readonly name: string; readonly isClosing: boolean }
  | { readonly do: 'run'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('run' as const), ms: fc.integer({ min: 0, max: 5000 }) }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('poison' as const), count: fc.integer({ min: 1, max: 8 }), at: fc.nat({ max: 7 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('host' as const),
      name,
      state: fc.constantFrom<HostState[]>('up', 'refusing', 'frozen', 'unreachable'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('mood' as const), name, mood: fc.constantFrom<Mood[]>('good', 'mute', 'deaf') }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('say' as const), name, ready: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('goodbye' as const), name, isClosing: fc.boolean() }) },
);

class Faults {
  readonly #moods = new Map<string, Mood>();
  readonly #silent = new Set<FakeConnection>();
  readonly #leaving = new Set<FakeConnection>();
  readonly poisons: string[] = [];
  readonly bench: LogxBench;

  constructor(jitters: readonly number[]) {
    let calls = 0;
    this.bench = new LogxBench({
      receivers: SHARES,
      scripts: Object.fromEntries(
        RECEIVERS.map((name) => [name, { onBatch: (connection, batch) => this.#onBatch(name, connection, batch) }]),
      ),
      random: () => jitters[calls++ % jitters.length] ?? 0,
    });
  }

  async apply(each: Step): Promise<void> {
    const { bench } = this;
    if (each.do === 'push') bench.push(each.count);
    else if (each.do === 'poison') this.#pushPoison(each.count, each.at % each.count);
    else if (each.do === 'host') bench.set(each.name, each.state);
    else if (each.do === 'mood') this.#moods.set(each.name, each.mood);
    else if (each.do === 'run') await bench.run(each.ms);
    else for (const connection of bench.receiver(each.name).open) this.#say(connection, each);
  }

  heal(): void {
    for (const name of RECEIVERS) {
      this.#moods.set(name, 'good');
      this.bench.set(name, 'up');
      this.bench.receiver(name).dropAll();
    }
  }

  #pushPoison(count: number, at: number): void {
    const poison = `poison ${this.poisons.length}`;
    const messages = Array.from({ length: count }, (_, index) => (index === at ? poison : `beside ${poison}: ${index}`));
    this.poisons.push(poison);
    this.bench.pushBodies(messages);
    this.bench.pushed.push(...messages.filter((message) => message !== poison));
  }

  #say(connection: FakeConnection, each: Extract<Step, { do: 'say' | 'goodbye' }>): void {
    if (each.do === 'say') {
      connection.send({ type: 'ready', ready: each.ready, reason: 'test' });
      return;
    }
    this.#leaving.add(connection);
    connection.send({ type: 'goodbye' });
    if (each.isClosing) connection.stream.end();
  }

  /** Where one batch was not acked, none behind it is on that connection: an ack says that all before it are stored. */
  #onBatch(name: string, connection: FakeConnection, batch: FakeBatch): void {
    const mood = this.#moods.get(name) ?? 'good';
    if (mood !== 'good') this.#silent.add(connection);
    if (this.#leaving.has(connection)) return;
    if (batch.lines.some((line) => messageOf(line).startsWith('poison'))) connection.stream.destroy();
    else if (mood === 'mute') connection.receiver.stored.push(...batch.lines);
    else if (!this.#silent.has(connection)) connection.storeAndAck(batch);
  }
}

function checkStopped({ bench }: Faults): void {
  if (bench.violations.length > 0) throw new Error(bench.violations.join());
  if (bench.clock.pendingTimers > 0) throw new Error(`${bench.clock.pendingTimers} timers were left`);
  for (const { open } of bench.receivers.values()) if (open.length > 0) throw new Error('a connection was left');
}

function checkDelivered({ bench, poisons }: Faults): void {
  for (const destination of DESTINATIONS) {
    const stored = new Set(bench.storedFor(destination));
    const missing = bench.pushed.filter((message) => !stored.has(message));
    if (missing.length > 0) throw new Error(`${destination} lacks ${missing.join()}`);
    const refused = bench.refused(destination);
    if (refused.toSorted().join() !== poisons.toSorted().join()) throw new Error(`${destination} refused ${refused.join()}`);
  }
}

/** Order is kept on each way, but for records that are sent one by one. */
function checkOrder({ bench }: Faults): void {
  const numberOf = new Map(bench.pushed.map((message, index) => [message, index]));
  for (const at of RECEIVERS) {
    const own = at === 'b' ? 'log-b' : 'log-a';
    for (const mark of [undefined, ...DESTINATIONS]) {
      const numbers = [...new Set(bench.stored(at, mark))].map((message) => numberOf.get(message) ?? NaN);
      if (mark === own && numbers.length > 0) throw new Error(`${at} got records that are marked for itself`);
      if (bench.counted('isolations_total', { destination: mark ?? own }) > 0) continue;
      if (numbers.some((number, index) => !(number > (numbers[index - 1] ?? -1)))) throw new Error(`${at} got ${numbers.join()}`);
    }
  }
}

const jitters = fc.array(fc.float({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { minLength: 1, maxLength: 10 });
const steps = fc.array(step, { maxLength: 30 });

void test('whatever fails and however long, every record is stored for every destination, in order on each way', async (t) => {
  let isolated = 0;
  await fc.assert(
    fc.asyncProperty(steps, jitters, async (steps, jitters) => {
      const faults = new Faults(jitters);
      const { bench } = faults;
      await bench.exporter.start();
      for (const each of steps) await faults.apply(each);
      faults.heal();
      for (let passedMs = 0; passedMs === 0 || !bench.isDrained; passedMs += 500) {
        if (passedMs > 30_000 + 120_000 * faults.poisons.length) throw new Error('it was not drained in time');
        bench.push();
        await bench.run(500);
      }
      checkDelivered(faults);
      checkOrder(faults);
      await bench.stop();
      checkStopped(faults);
      if (bench.context.metrics.sum('sluice_logx_isolations_total') > 0) isolated += 1;
    }),
    { numRuns: 200 },
  );
  t.ok(isolated > 10, `${isolated} runs had records sent one by one`);
});

void test('in whatever state it is stopped, it ends by the deadline and leaves no timer and no connection', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, jitters, fc.nat({ max: 3000 }), async (steps, jitters, graceMs) => {
      const faults = new Faults(jitters);
      const { bench } = faults;
      await bench.exporter.start();
      for (const each of steps) await faults.apply(each);
      await bench.stop(graceMs);
      checkStopped(faults);
      const settled = bench.context.cursors.map((cursor) => cursor.settled.length);
      faults.heal();
      await bench.run(10_000);
      if (bench.context.cursors.some((cursor, index) => cursor.settled.length !== settled[index]))
        throw new Error('something was settled after the stop');
    }),
    { numRuns: 300 },
  );
  t.end();
});

/** Any schedule of faults: what is delivered, and in what order the exporter leaves the place when it is stopped in the midst of it. */
import fc from 'fast-check';
import { test } from 'tap';
import type { HostState } from './testdata/fake_network.ts';
import type { FakeBatch, FakeConnection } from './testdata/fake_receiver.ts';
import { LogxBench } from './testdata/logx_bench.ts';

/** `mute`: stores and does not ack. `deaf`: neither. */
type Mood = 'good' | 'mute' | 'deaf';

const NAMES = ['log-a', 'log-b'] as const;
const name = fc.constantFrom(...NAMES);

type Step =
  | { readonly do: 'push'; readonly count: number }
  | { readonly do: 'host'; readonly name: string; readonly state: HostState }
  | { readonly do: 'mood'; readonly name: string; readonly mood: Mood }
  | { readonly do: 'say'; readonly name: string; readonly ready: boolean }
  | { readonly do: 'run'; readonly ms: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 5 }) }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('run' as const), ms: fc.integer({ min: 0, max: 5000 }) }) },
  fc.record({
    do: fc.constant('host' as const),
    name,
    state: fc.constantFrom<HostState[]>('up', 'refusing', 'frozen', 'unreachable'),
  }),
  fc.record({ do: fc.constant('mood' as const), name, mood: fc.constantFrom<Mood[]>('good', 'mute', 'deaf') }),
  fc.record({ do: fc.constant('say' as const), name, ready: fc.boolean() }),
);

class Faults {
  readonly #moods = new Map<string, Mood>();
  readonly #silent = new Set<FakeConnection>();
  readonly bench: LogxBench;

  constructor(jitters: readonly number[]) {
    let calls = 0;
    this.bench = new LogxBench({
      scripts: Object.fromEntries(
        NAMES.map((name) => [name, { onBatch: (connection, batch) => this.#onBatch(name, connection, batch) }]),
      ),
      random: () => jitters[calls++ % jitters.length] ?? 0,
    });
  }

  async apply(each: Step): Promise<void> {
    const { bench } = this;
    if (each.do === 'push') bench.push(each.count);
    else if (each.do === 'host') bench.set(each.name, each.state);
    else if (each.do === 'mood') this.#moods.set(each.name, each.mood);
    else if (each.do === 'run') await bench.run(each.ms);
    else
      for (const connection of bench.receiver(each.name).open)
        connection.send({ type: 'ready', ready: each.ready, reason: 'test' });
  }

  heal(): void {
    for (const name of NAMES) {
      this.#moods.set(name, 'good');
      this.bench.set(name, 'up');
      this.bench.receiver(name).dropAll();
    }
  }

  /** Where one batch was not acked, none behind it is on that connection: an ack says that all before it are stored. */
  #onBatch(name: string, connection: FakeConnection, batch: FakeBatch): void {
    const mood = this.#moods.get(name) ?? 'good';
    if (mood !== 'good') this.#silent.add(connection);
    if (mood === 'mute') connection.receiver.stored.push(...batch.lines);
    else if (!this.#silent.has(connection)) connection.storeAndAck(batch);
  }
}

function checkStopped({ bench }: Faults): void {
  if (bench.violations.length > 0) throw new Error(bench.violations.join());
  if (bench.clock.pendingTimers > 0) throw new Error(`${bench.clock.pendingTimers} timers were left`);
  for (const { open } of bench.receivers.values()) if (open.length > 0) throw new Error('a connection was left');
}

function checkDelivered({ bench }: Faults): void {
  const numberOf = new Map(bench.pushed.map((message, index) => [message, index]));
  for (const destination of NAMES) {
    const stored = new Set(bench.storedFor(destination));
    const missing = bench.pushed.filter((message) => !stored.has(message));
    if (missing.length > 0) throw new Error(`${destination} lacks ${missing.join()}`);
  }
  for (const at of NAMES) {
    for (const mark of [undefined, ...NAMES]) {
      const numbers = [...new Set(bench.stored(at, mark))].map((message) => numberOf.get(message) ?? NaN);
      if (mark === at && numbers.length > 0) throw new Error(`${at} got records that are marked for itself`);
      if (numbers.some((number, index) => !(number > (numbers[index - 1] ?? -1)))) throw new Error(`${at} got ${numbers.join()}`);
    }
  }
}

const jitters = fc.array(fc.float({ min: 0, max: 1, noNaN: true, maxExcluded: true }), { minLength: 1, maxLength: 10 });
const steps = fc.array(step, { maxLength: 30 });

void test('whatever fails and however long, every record is stored for every destination, in order on each way', async (t) => {
  await fc.assert(
    fc.asyncProperty(steps, jitters, async (steps, jitters) => {
      const faults = new Faults(jitters);
      const { bench } = faults;
      await bench.exporter.start();
      for (const each of steps) await faults.apply(each);
      faults.heal();
      bench.push();
      await bench.until(() => bench.isDrained, 30_000);
      checkDelivered(faults);
      await bench.stop();
      checkStopped(faults);
    }),
    { numRuns: 300 },
  );
  t.end();
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

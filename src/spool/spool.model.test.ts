/**
 * The spool against a list in memory: whatever is appended, delivered, rewound, and whatever happens to the disk and the process on the
 * way, a batch whose source was told that it is safe reaches every destination, or is counted as dropped; none comes that was never
 * there; those of one lane come in order; and what is held, delivered and dropped adds up at every step.
 */
import fc from 'fast-check';
import { test } from 'tap';
import type { OverflowRule } from './lane.ts';
import { SpoolBench } from './testdata/spool_bench.ts';

const MIB = 1024 * 1024;
const DESTINATIONS = ['a', 'b'];
const RULES: readonly OverflowRule[] = ['push_back', 'drop_oldest', 'drop_newest', 'block'];

type Step =
  | { readonly do: 'add'; readonly rule: OverflowRule; readonly records: number }
  | { readonly do: 'drain'; readonly destination: string; readonly batches: number }
  | { readonly do: 'rewind'; readonly destination: string }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'fail'; readonly code: string | undefined }
  | { readonly do: 'restart'; readonly how: 'stop' | 'process' | 'machine' };

const destination = fc.constantFrom(...DESTINATIONS);
const steps = fc.array(
  fc.oneof(
    { weight: 12, arbitrary: fc.record({ do: fc.constant('add' as const), rule: fc.constantFrom(...RULES), records: fc.integer({ min: 1, max: 3000 }) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('drain' as const), destination, batches: fc.integer({ min: 1, max: 20 }) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('rewind' as const), destination }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 5, 60, 1500) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const), code: fc.constantFrom('ENOSPC', 'EIO', 'EROFS', undefined) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), how: fc.constantFrom('stop' as const, 'process' as const, 'machine' as const) }) },
  ),
  { minLength: 5, maxLength: 60 },
); // prettier-ignore

class Model {
  readonly bench: SpoolBench;
  readonly records = new Map<string, number>();
  readonly rules = new Map<string, OverflowRule>();
  readonly arrived = new Map(DESTINATIONS.map((name) => [name, [] as string[]]));
  /** Records that came into this run of the spool: recovered, and added. */
  #came = 0;
  #before = 0;

  constructor(durability: 'overflow' | 'always', random: () => number) {
    this.bench = new SpoolBench({ destinations: DESTINATIONS, batchesThatFit: 2000, maxDiskBytes: 16 * MIB, durability, random });
  }

  async start(): Promise<void> {
    this.#before = this.#done;
    const recovered = await this.bench.start();
    this.#came = [...recovered.values()].reduce((sum, records) => sum + records, 0);
  }

  async apply(step: Step): Promise<void> {
    const { bench } = this;
    if (step.do === 'add') this.#add(step.rule, step.records);
    else if (step.do === 'drain') await this.drain(step.destination, step.batches);
    else if (step.do === 'rewind') bench.cursor(step.destination).rewind();
    else if (step.do === 'wait') await bench.clock.run(step.ms);
    else if (step.do === 'fail') bench.disk.failWith(step.code);
    else await this.#restart(step.how);
    this.#checkBalance();
  }

  async drain(name: string, batches = Infinity): Promise<void> {
    this.arrived.get(name)?.push(...(await this.bench.drain(name, batches)));
  }

  check(): void {
    const { outcomes, counts } = this.bench;
    const safe = outcomes.flatMap((text) => (text.endsWith(' delivered') ? [text.split(' ')[0] ?? ''] : []));
    for (const [destination, arrived] of this.arrived) {
      const first = new Set(arrived);
      for (const name of first) if (!this.records.has(name)) throw new Error(`${name} was never there`);
      const missing = safe.filter((name) => !first.has(name));
      const missingRecords = missing.reduce((sum, name) => sum + (this.records.get(name) ?? 0), 0);
      if (missingRecords > counts.dropped) throw new Error(`${destination} has not got ${missing.join(', ')}`);
      for (const rule of RULES) {
        const order = [...first].filter((name) => this.rules.get(name) === rule).map(Number);
        if (order.some((each, index) => index > 0 && each < (order[index - 1] ?? 0)))
          throw new Error(`out of order: ${order.join(' ')}`);
      }
    }
  }

  get #done(): number {
    const { delivered, deadLettered, dropped } = this.bench.counts;
    return delivered + deadLettered + dropped;
  }

  #add(rule: OverflowRule, records: number): void {
    if (this.bench.spool.whenRoom(rule) !== undefined) return;
    const name = `${this.records.size}`;
    this.records.set(name, records);
    this.rules.set(name, rule);
    this.#came += records;
    this.bench.add(name, rule, records);
  }

  async #restart(how: 'stop' | 'process' | 'machine'): Promise<void> {
    if (how === 'stop') await this.bench.stop();
    else this.bench.crash(how);
    this.bench.disk.failWith(undefined); // a spool does not start on a disk that does not work
    await this.start();
  }

  #checkBalance(): void {
    const found = this.#done - this.#before + this.bench.held;
    if (found !== this.#came) throw new Error(`${this.#came} records came, and ${found} are found`);
  }
}

for (const durability of ['overflow', 'always'] as const) {
  void test(`a spool with durability ${durability} keeps its promises through every fault`, async (t) => {
    await fc.assert(
      fc.asyncProperty(
        steps,
        fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
        async (all, random) => {
          const model = new Model(durability, () => Number(random.next().value));
          await model.start();
          for (const step of all) await model.apply(step);
          model.bench.disk.failWith(undefined);
          await model.bench.clock.run(60_000);
          for (const name of DESTINATIONS) await model.drain(name);
          await model.bench.clock.run(2000);
          model.check();
          if (model.bench.held > 0) throw new Error(`${model.bench.held} records are left`);
          await model.bench.stop();
          if (model.bench.clock.pendingTimers > 0) throw new Error('a timer is left');
        },
      ),
      { numRuns: 150 },
    );
    t.end();
  });
}

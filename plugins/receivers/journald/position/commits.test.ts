import fc from 'fast-check';
import { test } from 'tap';
import { DELIVERED, type Outcome } from '../../../../src/core/ack.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { SimulatedDisk } from '../../../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { Events } from '../events.ts';
import { type Cursor, seqnumCursor } from '../file/cursor.ts';
import { Commits } from './commits.ts';
import { CursorFile } from './cursor_file.ts';
import { Positions } from './positions.ts';

const INTERVAL_MS = 1000;
const [A, B] = ['a1'.repeat(16), 'b2'.repeat(16)];
const FAILED = { kind: 'failed', reason: 'shutdown' } as const;
const SAVE_FAILURES = 'sluice_journald_cursor_save_failures_total';

function at(seqnum: number, seqnumId = A): Cursor {
  return seqnumCursor(seqnumId, seqnum, seqnum);
}

function seeded(seed: number): () => number {
  let state = seed * 7919 + 1;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** A state directory over the lives of a receiver. */
async function setUp(seed = 1) {
  const clock = new VirtualClock();
  const disk = new SimulatedDisk({ random: seeded(seed), clock });
  await disk.mount().makeDirectory('/state');
  /** A receiver's life begins: after a crash, an end or nothing. */
  const start = async () => {
    const file = new CursorFile('/state', disk.mount());
    const positions = (await file.load()) ?? new Positions(0);
    const context = new FakeReceiverContext({ clock });
    const commits = new Commits({ file, positions, intervalMs: INTERVAL_MS, clock, events: new Events(context) });
    return { context, positions, commits };
  };
  /** Where a receiver that starts now would go on. */
  const saved = async (seqnumId = A): Promise<number> => {
    const positions = await new CursorFile('/state', disk.mount()).load();
    return positions?.of(seqnumId).seqnum ?? 0;
  };
  return { clock, disk, start, saved };
}

void test('what was passed without a record is saved, once all batches before it are settled', async (t) => {
  const { clock, start, saved } = await setUp();
  const { commits } = await start();
  commits.passed(at(3));
  await clock.run(INTERVAL_MS);
  const ack = commits.ackFor(at(5));
  commits.passed(at(9));
  await clock.run(INTERVAL_MS);
  t.equal(await saved(), 3);
  const second = await start();
  second.commits.passed(at(9));
  await second.commits.close();
  t.equal(await saved(), 9);
  t.doesNotThrow(() => ack.settle(DELIVERED), 'a life that is over is nobody’s business');
});

void test('a position that is held back stands still, and never moves back', async (t) => {
  const { clock, start, disk } = await setUp();
  const { commits, positions } = await start();
  let saves = 0;
  disk.fault = (operation) => void (saves += operation === 'rename' ? 1 : 0);
  for (const [cursor, moved] of [
    [at(5), 5],
    [at(5), 5],
    [at(3), 5],
    [undefined, 5],
    [at(7), 7],
  ] as const) {
    commits.ackFor(cursor).settle(DELIVERED);
    await clock.run(INTERVAL_MS);
    t.equal(positions.of(A).seqnum, moved);
  }
  commits.passed(at(6));
  await commits.close();
  t.equal(positions.of(A).seqnum, 7);
  t.equal(saves, 2, 'what does not move is not saved');
});

for (const code of ['EROFS', 'ENOSPC', 'EIO']) {
  void test(`a disk that says ${code} is reported once, tried again, and costs no more than a repetition`, async (t) => {
    const { clock, disk, start, saved } = await setUp();
    const { commits, context } = await start();
    commits.ackFor(at(1)).settle(DELIVERED);
    await clock.run(INTERVAL_MS);
    disk.failWith(code);
    for (let seqnum = 2; seqnum <= 5; seqnum++) {
      commits.ackFor(at(seqnum)).settle(DELIVERED);
      await clock.run(INTERVAL_MS);
    }
    t.equal(context.metrics.value(SAVE_FAILURES), 4);
    t.match(context.log.lines, [{ level: 'error', message: /cannot save the position/ }]);
    disk.failWith(undefined);
    t.equal(await saved(), 1);
    await clock.run(INTERVAL_MS);
    t.equal(context.log.lines.length, 1, 'the disk was mounted by another life');
    const next = await start();
    disk.failWith(code);
    next.commits.ackFor(at(2)).settle(DELIVERED);
    await clock.run(INTERVAL_MS);
    disk.failWith(undefined);
    await clock.run(INTERVAL_MS);
    t.match(next.context.log.lines.at(-1)?.message, /can be saved again/, 'without anything new');
    t.equal(await saved(), 2);
  });
}

void test('a disk that hangs is not asked again until it answers, and then for the newest', async (t) => {
  const { clock, disk, start, saved } = await setUp();
  const { commits } = await start();
  let writes = 0;
  let syncMs = 60 * INTERVAL_MS;
  disk.latencyMs = (operation) => {
    if (operation === 'write') writes += 1;
    return operation === 'sync' ? syncMs : 0;
  };
  for (let seqnum = 1; seqnum <= 50; seqnum++) {
    commits.ackFor(at(seqnum)).settle(DELIVERED);
    await clock.run(INTERVAL_MS);
  }
  t.equal(writes, 1);
  syncMs = 0;
  await clock.run(20 * INTERVAL_MS);
  t.equal(writes, 2);
  t.equal(await saved(), 50);
});

void test('wherever a save is cut off, by a crash or a power cut, the file holds one position or the next', async (t) => {
  const seen = new Set<number>();
  for (let seed = 0; seed < 200; seed++) {
    const { clock, disk, start, saved } = await setUp(seed);
    const { commits } = await start();
    commits.passed(at(1));
    await clock.run(INTERVAL_MS);
    let calls = 1 + (seed % 8);
    disk.fault = () => {
      calls -= 1;
      if (calls === 0) disk.kill();
      return undefined;
    };
    commits.passed(at(2));
    commits.passed(at(2, B));
    await clock.run(INTERVAL_MS);
    disk.fault = () => undefined;
    if (seed % 3 > 0) disk.crash();
    seen.add(await saved());
    t.same(await saved(B), (await saved()) === 1 ? 0 : 2, 'all of it or nothing');
    const next = await start();
    next.commits.passed(at(3));
    await next.commits.close();
    t.equal(await saved(), 3, 'what the crash has left is in nobody’s way');
  }
  t.same(seen, new Set([1, 2]));
});

/** One thing that happens to a receiver of which entries are read in the order of their numbers, now of A, now of B. */
type Step =
  | { readonly kind: 'batch' | 'pass'; readonly seqnumId: string; readonly entries: number; readonly heldBack: number }
  | { readonly kind: 'settle'; readonly which: number; readonly outcome: Outcome }
  | { readonly kind: 'wait' }
  | { readonly kind: 'end' | 'kill' | 'power cut' };

const outcome = fc.constantFrom<Outcome>(
  DELIVERED,
  { kind: 'dropped', reason: 'filtered' },
  { kind: 'rejected', reason: 'malformed' },
);
const seqnumId = fc.constantFrom(A, B);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom('batch', 'pass'),
      seqnumId,
      entries: fc.integer({ min: 1, max: 5 }),
      heldBack: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle'), which: fc.nat(20), outcome }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('end', 'kill', 'power cut') }) },
);

/** What was read in one life, in order, and how far it may be gone on behind when it and all before it are settled. */
interface Read {
  readonly seqnumId: string;
  readonly heldAt: number;
  isSettled: boolean;
  readonly settle: (outcome: Outcome) => void;
}

/** Plays the steps, and compares what is saved with a model. Throws where they differ. */
async function play(steps: readonly Step[], seed: number): Promise<void> {
  const { clock, disk, start } = await setUp(seed);
  let life = await start();
  let reads: Read[] = [];
  let fresh = new Map<string, number>();
  const safe = new Map<string, number>();
  let atStart = new Map<string, number>();

  const settledPlaces = (): Map<string, number> => {
    const places = new Map(atStart);
    for (const { seqnumId: id, heldAt, isSettled } of reads) {
      if (!isSettled) break;
      places.set(id, Math.max(places.get(id) ?? 0, heldAt));
    }
    return places;
  };
  const read = ({ kind, seqnumId: id, entries, heldBack }: Extract<Step, { entries: number }>): void => {
    const last = (fresh.get(id) ?? 0) + entries;
    fresh.set(id, last);
    const heldAt = Math.max(0, last - heldBack);
    const cursor = heldAt === 0 ? undefined : at(heldAt, id);
    if (kind === 'pass') {
      if (cursor === undefined) return;
      life.commits.passed(cursor);
      reads.push({ seqnumId: id, heldAt, isSettled: true, settle: () => {} });
    } else {
      const ack = life.commits.ackFor(cursor);
      reads.push({ seqnumId: id, heldAt, isSettled: false, settle: (outcome) => ack.settle(outcome) });
    }
  };
  const restart = async (how: 'end' | 'kill' | 'power cut'): Promise<void> => {
    const places = settledPlaces();
    if (how === 'end') {
      for (const { isSettled, settle } of reads) if (!isSettled) settle(FAILED);
      await life.commits.close();
    } else if (how === 'kill') disk.kill();
    else disk.crash();
    life = await start();
    const goesOn = new Map([A, B].map((id) => [id, life.positions.of(id).seqnum ?? 0]));
    for (const id of [A, B]) {
      const [place = 0, settled = 0, committed = 0] = [goesOn.get(id), places.get(id), safe.get(id)];
      if (place > settled) throw new Error(`${place} is saved, and only ${settled} is settled`);
      const least = how === 'end' ? settled : committed;
      if (place < least) throw new Error(`${least} had been saved, and ${place} is there`);
      safe.set(id, place);
    }
    atStart = goesOn;
    fresh = new Map(goesOn);
    reads = [];
  };

  for (const one of steps) {
    if (one.kind === 'batch' || one.kind === 'pass') read(one);
    else if (one.kind === 'settle') {
      const open = reads.filter(({ isSettled }) => !isSettled);
      const chosen = open[one.which % open.length];
      if (chosen !== undefined) {
        chosen.settle(one.outcome);
        chosen.isSettled = true;
      }
    } else if (one.kind === 'wait') {
      await clock.run(INTERVAL_MS);
      for (const [id, place] of settledPlaces()) safe.set(id, place);
    } else await restart(one.kind);
    for (const [id, place] of settledPlaces()) {
      const known = life.positions.of(id).seqnum ?? 0;
      if (known !== place) throw new Error(`${known} counts as settled, and ${place} is`);
    }
  }
}

void test('over restarts, crashes and power cuts exactly what was not settled and saved is read again', async (t) => {
  const property = fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), fc.nat(), play);
  await t.resolves(fc.assert(property, { numRuns: 300 }));
});

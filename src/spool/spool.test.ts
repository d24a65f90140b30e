import fc from 'fast-check';
import { test } from 'tap';
import { makeBatch, readBatch } from '../../test/helpers/batches.ts';
import type { Refusal } from '../core/component.ts';
import { BATCH_OVERHEAD_BYTES } from './entry.ts';
import type { OverflowRule } from './lane.ts';
import { SpoolBench } from './testdata/spool_bench.ts';

const REFUSED: Refusal = { reason: 'refused', detail: 'malformed', attempts: 1 };
const TOO_LARGE: Refusal = { reason: 'too_large', detail: 'longer than 1 KiB', attempts: 1 };

void test('a batch is settled when every destination has settled it, in order', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'] });
  bench.add('1');
  bench.add('2');
  await bench.drain('a');
  t.same(bench.outcomes, []);
  await bench.drain('b', 1);
  t.same(bench.outcomes, ['1 delivered']);
  await bench.drain('b');
  t.same(bench.outcomes, ['1 delivered', '2 delivered']);
  t.ok(bench.spool.isEmpty);
  t.equal(bench.spool.bytes, 0);
});

void test('records get the epoch of their lane and a sequence without holes, and keep the ids that their source gave', async (t) => {
  const bench = new SpoolBench();
  const first = bench.add('1', 'drop_oldest', 3);
  const waits = bench.add('2', 'push_back', 2);
  const second = bench.add('3', 'drop_oldest', 2);
  t.same([first, second].flatMap((batch) => readBatch(batch).map(({ sequence }) => sequence)), [1, 2, 3, 4, 5]); // prettier-ignore
  t.equal(first.epoch, second.epoch);
  t.not(first.epoch, waits.epoch);
  t.same(readBatch(waits).map(({ sequence }) => sequence), [1, 2]); // prettier-ignore
  const own = makeBatch([{ body: 'x', sequence: 99 }], { epoch: 'journal' });
  bench.spool.append(own, 'push_back');
  t.match([own.epoch, readBatch(own)[0]?.sequence], ['journal', 99]);
});

void test('a rewound cursor reads the same batches again', async (t) => {
  const bench = new SpoolBench();
  ['1', '2', '3'].forEach((name) => bench.add(name));
  const cursor = bench.cursor('a');
  const first = cursor.next()?.position ?? -1;
  const second = cursor.next()?.position ?? -1;
  cursor.deliveredThrough(first);
  cursor.rewind();
  t.throws(() => cursor.deliveredThrough(second), /not being delivered/);
  t.equal(cursor.next()?.position, second);
  t.throws(() => cursor.deliveredThrough(first), /not being delivered/);
  t.notOk(cursor.isEmpty);
});

void test('lanes take turns, so that a backlog of those that cannot wait does not hold up those that can', async (t) => {
  const bench = new SpoolBench();
  ['pipe 1', 'pipe 2', 'pipe 3'].forEach((name) => bench.add(name));
  ['journal 1', 'journal 2'].forEach((name) => bench.add(name, 'push_back'));
  t.same(await bench.drain('a'), ['journal 1', 'pipe 1', 'journal 2', 'pipe 2', 'pipe 3']);
});

void test('a full spool drops the oldest batch that no destination is being sent', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 3 });
  bench.add('1');
  bench.cursor('a').next();
  ['2', '3', '4', '5'].forEach((name) => bench.add(name));
  t.same(bench.outcomes, ['2 dropped', '3 dropped']);
  t.equal(bench.counts.dropped, 2);
  bench.cursor('a').rewind();
  t.same(await bench.drain('a'), ['1', '4', '5']);
});

void test('a full spool drops the newest batch where the receiver says so, and where nothing older may go', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 2 });
  bench.add('1', 'push_back');
  bench.add('2', 'drop_newest');
  bench.add('3', 'drop_newest');
  bench.add('4', 'drop_oldest');
  t.same(bench.outcomes, ['3 dropped', '4 dropped']);
});

void test('what was dropped leaves a hole in the sequence, for a receiver to see', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 1 });
  bench.add('1', 'drop_newest');
  bench.add('2', 'drop_newest', 5);
  await bench.drain('a');
  t.same(readBatch(bench.add('3', 'drop_newest')).map(({ sequence }) => sequence), [7]); // prettier-ignore
});

void test('a batch that cannot fit at all does not drive out those that do', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 3 });
  bench.add('1');
  bench.add('2');
  bench.add('huge', 'drop_oldest', 1000);
  t.same(bench.outcomes, ['huge dropped']);
  t.equal(bench.counts.dropped, 1000);
  t.same(await bench.drain('a'), ['1', '2']);
});

void test('receivers that can wait are made to, and others keep the other half of the room', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 4 });
  const { spool } = bench;
  t.equal(spool.whenRoom('push_back'), undefined);
  bench.add('1', 'push_back');
  bench.add('2', 'push_back');
  const pushedBack = spool.whenRoom('push_back');
  t.ok(pushedBack);
  t.equal(spool.whenRoom('block'), undefined);
  bench.add('3');
  const blocked = spool.whenRoom('block');
  t.ok(blocked, 'the last quarter is for those that must not wait');
  t.equal(spool.whenRoom('drop_oldest'), undefined);
  await bench.drain('a', 1);
  await blocked;
  await bench.drain('a', 1);
  await pushedBack;
});

void test('what a destination refuses for good goes to the dead letters before its batch is settled', async (t) => {
  const put = Promise.withResolvers<void>();
  const letters: unknown[] = [];
  const deadLetters = {
    put(_: unknown, ...letter: unknown[]): Promise<void> {
      letters.push(letter);
      return put.promise;
    },
  };
  const bench = new SpoolBench({ deadLetters });
  bench.add('1', 'drop_oldest', 10);
  bench.add('2');
  const cursor = bench.cursor('a');
  const delivery = cursor.next()!; // a batch was added above
  cursor.refused(delivery, [3, 4], REFUSED);
  cursor.refused(delivery, [5], TOO_LARGE);
  cursor.deliveredThrough(delivery.position);
  const next = cursor.next()!; // a second one was added
  cursor.deliveredThrough(next.position);
  t.ok(cursor.isEmpty, 'the exporter has nothing to do any more');
  t.same(bench.outcomes, []);
  t.equal(bench.held, 11);
  put.resolve();
  await bench.clock.settle();
  t.same(letters, [
    [[3, 4], 'a', REFUSED],
    [[5], 'a', TOO_LARGE],
  ]);
  t.same(bench.counts, { delivered: 8, deadLettered: 3, dropped: 0 });
  t.same(bench.reasons, ['refused', 'refused', 'too_large']);
  t.same(bench.outcomes, ['1 rejected', '2 delivered']);
  t.equal(bench.held, 0);
});

void test('a record that several destinations refuse is one dead letter in the ledger', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'], deadLetters: { put: async () => {} } });
  bench.add('1', 'drop_oldest', 10);
  for (const [destination, records] of [
    ['a', [1, 2]],
    ['b', [2, 3, 4]],
  ] as const) {
    const cursor = bench.cursor(destination);
    const delivery = cursor.next()!; // a batch was added above
    cursor.refused(delivery, records, REFUSED);
    cursor.deliveredThrough(delivery.position);
    await bench.clock.settle();
  }
  t.same(bench.counts, { delivered: 6, deadLettered: 4, dropped: 0 });
});

function refuse(bench: SpoolBench): Promise<void> {
  bench.add('1', 'drop_oldest', 2);
  const cursor = bench.cursor('a');
  const delivery = cursor.next()!; // a batch was added above
  cursor.refused(delivery, [0], REFUSED);
  cursor.deliveredThrough(delivery.position);
  return bench.clock.settle();
}

void test('records that are refused and cannot be kept are dropped by name', async (t) => {
  const failing = new SpoolBench({ deadLetters: { put: () => Promise.reject(new Error('full')) } });
  await refuse(failing);
  t.same([failing.counts, failing.reasons], [{ delivered: 1, deadLettered: 0, dropped: 1 }, ['dead_letters_unavailable']]);
  const none = new SpoolBench();
  await refuse(none);
  t.same([none.counts, none.reasons], [{ delivered: 1, deadLettered: 0, dropped: 1 }, ['refused']]);
});

void test('what was refused and is rewound may be taken the second time', async (t) => {
  const bench = new SpoolBench();
  bench.add('1', 'drop_oldest', 10);
  const cursor = bench.cursor('a');
  const delivery = cursor.next()!; // a batch was added above
  cursor.refused(delivery, [0, 1], REFUSED);
  cursor.rewind();
  t.throws(() => cursor.refused(delivery, [0], REFUSED), /not being delivered/);
  await bench.drain('a');
  t.same(bench.counts, { delivered: 10, deadLettered: 0, dropped: 0 });
});

void test('a dead letter that is tried again goes to its own destination only', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'] });
  bench.add('1');
  bench.add('again', 'push_back', 1, { onlyFor: 'a' });
  bench.add('2');
  t.same(await bench.drain('b'), ['1', '2']);
  t.same(bench.outcomes, []);
  t.same(await bench.drain('a'), ['again', '1', '2']);
  t.same(bench.outcomes.toSorted(), ['1 delivered', '2 delivered', 'again delivered']);
});

void test('tiny batches fill the spool by what they really take', async (t) => {
  const bench = new SpoolBench();
  for (let count = 0; count < 100; count++) bench.add('1', 'push_back');
  t.ok(bench.spool.bytes > 100 * BATCH_OVERHEAD_BYTES);
});

void test('a cursor that ran dry is told, once, when there is more', async (t) => {
  const bench = new SpoolBench();
  const cursor = bench.cursor('a');
  let calls = 0;
  cursor.onReadable(() => (calls += 1));
  cursor.next();
  bench.add('1');
  bench.add('2');
  await Promise.resolve();
  t.equal(calls, 1);
  bench.add('3');
  await Promise.resolve();
  t.equal(calls, 1);
});

void test('without a disk, what is still held at the end is told to have failed, and whether its source keeps it', async (t) => {
  const bench = new SpoolBench();
  bench.add('1');
  bench.add('2', 'push_back', 3);
  bench.add('3', 'push_back', 1, { receiver: 'plain', isKept: false });
  t.same(await bench.stop(), ['pipe 3 true', 'pipe 1 false', 'plain 1 false']);
  t.same(bench.outcomes.toSorted(), ['1 failed', '2 failed', '3 failed']);
});

void test('whatever is appended, read, settled and rewound, every record is delivered, dropped or held', (t) => {
  const step = fc.oneof(
    fc.record({
      do: fc.constant('append' as const),
      rule: fc.constantFrom<OverflowRule[]>('drop_oldest', 'drop_newest', 'push_back'),
    }),
    fc.record({ do: fc.constantFrom('next' as const, 'settle' as const, 'rewind' as const), cursor: fc.nat({ max: 1 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const bench = new SpoolBench({ destinations: ['a', 'b'], batchesThatFit: 5 });
      const last: (number | undefined)[] = [undefined, undefined];
      let appended = 0;
      for (const each of steps) {
        if (each.do === 'append') {
          if (each.rule === 'push_back' && bench.spool.whenRoom('push_back') !== undefined) continue;
          bench.add(`${appended++}`, each.rule);
          continue;
        }
        const cursor = bench.spool.cursors[each.cursor]!; // there are two
        const read = last[each.cursor];
        if (each.do === 'next') last[each.cursor] = cursor.next()?.position ?? read;
        else if (each.do === 'rewind') cursor.rewind();
        else if (read !== undefined) cursor.deliveredThrough(read);
        if (each.do !== 'next') last[each.cursor] = undefined;
      }
      const { counts, outcomes } = bench;
      if (appended !== counts.delivered + counts.dropped + bench.held)
        throw new Error(`${appended} ${JSON.stringify(counts)} ${bench.held}`);
      if (bench.spool.bytes > bench.maxMemoryBytes) throw new Error('over the bound');
      if (new Set(outcomes).size !== outcomes.length) throw new Error('settled twice');
    }),
  );
  t.end();
});

void test('a record that is lost for one destination is lost, though another one made a dead letter of it', async (t) => {
  const deadLetters = {
    put: (_: unknown, __: unknown, destination: string) =>
      destination === 'a' ? Promise.resolve() : Promise.reject(new Error('full')),
  };
  for (const order of [
    ['a', 'b'],
    ['b', 'a'],
  ] as const) {
    const bench = new SpoolBench({ destinations: ['a', 'b'], deadLetters });
    bench.add('1');
    for (const destination of order) {
      const cursor = bench.cursor(destination);
      const delivery = cursor.next()!; // a batch was added above
      cursor.refused(delivery, [0], REFUSED);
      cursor.deliveredThrough(delivery.position);
      await bench.clock.settle();
    }
    t.same(bench.counts, { delivered: 0, deadLettered: 0, dropped: 1 }, order.join());
  }
});

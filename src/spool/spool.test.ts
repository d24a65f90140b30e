import fc from 'fast-check';
import { test } from 'tap';
import { makeBatch, readBatch } from '../../test/helpers/batches.ts';
import { Ack, type Outcome } from '../core/ack.ts';
import type { Batch } from '../core/batch.ts';
import { BATCH_OVERHEAD_BYTES, type OverflowRule, Spool } from './spool.ts';

interface Held {
  readonly spool: Spool;
  readonly counts: { delivered: number; refused: number; dropped: number };
  readonly outcomes: string[];
  readonly add: (name: string, rule?: OverflowRule, records?: number) => Batch;
}

function open(destinations: string[], batchesThatFit = 1000): Held {
  const counts = { delivered: 0, refused: 0, dropped: 0 };
  const outcomes: string[] = [];
  const make = (name: string, records: number): Batch => {
    const ack = new Ack((outcome: Outcome) => void outcomes.push(`${name} ${outcome.kind}`));
    return makeBatch(
      Array.from({ length: records }, () => name.padEnd(10, '.')),
      { receiver: 'pipe', ack },
    );
  };
  const spool = new Spool({
    maxBytes: (make('', 1).memoryBytes + BATCH_OVERHEAD_BYTES) * batchesThatFit,
    destinations,
    events: {
      delivered: (_, records) => void (counts.delivered += records),
      refused: (_, records) => void (counts.refused += records),
      dropped: (_, records) => void (counts.dropped += records),
    },
  });
  return {
    spool,
    counts,
    outcomes,
    add: (name, rule = 'drop_oldest', records = 1) => {
      const batch = make(name, records);
      spool.append(batch, rule);
      return batch;
    },
  };
}

void test('a batch is settled when every destination has settled it, in order', (t) => {
  const { spool, add, outcomes } = open(['a', 'b']);
  const [a, b] = spool.cursors;
  add('1');
  add('2');
  for (const cursor of [a, b]) while (cursor?.next() !== undefined);
  a?.deliveredThrough(1);
  t.same(outcomes, []);
  b?.deliveredThrough(0);
  t.same(outcomes, ['1 delivered']);
  b?.deliveredThrough(1);
  t.same(outcomes, ['1 delivered', '2 delivered']);
  t.ok(spool.isEmpty);
  t.equal(spool.bytes, 0);
  t.end();
});

void test('records get one epoch and a sequence without holes, and keep the ids that their source gave', (t) => {
  const { spool, add } = open(['a']);
  const first = add('1', 'drop_oldest', 3);
  const second = add('2', 'drop_oldest', 2);
  t.same([first, second].flatMap((batch) => readBatch(batch).map(({ sequence }) => sequence)), [1, 2, 3, 4, 5]); // prettier-ignore
  t.equal(first.epoch, spool.epoch);
  const own = makeBatch([{ body: 'x', sequence: 99 }], { epoch: 'journal' });
  spool.append(own, 'push_back');
  t.match([own.epoch, readBatch(own)[0]?.sequence], ['journal', 99]);
  t.end();
});

void test('a rewound cursor reads the same batches again', (t) => {
  const { spool, add } = open(['a']);
  const cursor = spool.cursors[0]!; // there is one destination
  ['1', '2', '3'].forEach((name) => add(name));
  cursor.next();
  cursor.next();
  cursor.deliveredThrough(0);
  cursor.rewind();
  t.equal(cursor.next()?.position, 1);
  t.equal(cursor.oldest?.position, 1);
  t.throws(() => cursor.deliveredThrough(2), /not being delivered/);
  t.throws(() => cursor.deliveredThrough(0), /not being delivered/);
  t.end();
});

void test('a full spool drops the oldest batch that no destination is being sent', (t) => {
  const { spool, add, outcomes, counts } = open(['a'], 3);
  add('1');
  spool.cursors[0]?.next();
  ['2', '3', '4', '5'].forEach((name) => add(name));
  t.same(outcomes, ['2 dropped', '3 dropped']);
  t.equal(counts.dropped, 2);
  t.same([spool.cursors[0]?.next(), spool.cursors[0]?.next()].map((delivery) => delivery?.position), [3, 4]); // prettier-ignore
  t.end();
});

void test('a full spool drops the newest batch where the receiver says so, and where nothing older may go', (t) => {
  const { add, outcomes } = open(['a'], 2);
  add('1', 'push_back');
  add('2', 'drop_newest');
  add('3', 'drop_newest');
  add('4', 'drop_oldest');
  t.same(outcomes, ['3 dropped', '4 dropped']);
  t.end();
});

void test('a batch that cannot fit at all does not drive out those that do', (t) => {
  const { spool, add, outcomes, counts } = open(['a'], 3);
  add('1');
  add('2');
  add('huge', 'drop_oldest', 1000);
  t.same(outcomes, ['huge dropped']);
  t.equal(counts.dropped, 1000);
  t.same(
    [spool.cursors[0]?.next(), spool.cursors[0]?.next()].map((delivery) => delivery?.position),
    [0, 1],
  );
  t.end();
});

void test('receivers that can wait are made to, and others keep the other half of the room', async (t) => {
  const { spool, add } = open(['a'], 4);
  t.equal(spool.whenRoom('push_back'), undefined);
  add('1', 'push_back');
  add('2', 'push_back');
  const pushedBack = spool.whenRoom('push_back');
  t.ok(pushedBack);
  t.equal(spool.whenRoom('block'), undefined);
  add('3');
  add('4');
  const blocked = spool.whenRoom('block');
  t.ok(blocked);
  t.equal(spool.whenRoom('drop_oldest'), undefined);
  for (let reads = 0; reads < 3; reads++) spool.cursors[0]?.next();
  spool.cursors[0]?.deliveredThrough(0);
  await blocked;
  spool.cursors[0]?.deliveredThrough(2);
  await pushedBack;
  t.end();
});

void test('what a destination refuses for good is told apart from what was delivered', (t) => {
  const { spool, add, counts, outcomes } = open(['a', 'b']);
  add('1', 'drop_oldest', 10);
  for (const [cursor, records] of [
    [spool.cursors[0]!, 2],
    [spool.cursors[1]!, 3],
  ] as const) {
    // prettier-ignore
    const delivery = cursor.next()!; // the batch was added above
    cursor.refused(delivery, records, 'malformed');
    cursor.deliveredThrough(delivery.position);
  }
  t.same(counts, { delivered: 7, refused: 3, dropped: 0 });
  t.same(outcomes, ['1 rejected']);
  t.end();
});

void test('what a destination refuses for several reasons is added up, and what it took the second time does not count', (t) => {
  const { spool, add, counts } = open(['a']);
  const cursor = spool.cursors[0]!; // there is one destination
  add('1', 'drop_oldest', 10);
  cursor.refused(cursor.next()!, 7, 'too_large'); // the batch was added above, here and below
  cursor.rewind();
  const delivery = cursor.next()!;
  cursor.refused(delivery, 2, 'malformed');
  cursor.refused(delivery, 1, 'not UTF-8');
  t.same(counts, { delivered: 0, refused: 0, dropped: 0 });
  cursor.deliveredThrough(delivery.position);
  t.same(counts, { delivered: 7, refused: 3, dropped: 0 });
  t.throws(() => cursor.refused(delivery, 1, 'malformed'), /not being delivered/);
  t.end();
});

void test('tiny batches fill the spool by what they really take', (t) => {
  const { spool, add } = open(['a']);
  for (let count = 0; count < 100; count++) add('1', 'push_back');
  t.ok(spool.bytes > 100 * BATCH_OVERHEAD_BYTES);
  t.end();
});

void test('a cursor that ran dry is told, once, when there is more', async (t) => {
  const { spool, add } = open(['a']);
  let calls = 0;
  spool.cursors[0]?.onReadable(() => (calls += 1));
  spool.cursors[0]?.next();
  add('1');
  add('2');
  await Promise.resolve();
  t.equal(calls, 1);
  add('3');
  await Promise.resolve();
  t.equal(calls, 1);
  t.end();
});

void test('what is still held at the end is told to have failed, and whether its source keeps it', (t) => {
  const { spool, add, outcomes } = open(['a']);
  add('1');
  add('2', 'push_back', 3);
  spool.append(makeBatch(['3'], { receiver: 'plain', isKept: false }), 'push_back');
  const given: [string, number, boolean][] = [];
  spool.abandon((...one) => given.push(one));
  t.same(outcomes, ['1 failed', '2 failed']);
  t.same(given, [['pipe', 1, false], ['pipe', 3, true], ['plain', 1, false]]); // prettier-ignore
  t.end();
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
      const { spool, add, counts, outcomes } = open(['a', 'b'], 5);
      const last = [-1, -1];
      let appended = 0;
      for (const each of steps) {
        if (each.do === 'append') {
          if (each.rule === 'push_back' && spool.whenRoom('push_back') !== undefined) continue;
          add(`${appended++}`, each.rule);
          continue;
        }
        const cursor = spool.cursors[each.cursor]!; // there are two
        if (each.do === 'next')
          last[each.cursor] = cursor.next()?.position ?? last[each.cursor]!; // as above
        else if (each.do === 'rewind') cursor.rewind();
        else if (cursor.isReading(last[each.cursor]!)) cursor.deliveredThrough(last[each.cursor]!); // as above
        if (each.do === 'rewind') last[each.cursor] = -1;
      }
      const held = [...spool.held()].reduce((sum, { inFlight, spooled }) => sum + inFlight + spooled, 0);
      if (appended !== counts.delivered + counts.dropped + held) throw new Error(`${appended} ${JSON.stringify(counts)} ${held}`);
      if (spool.bytes > spool.maxBytes) throw new Error('over the bound');
      if (new Set(outcomes).size !== outcomes.length) throw new Error('settled twice');
    }),
  );
  t.end();
});

import { test } from 'tap';
import { makeBatch, readBatch } from './batches.ts';
import { MemorySpool } from './memory_spool.ts';
import { VirtualClock } from './virtual_clock.ts';

const TOO_LARGE = { reason: 'too_large', detail: 'longer than it may be', attempts: 1 } as const;

/** A spool with one batch per name, and its two cursors. */
function spoolOf(...bodies: string[]) {
  const spool = new MemorySpool(['log-a', 'log-b']);
  const batches = bodies.map((body) => makeBatch([body]));
  for (const batch of batches) spool.push(batch);
  const [a, b] = spool.cursors;
  if (a === undefined || b === undefined) throw new Error('two cursors were asked for');
  return { spool, batches, a, b };
}

void test('a batch is settled, and its bytes spoiled, when the last cursor has settled it', async (t) => {
  const { spool, batches, a, b } = spoolOf('one');
  const [batch] = batches;
  a.next();
  b.next();
  a.deliveredThrough(0);
  t.equal(batch?.settled, false);
  t.equal(batch && readBatch(batch)[0]?.body, 'one');
  b.deliveredThrough(0);
  t.equal(batch?.settled, true);
  t.not(batch && readBatch(batch)[0]?.body, 'one');
  t.equal(spool.isEmpty, true);
});

void test('a cursor refuses to settle what was not read, what was settled, and what never was', async (t) => {
  const { a } = spoolOf('one', 'two');
  t.throws(() => a.deliveredThrough(0), /without having been read/);
  a.next();
  a.deliveredThrough(0);
  t.throws(() => a.deliveredThrough(0), /settled before/);
  t.throws(() => a.deliveredThrough(7), /never in the spool/);
});

void test('a rewound cursor gives the same deliveries again, in order', async (t) => {
  const { a } = spoolOf('one', 'two', 'three');
  const first = [a.next(), a.next()];
  a.deliveredThrough(0);
  a.rewind();
  t.equal(a.next(), first[1]);
  t.equal(a.next()?.position, 2);
  t.same(a.given, [0, 1, 1, 2]);
});

void test('a cursor that ran dry tells its listener, from a later turn, when there is more', async (t) => {
  const { spool, a } = spoolOf();
  let wakes = 0;
  a.onReadable(() => (wakes += 1));
  t.equal(a.next(), undefined);
  spool.push(makeBatch(['one']));
  spool.push(makeBatch(['two']));
  t.equal(wakes, 0);
  await new VirtualClock().settle();
  t.equal(wakes, 1);
});

void test('refusing more records than a delivery has, or of one that is not read, throws', async (t) => {
  const { a } = spoolOf('one', 'two');
  const delivery = a.next();
  if (delivery === undefined) throw new Error('the spool has two batches');
  a.refused(delivery, [0], TOO_LARGE);
  t.throws(() => a.refused(delivery, [0], TOO_LARGE), /some of them twice/);
  t.throws(() => a.refused(delivery, [1], TOO_LARGE), /a delivery of 1/);
  t.throws(() => a.refused({ ...delivery, position: 1 }, [0], TOO_LARGE), /not being delivered/);
  t.same(a.refusals[0], { position: 0, records: [0], ...TOO_LARGE });
});

import { test } from 'tap';
import { readBatch } from '../../test/helpers/batches.ts';
import { range, SpoolBench } from './testdata/spool_bench.ts';

const MIB = 1024 * 1024;

void test('what memory does not hold goes to disk, and comes back in order', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  for (const name of range(1, 100)) {
    bench.add(name);
    await bench.clock.settle();
  }
  t.equal(bench.counts.dropped, 0);
  t.ok(bench.spool.bytes <= bench.maxMemoryBytes);
  t.equal(bench.held, 100);
  t.same(await bench.drain('a'), range(1, 100));
  t.same(bench.counts, { delivered: 100, deadLettered: 0, dropped: 0 });
  t.equal(bench.held, 0);
  await bench.clock.run(2000);
  t.same(bench.files.filter((name) => name.endsWith('.segment') && name !== bench.files.at(-1)).length <= 1, true);
  t.same(await bench.stop(), []);
});

void test('a destination that is away does not hold up the other one, whatever the receiver', async (t) => {
  for (const rule of ['drop_oldest', 'drop_newest', 'block', 'push_back'] as const) {
    const bench = new SpoolBench({ destinations: ['a', 'b'], batchesThatFit: 10, maxDiskBytes: 16 * MIB });
    await bench.start();
    const arrived: string[] = [];
    for (const name of range(1, 100)) {
      await bench.spool.whenRoom(rule);
      bench.add(name, rule);
      arrived.push(...(await bench.drain('b')));
    }
    t.same(arrived, range(1, 100), rule);
    t.ok(bench.spool.bytes <= bench.maxMemoryBytes);
    t.same(await bench.drain('a'), range(1, 100), `and ${rule} loses nothing of the one that was away`);
    t.same(bench.counts, { delivered: 100, deadLettered: 0, dropped: 0 });
    t.same(await bench.stop(), []);
    t.equal(bench.clock.pendingTimers, 0);
  }
});

void test('receivers whose source keeps the records are pushed back where all destinations are away, and nothing of theirs goes to disk', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB, durability: 'always' });
  await bench.start();
  for (let added = 0; bench.spool.whenRoom('push_back') === undefined; added++) bench.add(`${added}`, 'push_back');
  await bench.clock.run(1000);
  t.ok(bench.spool.whenRoom('push_back'));
  t.equal(bench.metrics.value('sluice_spool_written_bytes_total'), 0);
  t.same(
    await bench.stop(),
    Array.from({ length: 5 }, () => 'pipe 1 true'),
  );
});

void test('after an orderly stop everything is there, with the same ids, and numbering goes on', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'], maxDiskBytes: 16 * MIB });
  await bench.start();
  const before = bench.add('1', 'drop_oldest', 3);
  bench.add('2', 'drop_newest');
  bench.add('3');
  await bench.drain('b', 1);
  t.same(await bench.stop(), []);
  t.same([...(await bench.start())], [['pipe', 5]]);
  t.equal(bench.held, 5);
  const cursor = bench.cursor('a');
  cursor.next();
  await bench.clock.settle();
  const deliveries = [cursor.next(), cursor.next(), cursor.next()].flatMap((delivery) => delivery?.batch ?? []);
  const again = deliveries.find((batch) => batch.count === 3);
  t.same(again && readBatch(again).map(({ sequence }) => sequence), [1, 2, 3]);
  t.equal(again?.epoch, before.epoch);
  cursor.rewind();
  const later = bench.add('4');
  t.equal(later.epoch, before.epoch);
  t.same(readBatch(later).map(({ sequence }) => sequence), [5]); // prettier-ignore
  t.same((await bench.drain('a')).toSorted(), ['1', '2', '3', '4']);
  t.equal((await bench.drain('b')).length, 3);
  t.equal(bench.held, 0);
  await bench.stop();
});

void test('what nobody has got yet goes back to a source that keeps it, and what one destination has got does not', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'], maxDiskBytes: 16 * MIB });
  await bench.start();
  for (const name of range(1, 4)) bench.add(name, 'push_back');
  await bench.drain('b', 2);
  t.same(await bench.stop(), ['pipe 1 true', 'pipe 1 true']);
  t.same(bench.outcomes, ['1 delivered', '2 delivered', '3 failed', '4 failed']);
  await bench.start();
  t.same(await bench.drain('a'), ['1', '2']);
  t.same(await bench.drain('b'), []);
  t.equal(bench.held, 0);
  await bench.stop();
});

void test('with durability always, what has been there for a commit interval outlives the process and the machine', async (t) => {
  for (const what of ['process', 'machine'] as const) {
    const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, durability: 'always' });
    await bench.start();
    const before = bench.add('1');
    bench.add('2');
    await bench.clock.run(100);
    t.same(bench.outcomes, ['1 delivered', '2 delivered'], 'the source is told when the disk has it');
    bench.add('3');
    bench.crash(what);
    t.same([...(await bench.start())], [['pipe', 2]]);
    t.not(bench.add('4').epoch, before.epoch, 'an epoch of its own, since numbers may have been given that nobody knows of');
    t.same(await bench.drain('a'), ['1', '2', '4'], what);
    await bench.stop();
  }
});

void test('with durability always, what is delivered within the commit interval is never written', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, durability: 'always' });
  await bench.start();
  bench.add('1');
  await bench.drain('a');
  await bench.clock.run(1000);
  t.equal(bench.metrics.value('sluice_spool_written_bytes_total'), 0);
  await bench.stop();
});

void test('a new destination gets all that is held, and one that is gone is forgotten', async (t) => {
  const before = new SpoolBench({ destinations: ['a', 'b'], maxDiskBytes: 16 * MIB });
  await before.start();
  for (const name of range(1, 3)) before.add(name);
  await before.drain('a', 2);
  await before.stop();
  const after = new SpoolBench({ destinations: ['b', 'c'], maxDiskBytes: 16 * MIB, disk: before.disk });
  await after.start();
  t.same(await after.drain('c'), range(1, 3));
  t.same(await after.drain('b'), range(1, 3));
  t.match(after.log.lines, [{ level: 'warn', fields: { destinations: ['a'] } }]);
  await after.stop();
});

void test('after a crash, what was there at a mark is told from what came later, and is not delivered again where it was', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, durability: 'always' });
  await bench.start();
  bench.add('delivered', 'drop_oldest', 1);
  bench.add('held', 'drop_oldest', 20);
  await bench.clock.run(100);
  await bench.drain('a', 1);
  const mark = bench.spool.mark();
  bench.add('newer', 'drop_oldest', 300);
  await bench.clock.run(100);
  bench.crash();
  t.same([...(await bench.startAt(mark))], [['pipe', { known: 20, newer: 300 }]]);
  t.same(await bench.drain('a'), ['held', 'newer']);
  await bench.stop();
});

void test('a mark of another spool says nothing', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, durability: 'always' });
  await bench.start();
  bench.add('1', 'drop_oldest', 20);
  await bench.clock.run(100);
  bench.crash();
  const far = { id: 'another', nextPosition: 1e6, cursors: { a: { drop_oldest: 1e6 } } };
  t.same([...(await bench.startAt(far))], [['pipe', { known: 20, newer: 0 }]]);
  t.same(await bench.drain('a'), ['1']);
  await bench.stop();
});

void test('what is flushed outlives the process, and is delivered all the same', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'], maxDiskBytes: 16 * MIB });
  await bench.start();
  bench.add('1');
  bench.add('2', 'push_back');
  await bench.drain('b');
  bench.add('3', 'push_back');
  bench.spool.flush();
  await bench.clock.run(100);
  t.same((await bench.drain('a', 1)).length, 1);
  bench.crash();
  await bench.start();
  t.same((await bench.drain('a')).toSorted(), ['1', '2'], 'but for what nobody has and its source keeps');
  await bench.stop();
});

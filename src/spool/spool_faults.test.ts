import { test } from 'tap';
import { DIRECTORY, range, SpoolBench } from './testdata/spool_bench.ts';

const MIB = 1024 * 1024;

void test('a full disk makes the oldest give way where the receiver says so', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 400, maxDiskBytes: 4 * MIB });
  await bench.start();
  const big = 2000; // records a batch
  for (const name of range(1, 200)) {
    bench.add(name, 'drop_oldest', big);
    await bench.clock.run(1);
  }
  const { dropped } = bench.counts;
  t.ok(dropped > 0 && dropped % big === 0);
  t.equal(dropped + bench.held, 200 * big);
  t.ok(bench.held > 0);
  const left = await bench.drain('a');
  t.same(left, range(201 - left.length, 200), 'the newest are there, without a hole');
  t.equal(bench.counts.delivered + bench.counts.dropped, 200 * big);
  await bench.stop();
});

void test('a disk that refuses costs nothing while memory lasts, then what the rule says, and is taken again', async (t) => {
  for (const code of ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT']) {
    const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB });
    await bench.start();
    bench.disk.failWith(code);
    for (const name of range(1, 20)) {
      bench.add(name);
      await bench.clock.run(10);
    }
    t.equal(bench.metrics.value('sluice_spool_disk_failing'), 1, code);
    t.equal(bench.counts.dropped, 10, code);
    bench.disk.failWith(undefined);
    await bench.clock.run(60_000);
    t.equal(bench.metrics.value('sluice_spool_disk_failing'), 0, code);
    for (const name of range(21, 40)) {
      bench.add(name);
      await bench.clock.run(10);
    }
    t.equal(bench.counts.dropped, 10, `${code}: nothing more is dropped`);
    t.same(await bench.drain('a'), range(11, 40), code);
    t.same(await bench.stop(), []);
  }
});

void test('batches that cannot be read for a while are read later', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  for (const name of range(1, 50)) {
    bench.add(name);
    await bench.clock.run(1);
  }
  bench.disk.failWith('EIO');
  bench.cursor('a').next();
  await bench.clock.run(200);
  bench.disk.failWith(undefined);
  bench.cursor('a').rewind();
  t.same(await bench.drain('a'), range(1, 50));
  await bench.stop();
});

void test('a damaged batch costs itself, by name, and those behind it are delivered', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB });
  await bench.start();
  for (const name of range(1, 10)) bench.add(name, 'drop_oldest', 100);
  await bench.stop();
  bench.disk.corrupt((path) => path.endsWith('.segment'));
  const recovered = [...(await bench.start()).values()].reduce((sum, records) => sum + records, 0);
  const delivered = await bench.drain('a');
  t.ok(delivered.length >= 9, `${delivered.length} of 10`);
  await bench.clock.run(2000);
  bench.add('more');
  await bench.drain('a');
  await bench.clock.run(2000);
  t.equal(bench.counts.delivered + bench.counts.dropped + bench.held, recovered + 1);
  await bench.stop();
});

void test('what is settled while it is on its way to the disk is delivered, and nothing else', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, durability: 'always' });
  await bench.start();
  bench.disk.latencyMs = (operation, path) => (operation === 'write' && path.endsWith('.segment') ? 5000 : 0);
  bench.add('1', 'drop_oldest', 3);
  await bench.clock.run(100);
  await bench.drain('a');
  await bench.clock.run(3000); // in which the spool tidies up
  t.equal(bench.held, 3, 'it is not known yet whether the disk has it');
  await bench.clock.run(3000);
  t.same(bench.counts, { delivered: 3, deadLettered: 0, dropped: 0 });
  t.equal(bench.held, 0);
  bench.disk.latencyMs = () => 0;
  await bench.stop();
});

void test('a stop while it is tidied up leaves no timer', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB });
  await bench.start();
  bench.add('1');
  await bench.stop();
  await bench.start();
  bench.disk.latencyMs = () => 300;
  await bench.clock.run(1100);
  await bench.stop();
  await bench.clock.run(5000);
  t.equal(bench.clock.pendingTimers, 0);
});

void test('a last batch that is damaged is counted, though nobody can tell it from one that was not written to its end', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, random: () => 0.95 });
  await bench.start();
  bench.add('1', 'drop_oldest', 100);
  bench.add('2', 'drop_oldest', 100);
  await bench.stop();
  bench.disk.corrupt((path) => path.endsWith('.segment'));
  t.same([...(await bench.start())], [['pipe', 200]]);
  t.same(await bench.drain('a'), ['1']);
  await bench.clock.run(2000);
  t.same(bench.counts, { delivered: 100, deadLettered: 0, dropped: 100 });
  t.same(bench.reasons, ['damaged']);
  t.equal(bench.held, 0);
  await bench.stop();
});

void test('a lane that the disk has no room for does not keep another one from giving up its oldest', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 800, maxDiskBytes: 2 * MIB });
  await bench.start();
  for (const name of range(1, 60)) {
    if (bench.spool.whenRoom('block') === undefined) bench.add(`blocking ${name}`, 'block', 500);
    bench.add(name, 'drop_oldest', 500);
    await bench.clock.run(300);
  }
  const left = (await bench.drain('a')).filter((name) => !name.startsWith('blocking'));
  t.same(left, range(61 - left.length, 60), 'the newest are there, without a hole');
  t.ok(left.length > 5);
  await bench.stop();
});

void test('a start on a full disk is possible, and gives no id twice', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB });
  await bench.start();
  const first = bench.add('1');
  await bench.stop();
  bench.disk.fault = (operation) => (operation === 'create' || operation === 'write' ? 'ENOSPC' : undefined);
  await bench.start();
  t.not(bench.add('2').epoch, first.epoch);
  bench.crash();
  bench.disk.failWith(undefined);
  await bench.start();
  t.equal(bench.add('3').epoch, first.epoch, 'what the first run left behind in good order');
  t.same(await bench.drain('a'), ['1', '3']);
  await bench.stop();
});

void test('a stop does not wait for ever for a disk that hangs', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB });
  await bench.start();
  bench.add('1', 'drop_oldest', 3);
  bench.disk.latencyMs = () => 1e9;
  t.same(await bench.stop(), ['pipe 3 false']);
  t.match(bench.log.lines.at(-1), { level: 'error', message: /has not taken everything in time/ });
});

void test('a directory that is taken away is made anew, and what was in it is counted as lost', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, durability: 'always' });
  await bench.start();
  bench.add('gone', 'drop_oldest', 20);
  await bench.clock.run(100);
  bench.disk.removeDirectory(DIRECTORY);
  bench.add('1', 'drop_oldest', 300);
  await bench.clock.run(2000);
  bench.add('2', 'drop_oldest', 300);
  await bench.clock.run(5000);
  t.same(await bench.stop(), []);
  await bench.start();
  t.ok((await bench.drain('a')).includes('2'));
  await bench.stop();
});

void test('what is in memory as well is not given up with its segment', async (t) => {
  const bench = new SpoolBench({ maxDiskBytes: 16 * MIB, durability: 'always' });
  await bench.start();
  bench.add('1');
  await bench.clock.run(1500);
  bench.disk.failWith('ENOSPC');
  bench.add('2');
  await bench.clock.run(60);
  t.same(await bench.drain('a'), ['1', '2']);
  t.same(bench.counts, { delivered: 2, deadLettered: 0, dropped: 0 });
  bench.disk.failWith(undefined);
  await bench.stop();
});

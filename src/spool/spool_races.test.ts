/** What happens at the same time: reading, settling, writing, dropping and stopping, each between two steps of the other. */
import { test } from 'tap';
import { makeBatch } from '../../test/helpers/batches.ts';
import type { Refusal } from '../core/component.ts';
import { SpoolBench } from './testdata/spool_bench.ts';

const MIB = 1024 * 1024;
const REFUSED: Refusal = { reason: 'refused', detail: 'malformed', attempts: 1 };

function range(from: number, through: number): string[] {
  return Array.from({ length: through - from + 1 }, (_, index) => `${from + index}`);
}

/** Fills memory until batches are on disk only. */
async function spill(bench: SpoolBench, names: readonly string[], records = 1): Promise<void> {
  for (const name of names) {
    bench.add(name, 'drop_oldest', records);
    await bench.clock.run(1);
  }
}

void test('a batch that is larger than what is fetched ahead comes from the disk once', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 2500, maxDiskBytes: 256 * MIB });
  await bench.start();
  for (const name of range(1, 4)) {
    bench.spool.append(makeBatch([name.padEnd(5 * MIB, '.')], { receiver: 'pipe' }), 'drop_oldest');
    await bench.spool.whenRoom('block');
    await bench.clock.run(100);
  }
  t.same(await bench.drain('a'), range(1, 4));
  t.equal(bench.counts.delivered, 4);
  t.equal(bench.held, 0);
  await bench.stop();
});

void test('a batch that was the last on disk when it was fetched comes once, though more has gone there since', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  await spill(bench, range(1, 20));
  const cursor = bench.cursor('a');
  const names: string[] = [];
  cursor.next();
  await bench.clock.run(10); // all that is on disk is fetched
  await spill(bench, range(21, 60));
  names.push(...(await bench.drain('a')));
  t.same(names, range(1, 60));
  t.equal(bench.counts.delivered, 60);
  await bench.stop();
});

void test('a receiver that waits for room goes on as soon as the disk has made some', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  bench.disk.latencyMs = (operation) => (operation === 'sync' ? 20 : 0);
  while (bench.spool.whenRoom('block') === undefined) bench.add('1', 'block');
  const before = bench.clock.monotonicMs();
  let wokenMs = 0;
  void bench.spool.whenRoom('block')?.then(() => (wokenMs = bench.clock.monotonicMs() - before));
  await bench.clock.run(3000);
  t.ok(wokenMs > 0 && wokenMs < 200, `${wokenMs} ms`);
  await bench.stop();
});

void test('a source that waits goes on as soon as one destination has taken what it sent and the disk has it for the other', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'], batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  while (bench.spool.whenRoom('push_back') === undefined) bench.add('1', 'push_back');
  const before = bench.clock.monotonicMs();
  let wokenMs = -1;
  void bench.spool.whenRoom('push_back')?.then(() => (wokenMs = bench.clock.monotonicMs() - before));
  await bench.drain('a');
  await bench.clock.run(3000);
  t.ok(wokenMs >= 0 && wokenMs < 100, `${wokenMs} ms`);
  await bench.stop();
});

void test('a batch that is delivered, and of which a dead letter is still being written, is not dropped', async (t) => {
  const put = Promise.withResolvers<void>();
  const bench = new SpoolBench({ batchesThatFit: 2, deadLetters: { put: () => put.promise } });
  bench.add('1', 'drop_oldest', 2);
  const cursor = bench.cursor('a');
  const delivery = cursor.next()!; // a batch was added above
  cursor.refused(delivery, [0], REFUSED);
  cursor.deliveredThrough(delivery.position);
  ['2', '3', '4'].forEach((name) => bench.add(name));
  t.ok(bench.spool.held().every(({ spooled, inFlight }) => spooled >= 0 && inFlight >= 0));
  put.resolve();
  await bench.clock.settle();
  t.match(bench.counts, { delivered: 1, deadLettered: 1 });
  t.ok(bench.outcomes.includes('1 rejected'));
});

void test('a crash long after all was delivered makes nothing be sent again', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  await spill(bench, range(1, 50));
  await bench.drain('a');
  await bench.clock.run(60_000);
  bench.crash('machine');
  t.same([...(await bench.start())], []);
  t.same(await bench.drain('a'), []);
  await bench.stop();
});

void test('what is given up is not read any more while its file is being removed', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 400, maxDiskBytes: 4 * MIB });
  await bench.start();
  const disk = { isRemoving: false };
  bench.disk.latencyMs = (operation, path) => {
    if (operation !== 'remove' || !path.endsWith('.segment')) return 0;
    disk.isRemoving = true;
    return 50;
  };
  let added = 0;
  for (; !disk.isRemoving && added < 2_000_000; added += 2000) await spill(bench, [`${added}`], 2000);
  const cursor = bench.cursor('a');
  cursor.next();
  await bench.clock.run(20);
  const early = cursor.next();
  await bench.clock.run(1000);
  if (early === undefined) await bench.drain('a', 1);
  else cursor.deliveredThrough(early.position);
  await bench.clock.run(3000);
  t.ok(bench.counts.dropped > 0);
  t.equal(bench.counts.delivered + bench.counts.dropped + bench.held, added);
  await bench.drain('a');
  await bench.clock.run(3000);
  t.equal(bench.counts.delivered + bench.counts.dropped, added);
  t.equal(bench.held, 0);
  await bench.stop();
});

void test('a destination that starts again does not disturb another one that waits for what it was reading', async (t) => {
  const bench = new SpoolBench({ destinations: ['a', 'b'], batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  await spill(bench, range(1, 50));
  bench.disk.latencyMs = (operation) => (operation === 'read' ? 20 : 0);
  const [a, b] = [bench.cursor('a'), bench.cursor('b')];
  a.next();
  b.next();
  await bench.clock.run(10);
  a.rewind();
  await bench.clock.run(1000);
  t.equal(bench.metrics.value('sluice_spool_disk_errors_total'), 0);
  t.same(await bench.drain('b'), range(1, 50));
  t.same(await bench.drain('a'), range(1, 50));
  await bench.stop();
});

void test('nothing is read any more once the spool has stopped', async (t) => {
  const bench = new SpoolBench({ batchesThatFit: 10, maxDiskBytes: 16 * MIB });
  await bench.start();
  await spill(bench, range(1, 50));
  bench.disk.latencyMs = (operation) => (operation === 'read' ? 500 : 0);
  bench.cursor('a').next();
  await bench.clock.run(10);
  await bench.stop();
  let reads = 0;
  bench.disk.latencyMs = (operation) => (operation === 'read' ? (reads += 1) : 0);
  await bench.clock.run(5000);
  t.equal(reads, 0);
  t.equal(bench.clock.pendingTimers, 0);
});

void test('while dead letters cannot be written, no more is read than a bounded part', async (t) => {
  const put = Promise.withResolvers<void>();
  const bench = new SpoolBench({ batchesThatFit: 1000, maxDiskBytes: 256 * MIB, deadLetters: { put: () => put.promise } });
  await bench.start();
  for (const name of range(1, 40)) {
    bench.spool.append(makeBatch([name.padEnd(MIB, '.')], { receiver: 'pipe' }), 'drop_oldest');
    await bench.spool.whenRoom('block');
    await bench.clock.run(100);
  }
  const cursor = bench.cursor('a');
  let readable = 0;
  cursor.onReadable(() => (readable += 1));
  let read = 0;
  for (let waits = 0; waits < 100; waits++) {
    for (let delivery = cursor.next(); delivery !== undefined; delivery = cursor.next()) {
      if (read++ === 0) cursor.refused(delivery, [0], REFUSED);
      cursor.deliveredThrough(delivery.position);
    }
    await bench.clock.run(10);
  }
  t.ok(read > 1 && read < 20, `${read} batches of 1 MiB`);
  const before = readable;
  put.resolve();
  await bench.clock.settle();
  t.ok(readable > before, 'the exporter is told to go on');
  await bench.drain('a');
  t.match(bench.counts, { delivered: 39, deadLettered: 1 });
  await bench.stop();
});

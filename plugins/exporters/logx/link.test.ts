import { test } from 'tap';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { MemorySpool } from '../../../test/helpers/memory_spool.ts';
import { LineCache } from './line_cache.ts';
import { Link } from './link.ts';
import { Outbox } from './outbox.ts';
import { FakeNetwork } from './testdata/fake_network.ts';
import { FakeReceiver, type FakeScript } from './testdata/fake_receiver.ts';
import { LogxBench } from './testdata/logx_bench.ts';

const SMALL_FRAMES: Partial<FakeScript> = { onHello: (connection) => connection.hello({ maxFrameBytes: 65_536 }) };

const LONGER = 'longer than the 65536 bytes that fake takes in a frame';

/** One destination and nowhere else to go. */
async function start(script: Partial<FakeScript> = {}, options = {}, destination = {}): Promise<LogxBench> {
  const bench = new LogxBench({ names: ['log-a'], scripts: { 'log-a': script }, options, destination });
  await bench.exporter.start();
  await bench.run(0);
  return bench;
}

function big(name: string, bytes: number): string {
  return name.padEnd(bytes, '.');
}

void test('a batch that is larger than the receiver takes goes in several frames and is settled with the last one', async (t) => {
  const bench = await start({
    ...SMALL_FRAMES,
    onBatch: (connection, batch) => {
      connection.receiver.stored.push(...batch.lines);
      if (connection.batches.length < 3) connection.send({ type: 'ack', id: batch.id });
    },
  });
  const bodies = Array.from({ length: 150 }, (_, index) => big(`${index}`, 1000));
  bench.pushBodies(bodies);
  await bench.run(0);
  const [connection] = bench.receiver('log-a').open;
  t.same(
    connection?.batches.map(({ id }) => id),
    [1, 2, 3],
  );
  t.same(bench.receiver('log-a').messages, bodies);
  t.notOk(bench.isDrained);
  connection?.send({ type: 'ack', id: 3 });
  await bench.run(0);
  t.ok(bench.isDrained);
  await bench.stop();
});

void test('a record that no frame can hold is refused alone, and the records around it are delivered', async (t) => {
  const bench = await start(SMALL_FRAMES);
  bench.push(1);
  bench.pushBodies(['before', big('huge', 70_000), 'after']);
  bench.pushBodies([big('huge', 70_000)]);
  bench.push(1);
  await bench.run(0);
  t.same(bench.receiver('log-a').messages, ['record 0', 'before', 'after', 'record 1']);
  t.same(bench.context.cursors[0]?.refusals, [
    { position: 1, records: [1], reason: 'too_large', detail: LONGER, attempts: 0 },
    { position: 2, records: [0], reason: 'too_large', detail: LONGER, attempts: 0 },
  ]);
  t.same(bench.context.cursors[0]?.settled, [0, 1, 2, 3]);
  t.equal(bench.counted('refused_records_total', { destination: 'log-a', reason: 'too_large' }), 2);
  t.equal(bench.counted('delivered_records_total', { destination: 'log-a', route: 'direct' }), 4);
  await bench.stop();
});

void test('a record that is too large is settled in its turn, not before what waits for an ack', async (t) => {
  const bench = await start({ ...SMALL_FRAMES, onBatch: () => {} });
  bench.push(1);
  bench.pushBodies([big('huge', 70_000)]);
  await bench.run(0);
  t.same(bench.context.cursors[0]?.settled, []);
  bench.receiver('log-a').open[0]?.send({ type: 'ack', id: 1 });
  await bench.run(0);
  t.same(bench.context.cursors[0]?.settled, [0, 1]);
  await bench.stop();
});

void test('what is refused counts when its batch is settled, for each reason, and not where the batch is sent anew', async (t) => {
  let isGone = false;
  const bench = await start({
    onBatch: (connection, { id }) => {
      connection.send({ type: 'refused', id, records: [0, 2], reason: 'malformed' });
      connection.send({ type: 'refused', id, records: [1], reason: 'not UTF-8' });
      if (isGone) connection.send({ type: 'ack', id });
      else connection.stream.destroy();
      isGone = true;
    },
  });
  bench.push(4);
  await bench.run(1000);
  t.same(bench.context.cursors[0]?.refusals, [
    { position: 0, records: [0, 2], reason: 'refused', detail: 'malformed', attempts: 2 },
    { position: 0, records: [1], reason: 'refused', detail: 'not UTF-8', attempts: 2 },
  ]);
  t.equal(bench.counted('refused_records_total', { destination: 'log-a', reason: 'refused' }), 3);
  t.equal(bench.counted('delivered_records_total', { destination: 'log-a', route: 'direct' }), 1);
  await bench.stop();
});

void test('no more is sent than may wait for acks', async (t) => {
  const bench = await start({ onBatch: () => {} }, { max_unacked_bytes: '64KiB', ack_timeout: '10m' });
  for (let batch = 0; batch < 20; batch++) bench.pushBodies([big('x', 10_000)]);
  await bench.run(100);
  t.equal(bench.receiver('log-a').open[0]?.batches.length, 7);
  t.ok(bench.counted('unacked_bytes', { destination: 'log-a' }) < 80_000);
  bench.receiver('log-a').open[0]?.send({ type: 'ack', id: 2 });
  await bench.run(0);
  t.equal(bench.receiver('log-a').open[0]?.batches.length, 9);
  await bench.stop();
});

void test('in plain mode lines go out without a hello, and are delivered when the connection has taken them', async (t) => {
  const bench = await start({ isPlain: true }, {}, { acknowledged: false });
  bench.push(3);
  await bench.run(0);
  t.same(bench.receiver('log-a').messages, bench.pushed);
  t.ok(bench.isDrained);
  bench.set('log-a', 'frozen');
  for (let batch = 0; batch < 50; batch++) bench.pushBodies([big('x', 10_000)]);
  await bench.run(1000);
  t.notOk(bench.isDrained, 'a connection that takes nothing more is noticed');
  await bench.run(2000);
  t.notOk(bench.exporter.readiness().ready);
  bench.set('log-a', 'up');
  await bench.until(() => bench.isDrained, 10_000);
  await bench.stop();
});

void test('a link that is closed lets go of the lines that it held, and gives their batches back', async (t) => {
  const clock = new VirtualClock();
  const network = new FakeNetwork();
  const receiver = new FakeReceiver({ onBatch: () => {} });
  const address = { host: '127.0.0.1', port: 6514 };
  network.add('127.0.0.1:6514', receiver);
  const spool = new MemorySpool(['log-a']);
  const [cursor] = spool.cursors;
  if (cursor === undefined) throw new Error('one cursor was asked for');
  const cache = new LineCache();
  let unsettled = 0;
  const link = new Link({
    endpoint: { name: 'log-a', address, acknowledged: true, compression: undefined, tls: undefined },
    mark: undefined,
    outbox: new Outbox({
      cursor,
      cache,
      maxAttempts: Infinity,
      random: () => 0,
      events: { refused: () => {}, isolating: () => {} },
    }),
    maxUnackedBytes: 1000,
    ackTimeoutMs: 2000,
    setup: { dial: network.dial, clock, hostName: 'web-1', boot: undefined, timeoutMs: 2000 },
    events: {
      changed: () => {},
      uncompressed: () => {},
      acked: () => {},
      closed: ({ unsettledFrames }) => (unsettled = unsettledFrames),
    },
  });
  for (const body of ['one', 'two']) spool.push(makeBatch([body], { epoch: 'e' }));
  await clock.settle();
  t.equal(cache.size, 2);
  link.close('for the test');
  t.equal(cache.size, 0);
  t.equal(unsettled, 2);
  t.ok(cursor.hasNext);
  link.pump();
  t.ok(cursor.hasNext, 'it sends nothing any more');
});

import { type Test, test } from 'tap';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { EncodedLines } from './encoded_lines.ts';
import { LineCache } from './line_cache.ts';
import { parcelsOf } from './parcels.ts';
import type { FakeBatch, FakeHello, FakeScript } from './testdata/fake_receiver.ts';
import { LogxBench } from './testdata/logx_bench.ts';

const ZSTD: FakeHello = { compression: ['lz77', 'zstd'] };
const BODIES = Array.from({ length: 100 }, (_, index) => `GET /index.html HTTP/1.1 200 in ${100 + index} ms`);
const NONE = { receiver: 'fake', maxFrameBytes: Infinity, compression: undefined };
const TERMS = { ...NONE, compression: 'zstd' } as const;

interface Seen {
  readonly bench: LogxBench;
  /** What each receiver got, by its name. */
  readonly batches: Readonly<Record<string, FakeBatch[]>>;
}

/** Agents that compress, and receivers that offer what their hellos say. */
async function start(t: Test, hellos: Readonly<Record<string, FakeHello>>, compression = 'zstd'): Promise<Seen> {
  const batches: Record<string, FakeBatch[]> = {};
  const scripts: Record<string, Partial<FakeScript>> = {};
  for (const [name, hello] of Object.entries(hellos)) {
    const seen: FakeBatch[] = (batches[name] = []);
    scripts[name] = {
      onHello: (connection) => connection.hello(hello),
      onBatch: (connection, batch) => {
        seen.push(batch);
        connection.storeAndAck(batch);
      },
    };
  }
  const bench = new LogxBench({ names: Object.keys(hellos), scripts, destination: { compression } });
  t.teardown(() => bench.stop());
  await bench.exporter.start();
  await bench.run(0);
  return { bench, batches };
}

function bytesOf({ lines }: FakeBatch): number {
  return lines.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0);
}

void test('batches are compressed where it is asked for and offered, and what was sent is counted', async (t) => {
  const { bench, batches } = await start(t, { 'log-a': ZSTD, 'log-b': {} });
  bench.pushBodies(BODIES);
  await bench.run(0);
  const [[compressed] = [], [plain] = []] = [batches['log-a'], batches['log-b']];
  if (compressed === undefined || plain === undefined) throw new Error('each receiver should have got one batch');
  t.same(bench.receiver('log-a').messages, BODIES);
  t.same(bench.receiver('log-b').messages, BODIES);
  t.ok(compressed.payloadBytes < bytesOf(plain) / 5, `${compressed.payloadBytes} bytes instead of ${bytesOf(plain)}`);
  t.equal(plain.payloadBytes, bytesOf(plain));
  for (const [destination, sent] of [
    ['log-a', compressed.payloadBytes],
    ['log-b', plain.payloadBytes],
  ] as const) {
    // prettier-ignore
    const labels = { destination, route: 'direct' };
    t.equal(bench.counted('delivered_bytes_total', labels), sent);
    t.equal(bench.counted('delivered_line_bytes_total', labels), bytesOf(plain));
  }
});

void test('a receiver that does not offer the compression that is asked for is told of once, and one that does is not', async (t) => {
  const { bench } = await start(t, { 'log-a': ZSTD, 'log-b': { compression: ['lz77'] } });
  bench.receiver('log-b').dropAll();
  await bench.run(1000);
  t.equal(bench.receiver('log-b').connections, 2);
  t.same(
    bench.context.log.lines.filter(({ message }) => /does not offer/.test(message)).map(({ fields }) => fields),
    [{ destination: 'log-b', endpoint: '127.0.0.1:6515', compression: 'zstd' }],
  );
});

void test('nothing is compressed where it is not asked for', async (t) => {
  const { bench, batches } = await start(t, { 'log-a': ZSTD }, 'none');
  bench.pushBodies(BODIES);
  await bench.run(0);
  for (const batch of batches['log-a'] ?? []) t.equal(batch.payloadBytes, bytesOf(batch));
  t.same(bench.context.log.lines, []);
});

void test('a batch is divided by the size of its lines, each part compressed for itself', async (t) => {
  const { bench, batches } = await start(t, { 'log-a': { ...ZSTD, maxFrameBytes: 65_536 } });
  const bodies = Array.from({ length: 150 }, (_, index) => `${index}`.padEnd(1000, '.'));
  bench.pushBodies(bodies);
  await bench.run(0);
  t.same(bench.receiver('log-a').messages, bodies);
  t.equal(batches['log-a']?.length, 3);
  for (const batch of batches['log-a'] ?? []) {
    t.ok(bytesOf(batch) <= 65_536);
    t.ok(batch.payloadBytes < bytesOf(batch));
  }
});

void test('what is sent again over another connection is compressed like the first time', async (t) => {
  const { bench, batches } = await start(t, { 'log-a': ZSTD });
  const { script } = bench.receiver('log-a');
  const store = script.onBatch;
  script.onBatch = (connection, batch) => {
    script.onBatch = store;
    batches['log-a']?.push(batch);
    connection.stream.destroy();
  };
  bench.pushBodies(BODIES);
  await bench.until(() => bench.isDrained, 5000);
  const [first, second] = batches['log-a'] ?? [];
  t.same(second, first);
  t.ok((second?.payloadBytes ?? Infinity) < 2000);
});

void test('lines are compressed once for all who hold them, and only when they are asked for', (t) => {
  const cache = new LineCache();
  const delivery = { position: 1, batch: makeBatch(BODIES, { epoch: 'e' }) };
  const all = { first: 0, count: BODIES.length };
  const [ours, theirs] = [cache.acquire(delivery, undefined), cache.acquire(delivery, undefined)];
  const [plain] = parcelsOf(delivery, ours, all, 1, NONE);
  const [first] = parcelsOf(delivery, ours, all, 1, TERMS);
  const [second] = parcelsOf(delivery, theirs, all, 1, TERMS);
  const [marked] = parcelsOf(delivery, cache.acquire(delivery, 'log-a'), all, 1, TERMS);
  t.equal(plain?.compressed, undefined);
  t.ok(first?.compressed);
  t.equal(second?.compressed, first?.compressed, 'the same bytes, not the same again');
  t.not(marked?.compressed, first?.compressed);
  const halves = [10, 55].map((first) => parcelsOf(delivery, theirs, { first, count: 45 }, 1, TERMS)[0]?.compressed);
  t.not(halves[0], halves[1]);
  t.equal(parcelsOf(delivery, ours, { first: 55, count: 45 }, 1, TERMS)[0]?.compressed, halves[1]);
  t.end();
});

void test('what would save little is sent as it is', (t) => {
  const lines = new EncodedLines(Buffer.from('x'.repeat(1023)));
  t.equal(lines.compress(lines.bytes), undefined);
  const longer = new EncodedLines(Buffer.from('x'.repeat(1024)));
  t.ok(longer.compress(longer.bytes));
  t.end();
});

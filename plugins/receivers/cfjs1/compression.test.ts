import { zstdCompressSync } from 'node:zlib';
import { test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { compressPayload } from '../../../src/kit/compression.ts';
import { encodeBatchHead } from '../../../src/kit/frames.ts';
import { encodeFrame } from './testdata/fake_agent.ts';
import { lineOf, messageOf } from './testdata/lines.ts';
import { Wire } from './testdata/wire.ts';

const line = `${lineOf('x')}\n`;

void test('a compressed batch is taken like any other', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  t.match(agent.greeting, '"compression":["zstd"]');
  const lines = Buffer.from(Array.from({ length: 1000 }, (_, index) => `${lineOf(`message ${index}`)}\n`).join(''));
  const payload = compressPayload(lines) ?? Buffer.alloc(0);
  const message = { type: 'batch', id: 1, count: 1000, compression: 'zstd', size: lines.length } as const;
  agent.stream.write(Buffer.concat([encodeBatchHead(message, payload.length), payload]));
  await wire.settle();
  t.equal(wire.context.records.length, 1000);
  t.equal(messageOf(wire.context.bodies[999] ?? ''), 'message 999');
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.same(agent.acks, [1]);
});

void test('compression may be turned off, and is not offered then', async (t) => {
  const wire = new Wire({ compression: [] });
  const { agent } = await wire.greet();
  t.match(agent.greeting, '"compression":[]');
  agent.stream.write(encodeFrame({ type: 'batch', id: 1, count: 1, compression: 'zstd', size: 40 }, zstdCompressSync(line)));
  await wire.settle();
  t.match(agent.received, [{ type: 'error', reason: 'the peer sent a compression that it was not offered' }]);
});

const violations: readonly (readonly [
  what: string,
  header: Readonly<Record<string, unknown>>,
  reason: RegExp,
  lines?: string,
])[] = [
  ['another compression', { compression: 'gzip' }, /compression that it was not offered/],
  ['a compression that is no name', { compression: null }, /compression that it was not offered/],
  ['no size', { size: undefined }, /compressed batch without a size/],
  ['a size of nothing', { size: 0 }, /compressed batch without a size/],
  ['a size that is no size', { size: '40' }, /compressed batch without a size/],
  ['a size that is larger than a frame may be', { size: 65_537 }, /without a size from 1 to 65536/],
  ['more than it says', { size: line.length - 1 }, /holds more than \d+ bytes/],
  ['less than it says', { size: line.length + 1 }, /of \d+ bytes instead of \d+/],
  ['a bomb', { size: 60_000 }, /claims to hold 60000/, ' '.repeat(60_000)],
  ['more lines than there may be in what comes out', { count: 4 }, /4 lines in \d+ bytes/],
  ['a last line without its end', { size: line.length - 1 }, /last line does not end/, line.trimEnd()],
];

for (const [what, header, reason, lines = line] of violations) {
  void test(`an agent that compresses and sends ${what} is told why and is closed`, async (t) => {
    const wire = new Wire({ max_frame_bytes: '64KiB' });
    const { agent } = await wire.greet();
    const good = { type: 'batch', id: 1, count: 1, compression: 'zstd', size: line.length };
    agent.stream.write(encodeFrame({ ...good, ...header }, zstdCompressSync(lines)));
    await wire.settle();
    t.match(agent.received, [{ type: 'error', reason }]);
    t.equal(agent.received.length, 1);
    t.ok(agent.isClosed);
    t.same(wire.context.emitted, []);
  });
}

void test('an agent that says that a batch is compressed and sends it as it is is told why and is closed', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  const size = line.length;
  agent.stream.write(encodeFrame({ type: 'batch', id: 1, count: 1, compression: 'zstd', size }, Buffer.from(line)));
  await wire.settle();
  t.match(agent.received, [{ type: 'error', reason: /not Zstandard/ }]);
});

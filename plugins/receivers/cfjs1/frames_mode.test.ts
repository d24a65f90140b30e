import fc from 'fast-check';
import { test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { encodeMessage } from '../../../src/kit/frames.ts';
import { encodeBatch, type FakeAgent, HELLO } from './testdata/fake_agent.ts';
import { lineOf, messageOf } from './testdata/lines.ts';
import { Wire } from './testdata/wire.ts';

void test('a batch is acked once all of its parts have settled, and not before', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.send([lineOf('one', 'a'), lineOf('two', 'b')]);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one', 'two']);
  const [first, second] = wire.context.emitted;
  first?.batch.settle(DELIVERED);
  await wire.settle();
  t.same(agent.acks, []);
  second?.batch.settle({ kind: 'rejected', reason: 'too_large' });
  await wire.settle();
  t.same(agent.acks, [1]);
});

void test('acks go over what has settled without a gap, and are sent once for all that settles together', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  for (const message of ['1', '2', '3', '4']) agent.send([lineOf(message)]);
  await wire.settle();
  const settle = async (index: number) => {
    wire.context.emitted[index]?.batch.settle(DELIVERED);
    await wire.settle();
  };
  await settle(1);
  t.same(agent.acks, []);
  await settle(0);
  t.same(agent.acks, [2]);
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.same(agent.acks, [2, 4]);
});

void test('what was not stored is not acked, nor is what came after it, and the agent is told to move on', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  for (const message of ['1', '2', '3']) agent.send([lineOf(message)]);
  await wire.settle();
  const [first, second, third] = wire.context.emitted;
  first?.batch.settle(DELIVERED);
  second?.batch.settle({ kind: 'failed', reason: 'the agent stopped' });
  third?.batch.settle(DELIVERED);
  await wire.settle();
  t.same(agent.received, [{ type: 'ack', id: 1 }, { type: 'goodbye' }]); // prettier-ignore
  t.ok(agent.isClosed);
});

void test('what is not cfjs1 is refused by its index before the ack, and the records around it are taken', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.send(['x', lineOf('one'), '{}', lineOf('two'), 'y']);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one', 'two']);
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.match(agent.received, [
    { type: 'refused', id: 1, records: [0, 4], reason: 'not a JSON object' },
    { type: 'refused', id: 1, records: [2], reason: /format/ },
    { type: 'ack', id: 1 },
  ]);
  t.equal(agent.received.length, 3);
  t.equal(wire.counted('refused_records_total'), 3);
});

void test('a batch of which nothing is taken is acked at once, in its turn', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.send([lineOf('waits')]);
  agent.send(['x'.repeat(20)]);
  agent.send([]);
  await wire.settle();
  t.same(agent.acks, []);
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.same(agent.acks, [3]);
});

void test('more refused records than one message may name are named in several', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.sendBatch(1, 20_000, `${'x'.repeat(20)}\n`.repeat(20_000));
  await wire.settle();
  const indexes = agent.received.flatMap(({ records }) => (Array.isArray(records) ? records.map(Number) : []));
  t.same(
    indexes,
    Array.from({ length: 20_000 }, (_, index) => index),
  );
  t.same(agent.acks, [1]);
});

void test('lines that are not UTF-8 are refused, and no other', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  const bad = Buffer.concat([Buffer.from('{"format":"app","app":{"m":"'), Buffer.of(0xff), Buffer.from('"}}\n')]);
  agent.sendBatch(1, 2, Buffer.concat([bad, Buffer.from(`${lineOf('grüße 🙂')}\n`)]));
  await wire.settle();
  t.match(agent.received, [{ type: 'refused', records: [0], reason: 'not UTF-8' }]);
  t.same(wire.context.bodies.map(messageOf), ['grüße 🙂']);
});

void test('lines of several formats and destinations become one batch each, with their lines in order', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  const marked = `${lineOf('4', 'a').slice(0, -1)},"destination":"log-b"}`;
  agent.send([lineOf('1', 'a'), lineOf('2', 'b'), lineOf('3', 'a'), marked, lineOf('5', 'b')]);
  await wire.settle();
  t.same(
    wire.context.emitted.map(({ batch, records }) => [
      batch.format,
      batch.destination,
      ...records.map(({ body }) => messageOf(body)),
    ]),
    [
      ['a', undefined, '1', '3'],
      ['b', undefined, '2', '5'],
      ['a', 'log-b', '4'],
    ],
  );
});

void test('a peer cannot make more batches of one than there may be formats', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.send(Array.from({ length: 1000 }, (_, index) => lineOf('x', `f${index}`)));
  await wire.settle();
  t.equal(wire.context.emitted.length, 256);
  t.match(agent.received, [{ type: 'refused', reason: /more than 256 formats/ }]);
  t.equal(Object(agent.received[0]).records.length, 744);
});

void test('frames may come in any pieces, and types of later versions are passed over', async (t) => {
  const wire = new Wire();
  const { agent } = wire.connect();
  const later = encodeMessage({ type: 'goodbye' });
  const stream = Buffer.concat([Buffer.from(HELLO), later, encodeBatch(1, 1, `${lineOf('one')}\n`), encodeBatch(2, 0, '')]);
  for (const byte of stream) agent.stream.write(Buffer.of(byte));
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one']);
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.same(agent.acks, [2]);
});

const line = `${lineOf('x')}\n`;

const violations: readonly (readonly [what: string, send: (agent: FakeAgent) => void, reason: RegExp])[] = [
  ['a count that is too small', (agent) => agent.sendBatch(1, 1, line + line), /batch of 1 lines that has another number/],
  ['a count that is too large', (agent) => agent.sendBatch(1, 3, line + line), /batch of 3 lines that has another number/],
  ['a count that no payload could hold', (agent) => agent.sendBatch(1, 2 ** 31, line), /2147483648 lines in \d+ bytes/],
  ['a count that is no count', (agent) => agent.sendBatch(1, -1, ''), /without an id or a count/],
  ['an id that is no id', (agent) => agent.sendBatch(0.5, 0, ''), /without an id or a count/],
  ['an id that is too large to be exact', (agent) => agent.sendBatch(2 ** 60, 0, ''), /without an id or a count/],
  ['a last line without its end', (agent) => agent.sendBatch(1, 1, lineOf('x')), /last line does not end/],
  [
    'more than a frame may hold',
    (agent) => agent.sendBatch(1, 9000, ' '.repeat(70_000)),
    /payload of 70000 bytes, more than the 65536/,
  ],
  ['another hello', (agent) => agent.hello(), /frame header of/],
  ['an HTTP request', (agent) => agent.stream.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'), /frame header of/],
];

for (const [what, send, reason] of violations) {
  void test(`an agent that sends ${what} is told why and is closed, and nothing of that is emitted`, async (t) => {
    const wire = new Wire({ max_frame_bytes: '64KiB' });
    const { agent } = await wire.greet();
    const { agent: other } = await wire.greet();
    send(agent);
    await wire.settle();
    t.match(agent.received, [{ type: 'error', reason }]);
    t.equal(agent.received.length, 1);
    t.ok(agent.isClosed);
    t.same(wire.context.emitted, []);
    t.equal(wire.counted('refused_connections_total'), 1);
    other.send([lineOf('mine')]);
    await wire.settle();
    t.same(wire.context.bodies.map(messageOf), ['mine']);
    t.equal(wire.clock.pendingTimers, 0);
  });
}

void test('ids must grow even where the earlier batch has been acked', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.sendBatch(7, 1, line);
  await wire.settle();
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  agent.sendBatch(7, 1, line);
  await wire.settle();
  t.match(agent.received, [{ type: 'ack', id: 7 }, { type: 'error', reason: /id does not grow/ }]); // prettier-ignore
  t.equal(wire.context.emitted.length, 1);
});

void test('acks of batches that settle after their connection is gone go nowhere', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.send([lineOf('one')]);
  await wire.settle();
  agent.close();
  await wire.settle();
  t.equal(wire.closed, 1);
  t.doesNotThrow(() => wire.context.settleAll(DELIVERED));
  await wire.settle();
  t.same(agent.received, []);
});

void test('an agent is told of the readiness that it does not know of yet, and of no other', async (t) => {
  const wire = new Wire();
  const away = { ready: false, reason: 'the disk is full' };
  const back = { ready: true, reason: '' };
  const { agent: early, connection: first } = await wire.greet();
  wire.context.pipelineReadiness = away;
  const { agent: late, connection: second } = await wire.greet();
  t.match(late.greeting, '"ready":false,"reason":"the disk is full"');
  wire.context.pipelineReadiness = back;
  for (const connection of [first, second]) connection.tellReadiness(back);
  await wire.settle();
  t.same(early.received, []);
  t.same(late.received, [{ type: 'ready', ...back }]);
  for (const readiness of [away, away, back]) first.tellReadiness(readiness);
  await wire.settle();
  t.same(early.received, [
    { type: 'ready', ...away },
    { type: 'ready', ...back },
  ]);
});

void test('a receiver whose store takes nothing says so in its hello at once, and keeps what comes without an ack', async (t) => {
  const wire = new Wire();
  const away = { ready: false, reason: 'the disk is full' };
  wire.context.pipelineReadiness = away;
  const { agent, connection } = await wire.greet();
  t.match(agent.greeting, '"ready":false,"reason":"the disk is full"');
  t.equal(wire.clock.monotonicMs(), 0);
  agent.send([lineOf('one')]);
  await wire.clock.run(60_000);
  t.same(wire.context.bodies.map(messageOf), ['one']);
  t.same(agent.received, []);
  connection.tellReadiness({ ready: true, reason: '' });
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.same(agent.received, [
    { type: 'ready', ready: true, reason: '' },
    { type: 'ack', id: 1 },
  ]);
});

void test('a peer that sends batches and does not read what it is told of them is not read any further', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.stream.pause();
  const sent = 20_000;
  for (let id = 1; id <= sent; id++) agent.sendBatch(id, 1, 'this is not cfjs1\n');
  await wire.settle();
  const taken = wire.counted('batches_total');
  t.ok(taken > 0 && taken < sent / 2, `${taken} batches were taken`);
  agent.stream.resume();
  while (wire.counted('batches_total') < sent && !agent.isClosed) await wire.settle();
  await wire.settle();
  t.equal(agent.acks.at(-1), sent);
});

void test('whatever bytes follow the hello, the agent is read on, or refused and closed, and others are served', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 5 }), async (chunks) => {
      const wire = new Wire();
      const { agent } = await wire.greet();
      const { agent: other } = await wire.greet();
      for (const chunk of chunks) agent.stream.write(chunk);
      await wire.settle();
      const isRefused = wire.counted('refused_connections_total') === 1;
      if (isRefused !== agent.isClosed) throw new Error('refused and not closed, or closed and not refused');
      if (isRefused && agent.received.at(-1)?.['type'] !== 'error') throw new Error('refused without a word');
      other.send([lineOf('mine')]);
      await wire.settle();
      if (wire.context.bodies.join() !== lineOf('mine')) throw new Error('the other agent was disturbed');
    }),
    { numRuns: 200 },
  );
  t.end();
});

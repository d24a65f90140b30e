import { test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { encodeBatch } from './testdata/fake_agent.ts';
import { lineOf, messageOf } from './testdata/lines.ts';
import { Wire } from './testdata/wire.ts';

void test('a peer that does not end its first line in time is closed, however slowly it goes on', async (t) => {
  const wire = new Wire({ greeting_timeout: '1m' });
  const { agent } = wire.connect();
  for (let second = 0; second < 59; second++) {
    agent.stream.write(second === 0 ? '{' : ' ');
    await wire.clock.run(1000);
  }
  t.notOk(agent.isClosed);
  await wire.clock.run(1000);
  t.match(agent.greeting, /"reason":"no first line in time"/);
  t.ok(agent.isClosed);
  t.equal(wire.clock.pendingTimers, 0);
});

void test('a hello is answered while there is no room, and batches wait', async (t) => {
  const wire = new Wire();
  wire.context.fill();
  const { agent } = await wire.greet();
  agent.send([lineOf('one')]);
  await wire.settle();
  t.match(agent.greeting, '"role":"receiver"');
  t.equal(wire.context.records.length, 0);
  wire.context.drain();
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one']);
});

void test('plain lines that wait for room are kept when their peer has gone', async (t) => {
  const wire = new Wire();
  wire.context.fill();
  const { agent } = wire.connect();
  agent.stream.write(`${lineOf('one')}\n`);
  await wire.settle();
  agent.close();
  await wire.settle();
  t.equal(wire.closed, 1);
  wire.context.drain();
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one']);
  t.equal(wire.budget.usedBytes, 0);
});

void test('a stop takes plain lines that have come, but no batches, which are not acked', async (t) => {
  const wire = new Wire();
  const { agent: framed, connection: first } = await wire.greet();
  const { agent: plain, connection: second } = wire.connect();
  wire.context.fill();
  framed.send([lineOf('batch')]);
  plain.stream.write(`${lineOf('line')}\n`);
  await wire.settle();
  for (const connection of [first, second]) connection.leave();
  t.same(wire.context.bodies.map(messageOf), ['line']);
  wire.context.drain();
  await wire.settle();
  t.same(framed.received, [{ type: 'goodbye' }]);
  t.same(plain.greeting, '');
  t.equal(wire.context.records.length, 1);
  t.equal(wire.closed, 2);
  t.equal(wire.clock.pendingTimers, 0);
});

void test('goodbye is said when a stop begins; acks of what was taken still come, and after the last one the end', async (t) => {
  const wire = new Wire();
  const { agent, connection } = await wire.greet();
  for (const message of ['one', 'two', 'three']) agent.send([lineOf(message)]);
  await wire.settle();
  wire.context.emitted[0]?.batch.settle(DELIVERED);
  connection.leave();
  connection.leave();
  agent.send([lineOf('four')]);
  await wire.settle();
  t.same(agent.received, [{ type: 'ack', id: 1 }, { type: 'goodbye' }]); // prettier-ignore
  wire.context.emitted[1]?.batch.settle(DELIVERED);
  connection.tellReadiness({ ready: false, reason: 'it is stopping' });
  await wire.settle();
  t.notOk(agent.isEnded);
  wire.context.emitted[2]?.batch.settle(DELIVERED);
  await wire.settle();
  t.ok(agent.isClosed);
  t.same(agent.received.slice(2), [
    { type: 'ack', id: 2 },
    { type: 'ack', id: 3 },
  ]);
  t.equal(wire.context.records.length, 3);
  t.equal(wire.clock.pendingTimers, 0);
});

void test('after goodbye, a connection on which something failed is closed once what came before it is acked', async (t) => {
  const wire = new Wire();
  const { agent, connection } = await wire.greet();
  for (const message of ['one', 'two', 'three']) agent.send([lineOf(message)]);
  await wire.settle();
  connection.leave();
  const [first, second, third] = wire.context.emitted;
  third?.batch.settle(DELIVERED);
  second?.batch.settle({ kind: 'failed', reason: 'the agent stopped' });
  await wire.settle();
  t.notOk(agent.isEnded);
  first?.batch.settle(DELIVERED);
  await wire.settle();
  t.same(agent.received, [{ type: 'goodbye' }, { type: 'ack', id: 1 }]); // prettier-ignore
  t.ok(agent.isClosed);
});

void test('a stop that ends before everything is acked ends connections without another word', async (t) => {
  const wire = new Wire();
  const { agent, connection } = await wire.greet();
  agent.send([lineOf('one')]);
  await wire.settle();
  connection.leave();
  connection.close();
  await wire.settle();
  t.same(agent.received, [{ type: 'goodbye' }]);
  t.ok(agent.isClosed);
});

void test('an agent that leaves after the goodbye without waiting for its acks is let go', async (t) => {
  const wire = new Wire();
  const { agent, connection } = await wire.greet();
  wire.context.fill();
  agent.send([lineOf('waits for room')]);
  await wire.settle();
  wire.context.drain();
  await wire.settle();
  wire.context.fill();
  agent.send([lineOf('is never taken')]);
  await wire.settle();
  connection.leave();
  agent.stream.end();
  await wire.settle();
  t.equal(wire.closed, 1);
  t.equal(wire.context.records.length, 1);
  t.equal(wire.clock.pendingTimers, 0);
});

void test('a peer that does not hang up after the goodbye is hung up on', async (t) => {
  const wire = new Wire();
  const { agent, connection } = await wire.greet();
  agent.stream.removeAllListeners('end').pause();
  connection.leave();
  await wire.clock.run(900);
  t.equal(wire.closed, 0);
  await wire.clock.run(100);
  t.equal(wire.closed, 1);
  t.equal(wire.clock.pendingTimers, 0);
});

void test('memory for what has come only in part is bounded over all connections, and given back', async (t) => {
  const wire = new Wire({ max_frame_bytes: '1MiB', max_buffered_bytes: '2MiB' });
  const big = encodeBatch(1, 1, 'x'.repeat(900_000));
  const [first, second, third] = [await wire.greet(), await wire.greet(), await wire.greet()];
  third.agent.stream.removeAllListeners('end'); // it does not hang up when it is refused
  for (const { agent } of [first, second, third]) agent.stream.write(big.subarray(0, 100));
  await wire.settle();
  t.match(third.agent.received, [{ type: 'error', reason: /no memory left/ }]);
  t.notOk(first.agent.isClosed);
  t.ok(wire.budget.usedBytes > 1_800_000 && wire.budget.usedBytes < 2 * 1024 * 1024);
  first.agent.close();
  second.agent.close();
  await wire.settle();
  t.equal(wire.budget.usedBytes, 0);
  const leaving = await wire.greet();
  leaving.agent.send([lineOf('not acked yet')]);
  leaving.agent.stream.write(encodeBatch(2, 1, 'x'.repeat(900_000)).subarray(0, 100));
  await wire.settle();
  t.ok(wire.budget.usedBytes > 900_000);
  leaving.connection.leave();
  t.equal(wire.budget.usedBytes, 0);
  t.notOk(leaving.agent.isEnded);
  const { agent } = await wire.greet();
  agent.send([lineOf('one')]);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['not acked yet', 'one']);
  t.equal(wire.budget.usedBytes, 0);
});

void test('an error that no peer should be able to cause ends its connection only, and is told in the log', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  const { agent: other } = await wire.greet();
  const emit = wire.context.emit.bind(wire.context);
  wire.context.emit = () => {
    throw new TypeError('a defect');
  };
  agent.send([lineOf('one')]);
  await wire.settle();
  wire.context.emit = emit;
  t.match(agent.received, [{ type: 'error', reason: 'internal error' }]);
  t.match(
    wire.context.log.lines.filter(({ level }) => level === 'error'),
    [{ fields: { reason: 'a defect', peer: 'peer' } }],
  );
  other.send([lineOf('two')]);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['two']);
});

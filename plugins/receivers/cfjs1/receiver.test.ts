import { once } from 'node:events';
import { connect } from 'node:net';
import type { Test } from 'tap';
import { test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { waitFor, within } from '../../../test/helpers/wait_for.ts';
import { options as schema } from './index.ts';
import { Cfjs1Receiver } from './receiver.ts';
import { DuplexListener } from './testdata/duplex_listener.ts';
import { FakeAgent } from './testdata/fake_agent.ts';
import { lineOf, messageOf } from './testdata/lines.ts';

async function start(t: Test, options: Readonly<Record<string, unknown>> = {}) {
  const context = new FakeReceiverContext({ clock: systemClock });
  const receiver = new Cfjs1Receiver(schema.parse({ listen: '127.0.0.1:0', name: 'log-a', ...options }), context);
  await receiver.start();
  t.teardown(async () => {
    await receiver.stop();
    await receiver.close();
  });
  const port = receiver.port ?? 0;
  return { context, receiver, port, greeted: async () => (await FakeAgent.connect(port)).greeted() };
}

function countOf(context: FakeReceiverContext, name: string): number {
  return context.metrics.sum(`sluice_cfjs1_${name}`);
}

void test('batches of real connections are emitted and acked', async (t) => {
  const { context, greeted } = await start(t);
  const agent = await greeted();
  agent.send([lineOf('one'), lineOf('two')]);
  await waitFor(() => context.records.length === 2, { what: 'the records' });
  context.settleAll(DELIVERED);
  await waitFor(() => agent.acks.includes(1), { what: 'the ack' });
  t.same(context.bodies.map(messageOf), ['one', 'two']);
});

void test('more connections than allowed are closed at once, and the others go on', async (t) => {
  const { context, port, greeted } = await start(t, { max_connections: 2 });
  const agents = [await greeted(), await greeted()];
  const excess = connect({ host: '127.0.0.1', port }).on('error', () => {});
  await within(once(excess, 'close'), { what: 'the connection that is too many to be closed' });
  t.equal(countOf(context, 'excess_connections_total'), 1);
  t.equal(countOf(context, 'connections'), 2);
  for (const agent of agents) agent.send([lineOf('still here')]);
  await waitFor(() => context.records.length === 2, { what: 'the records of the others' });
  agents[0]?.close();
  await waitFor(() => countOf(context, 'connections') === 1, { what: 'the connection to be closed' });
  const next = await greeted();
  next.send([lineOf('in its place')]);
  await waitFor(() => context.records.length === 3, { what: 'the record of the next one' });
});

void test('a flood of hostile bytes on one connection takes bounded memory and does not disturb another', async (t) => {
  const { context, port, greeted } = await start(t, { max_line_bytes: '1MiB' });
  const agent = await greeted();
  const hostile = await FakeAgent.connect(port);
  const chunk = Buffer.alloc(256 * 1024, '{');
  let written = 0;
  while (!hostile.isClosed && written < 64 * 1024 * 1024) {
    if (hostile.stream.write(chunk)) written += chunk.length;
    else await Promise.race([once(hostile.stream, 'drain').catch(() => {}), once(hostile.stream, 'close')]);
    t.ok(countOf(context, 'buffered_bytes') <= 2 * 1024 * 1024, 'memory is bounded');
  }
  t.ok(hostile.isClosed, 'it was closed before it had sent 64 MiB');
  t.equal(countOf(context, 'refused_connections_total'), 1);
  agent.send([lineOf('mine')]);
  await waitFor(() => context.records.length === 1, { what: 'the record of the other agent' });
});

void test('agents are told when the store does not take records, and when it does again', async (t) => {
  const { context, greeted } = await start(t);
  const agent = await greeted();
  context.pipelineReadiness = { ready: false, reason: 'the disk is full' };
  await waitFor(() => agent.received.length === 1, { what: 'the agent to be told' });
  context.pipelineReadiness = { ready: true, reason: '' };
  await waitFor(() => agent.received.length === 2, { what: 'the agent to be told again' });
  t.same(agent.received, [
    { type: 'ready', ready: false, reason: 'the disk is full' },
    { type: 'ready', ready: true, reason: '' },
  ]);
});

void test('a receiver that stops says goodbye, takes no more, sends the acks that still come and ends', async (t) => {
  const { context, receiver, port, greeted } = await start(t);
  const agent = await greeted();
  agent.send([lineOf('before')]);
  await waitFor(() => context.records.length === 1, { what: 'the record' });
  await receiver.stop();
  await waitFor(() => agent.received.length === 1, { what: 'the goodbye' });
  agent.send([lineOf('after')]);
  await t.rejects(once(connect({ host: '127.0.0.1', port }), 'connect'), { code: 'ECONNREFUSED' });
  context.settleAll(DELIVERED);
  await receiver.close();
  await waitFor(() => agent.isEnded, { what: 'the agent to hear of the end' });
  t.same(agent.received, [{ type: 'goodbye' }, { type: 'ack', id: 1 }]); // prettier-ignore
  t.equal(context.records.length, 1);
});

void test('connections may come from anywhere, and all that waits is in the given time', async (t) => {
  const clock = new VirtualClock();
  const context = new FakeReceiverContext({ clock });
  const listener = new DuplexListener();
  const receiver = new Cfjs1Receiver(schema.parse({ listen: '127.0.0.1:0', name: 'log-a' }), context, { listener });
  await receiver.start();
  const agent = new FakeAgent(listener.connect('web-1'));
  agent.hello();
  agent.send([lineOf('one')]);
  await clock.settle();
  t.same(context.bodies.map(messageOf), ['one']);
  context.pipelineReadiness = { ready: false, reason: 'the disk is full' };
  await clock.run(500);
  context.settleAll(DELIVERED);
  await receiver.stop();
  t.notOk(listener.isListening);
  const closed = Promise.all([receiver.close(), receiver.close()]);
  await clock.settle();
  await closed;
  t.match(agent.received, [{ type: 'ready', ready: false }, { type: 'ack', id: 1 }, { type: 'goodbye' }]); // prettier-ignore
  t.ok(agent.isClosed);
  t.equal(clock.pendingTimers, 0);
});

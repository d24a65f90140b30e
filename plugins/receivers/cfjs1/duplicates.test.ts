import { test } from 'tap';
import { DELIVERED, type Outcome } from '../../../src/core/ack.ts';
import { lineOf, lineWithId, messageOf } from './testdata/lines.ts';
import { Wire } from './testdata/wire.ts';

const FAILED: Outcome = { kind: 'failed', reason: 'the agent stopped' };

/** Lines with ids of one epoch, from a first to a last number. */
function lines(epoch: string, first: number, last: number, mark?: string): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => lineWithId(`${epoch}-${first + index}`, mark));
}

/** A connected agent whose batches are sent, and settled at once where an outcome is given. */
async function open(options: Readonly<Record<string, unknown>> = {}) {
  const wire = new Wire(options);
  const connect = async (name = 'web-1', boot?: string) => {
    const { agent, connection } = await wire.greet(name, boot);
    const send = async (batch: readonly string[], outcome?: Outcome): Promise<void> => {
      agent.send(batch);
      await wire.settle();
      if (outcome !== undefined) wire.context.settleAll(outcome);
      await wire.settle();
    };
    return { agent, connection, send };
  };
  const bodies = () => wire.context.bodies.map(messageOf);
  return { wire, connect, bodies };
}

void test('what is stored and comes again is left out, acked like the rest, and counted', async (t) => {
  const { wire, connect, bodies } = await open();
  const first = await connect();
  await first.send(lines('e', 1, 3), DELIVERED);
  const second = await connect();
  await second.send(lines('e', 2, 3));
  t.same(second.agent.acks, [1]);
  await second.send(lines('e', 3, 5), DELIVERED);
  t.same(second.agent.acks, [1, 2]);
  t.same(bodies(), ['e-1', 'e-2', 'e-3', 'e-4', 'e-5']);
  t.equal(wire.counted('duplicate_records_total'), 3);
  t.equal(wire.counted('gap_records_total'), 0);
});

void test('what was dropped or refused here on purpose is done with, too', async (t) => {
  const { connect, bodies } = await open();
  const { send } = await connect();
  await send(lines('e', 1, 1), { kind: 'rejected', reason: 'too_large' });
  await send(lines('e', 2, 2), { kind: 'dropped', reason: 'filter' });
  await send(lines('e', 1, 3), DELIVERED);
  t.same(bodies(), ['e-1', 'e-2', 'e-3']);
});

void test('what failed is taken when it comes again', async (t) => {
  const { wire, connect, bodies } = await open();
  const first = await connect();
  await first.send(lines('e', 1, 2), DELIVERED);
  await first.send(lines('e', 3, 4), FAILED);
  t.ok(first.agent.isClosed);
  const second = await connect();
  await second.send(lines('e', 1, 4), DELIVERED);
  t.same(bodies().slice(4), ['e-3', 'e-4']);
  t.same(second.agent.acks, [1]);
  t.equal(wire.counted('gap_records_total') - wire.counted('filled_gap_records_total'), 0);
});

void test('a copy of what is on its way is left out, and acked only when the first copy is stored', async (t) => {
  const { wire, connect, bodies } = await open();
  const first = await connect();
  await first.send(lines('e', 1, 2));
  await first.send(lines('e', 3, 4));
  const second = await connect();
  await second.send(lines('e', 2, 3));
  await second.send(lines('f', 1, 1));
  t.same(bodies(), ['e-1', 'e-2', 'e-3', 'e-4', 'f-1']);
  const [one, two, other] = wire.context.emitted;
  other?.batch.settle(DELIVERED);
  one?.batch.settle(DELIVERED);
  await wire.settle();
  t.same(second.agent.acks, []);
  two?.batch.settle(DELIVERED);
  await wire.settle();
  t.same(second.agent.acks, [2]);
});

void test('a copy is not acked when the first copy, which was on its way, fails; it is taken when it comes again', async (t) => {
  const { wire, connect, bodies } = await open();
  const first = await connect();
  await first.send(lines('e', 1, 2));
  const second = await connect();
  await second.send(lines('e', 1, 3));
  const [one, two] = wire.context.emitted;
  two?.batch.settle(DELIVERED);
  one?.batch.settle(FAILED);
  await wire.settle();
  t.same(second.agent.received, [{ type: 'goodbye' }]);
  const third = await connect();
  await third.send(lines('e', 1, 3), DELIVERED);
  t.same(third.agent.acks, [1]);
  t.same(bodies(), ['e-1', 'e-2', 'e-3', 'e-1', 'e-2']);
});

void test('a first copy whose connection is gone still decides', async (t) => {
  const { wire, connect } = await open();
  const first = await connect();
  await first.send(lines('e', 1, 2));
  first.agent.close();
  const second = await connect();
  await second.send(lines('e', 1, 2));
  t.same(second.agent.acks, []);
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.same(second.agent.acks, [1]);
});

void test('of copies in one batch the first is taken', async (t) => {
  const { wire, connect, bodies } = await open();
  const { agent, send } = await connect();
  await send([...lines('e', 1, 2), ...lines('e', 2, 3), ...lines('e', 1, 1)]);
  t.same(agent.acks, []);
  wire.context.settleAll(DELIVERED);
  await wire.settle();
  t.same(agent.acks, [1]);
  t.same(bodies(), ['e-1', 'e-2', 'e-3']);
  t.equal(wire.counted('duplicate_records_total'), 2);
});

void test('lines that are refused are named by their place among all lines, copies included', async (t) => {
  const { connect, bodies } = await open();
  const { agent, send } = await connect();
  await send(lines('e', 1, 2), DELIVERED);
  await send([...lines('e', 1, 2), 'this is not cfjs1', ...lines('e', 3, 3)], DELIVERED);
  t.match(agent.received.slice(1), [{ type: 'refused', id: 2, records: [2] }, { type: 'ack', id: 2 }]); // prettier-ignore
  t.same(bodies(), ['e-1', 'e-2', 'e-3']);
});

void test('nothing of a batch that breaks the rules is remembered', async (t) => {
  const { connect, bodies } = await open();
  const { agent } = await connect();
  agent.sendBatch(1, 3, `${lines('e', 1, 2).join('\n')}\n`);
  const { send } = await connect();
  await send(lines('e', 1, 2), DELIVERED);
  t.same(bodies(), ['e-1', 'e-2']);
});

void test('nothing is awaited for ever where the engine fails', async (t) => {
  const { wire, connect, bodies } = await open();
  const first = await connect();
  const emit = wire.context.emit.bind(wire.context);
  wire.context.emit = () => {
    throw new TypeError('a defect');
  };
  await first.send(lines('e', 1, 1));
  wire.context.emit = emit;
  const second = await connect();
  await second.send(lines('e', 1, 1), DELIVERED);
  t.same(second.agent.acks, [1]);
  t.same(bodies(), ['e-1']);
});

void test('the same number for another destination, of another epoch or from another host is another record', async (t) => {
  const { wire, connect, bodies } = await open();
  const { send } = await connect();
  await send([...lines('e', 1, 1), ...lines('e', 1, 1, 'log-b'), ...lines('e-1', 1, 1), ...lines('f', 1, 1)], DELIVERED);
  const other = await connect('web-2');
  await other.send(lines('e', 1, 1), DELIVERED);
  t.same(bodies(), ['e-1', 'e-1-1', 'f-1', 'e-1', 'e-1']);
  t.equal(wire.counted('duplicate_records_total'), 0);
  await send([...lines('e', 1, 1), ...lines('e', 1, 1, 'log-b'), ...lines('e', 1, 1, 'log-c')], DELIVERED);
  t.equal(wire.counted('duplicate_records_total'), 2);
});

void test('after the host was started anew its numbers may have gone back, and are other records', async (t) => {
  const { connect, bodies } = await open();
  const before = await connect('web-1', 'boot-1');
  await before.send(lines('e', 1, 3), DELIVERED);
  const after = await connect('web-1', 'boot-2');
  await after.send(lines('e', 3, 4), DELIVERED);
  t.same(bodies(), ['e-1', 'e-2', 'e-3', 'e-3', 'e-4']);
  await (await connect('web-1', 'boot-2')).send(lines('e', 3, 4), DELIVERED);
  t.equal(bodies().length, 5);
});

void test('records without an id of the known form all pass', async (t) => {
  const { wire, connect } = await open();
  const { agent, send } = await connect();
  const odd = [lineOf('x'), lineWithId('e'), lineWithId('e-01'), lineWithId('e-9007199254740992'), lineWithId('e"-1')];
  await send([...odd, ...odd], DELIVERED);
  await send(odd, DELIVERED);
  t.same(agent.acks, [1, 2]);
  t.equal(wire.context.records.length, 15);
  t.equal(wire.counted('duplicate_records_total'), 0);
});

void test('numbers that are passed over are counted, and again when they come after all', async (t) => {
  const { wire, connect } = await open();
  const { send } = await connect();
  await send(lines('e', 11, 12), DELIVERED);
  await send([...lines('e', 15, 16), ...lines('f', 900, 900)], DELIVERED);
  t.equal(wire.counted('gap_records_total'), 2);
  await send([...lines('e', 13, 13), ...lines('e', 1, 1)], DELIVERED);
  t.equal(wire.counted('gap_records_total'), 2);
  t.equal(wire.counted('filled_gap_records_total'), 1);
});

void test('copies from beyond the window pass', async (t) => {
  const { wire, connect, bodies } = await open({ dedupe_window: 3 });
  const { send } = await connect();
  await send(lines('e', 1, 5), DELIVERED);
  await send(lines('e', 1, 5), DELIVERED);
  t.same(bodies().slice(5), ['e-1', 'e-2']);
  t.equal(wire.counted('duplicate_records_total'), 3);
});

void test('a flood of epochs takes bounded memory, and the epochs that are used are kept', async (t) => {
  const { wire, connect, bodies } = await open({ dedupe_max_epochs: 10 });
  const { send } = await connect();
  await send(lines('kept', 1, 1), DELIVERED);
  for (let round = 0; round < 50; round++) {
    await send(
      Array.from({ length: 8 }, (_, index) => lineWithId(`flood${round}-${index}x${index}-1`)),
      DELIVERED,
    );
    await send(lines('kept', round + 1, round + 2), DELIVERED);
  }
  t.equal(wire.seen?.epochs, 10);
  t.equal(wire.counted('forgotten_epochs_total'), 401 - 10);
  t.equal(wire.counted('duplicate_records_total'), 50);
  t.equal(bodies().filter((body) => body.startsWith('kept')).length, 51);
});

void test('numbers in any order, however many, take bounded memory and are all acked', async (t) => {
  const { wire, connect } = await open();
  const { agent, send } = await connect();
  const numbers = Array.from({ length: 40_000 }, (_, index) => (index * 7919) % 40_009);
  await send(numbers.map((number) => lineWithId(`e-${number}`)), DELIVERED); // prettier-ignore
  await send(
    ['e-9007199254740991', 'e-0', 'e-9007199254740990'].map((id) => lineWithId(id)),
    DELIVERED,
  );
  await send(lines('e', 1, 3), DELIVERED);
  t.same(agent.acks, [1, 2, 3]);
  t.equal(wire.context.records.length, 40_006);
});

void test('with a window of 0 every copy passes and nothing is remembered', async (t) => {
  const { wire, connect, bodies } = await open({ dedupe_window: 0 });
  const { send } = await connect();
  for (let round = 0; round < 2; round++) await send(lines('e', 1, 2), DELIVERED);
  t.same(bodies(), ['e-1', 'e-2', 'e-1', 'e-2']);
  t.equal(wire.counted('gap_records_total'), 0);
  t.equal(wire.seen, undefined);
});

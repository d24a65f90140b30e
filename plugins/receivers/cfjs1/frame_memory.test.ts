import { test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { COLUMN_BYTES, COLUMN_NAMES, Storage } from '../../../src/core/batch.ts';
import { readBatch } from '../../../test/helpers/batches.ts';
import { FrameMemory } from './frame_memory.ts';
import { lineOf } from './testdata/lines.ts';
import { Wire } from './testdata/wire.ts';

const MAX_BYTES = 4 * 1024 * 1024;

function open() {
  const memory = new FrameMemory(MAX_BYTES);
  const take = (rows: number) => new Storage(memory.payloads.take(0), memory.columns(rows), (freed) => memory.free(freed));
  return { memory, take };
}

void test('columns are used again for as many rows, and are zeros then', (t) => {
  const { memory, take } = open();
  const first = take(3000);
  for (const name of COLUMN_NAMES) first.columns[name].fill(7);
  first.release();
  t.equal(memory.pooledBytes, 4096 * COLUMN_BYTES);
  t.not(take(5000).columns, first.columns);
  const again = take(4096);
  t.equal(again.columns, first.columns);
  for (const name of COLUMN_NAMES) t.ok(again.columns[name].every((value) => value === 0), name); // prettier-ignore
  t.equal(memory.pooledBytes, 0);
  t.not(take(4096).columns, first.columns);
  t.end();
});

void test('columns of a few rows are no larger than that, and are not kept', (t) => {
  const { memory, take } = open();
  const few = take(3);
  t.equal(few.columns.time.length, 3);
  few.release();
  t.equal(memory.pooledBytes, 0);
  t.end();
});

void test('no more is kept than allowed, and what was freed last is', (t) => {
  const { memory, take } = open();
  const all = Array.from({ length: 100 }, () => take(4000));
  for (const storage of all) storage.release();
  t.ok(memory.pooledBytes > 0 && memory.pooledBytes <= MAX_BYTES);
  t.equal(take(4000).columns, all.at(-1)?.columns);
  take(1_000_000).release();
  t.equal(memory.pooledBytes, 0, 'not even what is larger than the bound');
  t.end();
});

function batchOf(format: string): string[] {
  return Array.from({ length: 5000 }, (_, index) => lineOf(`${format} ${index}`, format));
}

void test('memory of a batch is used again once all of it has settled, and not before', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.send([...batchOf('a'), ...batchOf('b')]);
  await wire.settle();
  const [first, second] = wire.context.emitted;
  first?.batch.settle(DELIVERED);
  agent.send(batchOf('c'));
  await wire.settle();
  t.equal(wire.memory.payloads.pooledBytes, 0);
  if (second === undefined) throw new Error('there are two batches');
  t.same(readBatch(second.batch), second.records);
  const memory = second.batch.arena.buffer;
  second?.batch.settle(DELIVERED);
  t.equal(wire.memory.payloads.pooledBytes, memory.byteLength);
  agent.send([...batchOf('d'), ...batchOf('e')]);
  await wire.settle();
  t.equal(wire.context.emitted.at(-1)?.batch.arena.buffer, memory);
  t.equal(wire.memory.payloads.pooledBytes, 0);
});

void test('memory of a batch of which nothing was taken is used again', async (t) => {
  const wire = new Wire();
  const { agent } = await wire.greet();
  agent.sendBatch(1, 10_000, `${'x'.repeat(20)}\n`.repeat(10_000));
  await wire.settle();
  t.ok(wire.memory.payloads.pooledBytes >= 210_000);
});

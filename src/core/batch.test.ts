import { test } from 'tap';
import { DELIVERED } from './ack.ts';
import { Batch, COLUMN_BYTES, createColumns, Storage } from './batch.ts';
import { NameTable } from './names.ts';

void test('batches that share an arena take its memory together, and give it back with the last of them', (t) => {
  let freed = 0;
  const storage = new Storage(Buffer.alloc(1000), createColumns(0), () => void (freed += 1));
  storage.retain();
  storage.retain();
  const facts = { receiver: 'r', format: 'f', services: new NameTable() };
  const batches = [1, 2, 3].map((count) => new Batch(storage, count, facts, createColumns(count)));
  const memory = batches.reduce((sum, batch) => sum + batch.memoryBytes, 0);
  t.equal(memory - 6 * COLUMN_BYTES, 1002, 'each share is rounded up');
  for (const batch of batches) {
    t.equal(freed, 0);
    batch.settle(DELIVERED);
  }
  t.equal(freed, 1);
  t.end();
});

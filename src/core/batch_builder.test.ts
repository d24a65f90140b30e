import { test } from 'tap';
import { DELIVERED } from './ack.ts';
import type { Batch } from './batch.ts';
import { BatchBuilder } from './batch_builder.ts';

const MIB = 1024 * 1024;

function fill(builder: BatchBuilder): Batch {
  builder.used = builder.arena.length;
  builder.add(0, 0, 0, 0, 0, 0, 1);
  return builder.build({ receiver: 'r', format: 'f' });
}

/** How many arenas are used again after `count` full batches have settled; in the end none is left in the pool. */
function reused(arenaBytes: number, count: number): number {
  const builder = new BatchBuilder({ arenaBytes, maxRecords: 1 });
  const first = Array.from({ length: count }, () => fill(builder));
  for (const batch of first) batch.settle(DELIVERED);
  fill(builder); // the arena that was being filled all along
  const second = Array.from({ length: count }, () => fill(builder));
  const arenas = new Set(first.map(({ arena }) => arena));
  return second.filter(({ arena }) => arenas.has(arena)).length;
}

void test('arenas are used again, as many as 32 MiB hold', (t) => {
  t.equal(reused(MIB / 2, 8), 8);
  t.equal(reused(MIB / 2, 80), 64);
  t.equal(reused(4 * MIB, 16), 8);
  t.equal(reused(33 * MIB, 2), 0);
  t.end();
});

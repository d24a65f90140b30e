import { test } from 'tap';
import { BufferPool } from './buffer_pool.ts';

void test('a buffer is as large as asked, and little larger', async (t) => {
  const pool = new BufferPool(0);
  for (const bytes of [0, 1, 4096, 4097, 5000, 5120, 8191, 8192, 8193, 100_000, 2 ** 20, 2 ** 20 + 1, 3_000_000]) {
    const { length, byteOffset } = pool.take(bytes);
    t.ok(length >= bytes && length <= Math.max(4096, bytes * 1.25), `${length} for ${bytes}`);
    t.equal(byteOffset, 0);
  }
});

void test('a buffer that was given back is used again, within the bound', async (t) => {
  const pool = new BufferPool(10_000);
  const first = pool.take(5000);
  const second = pool.take(5000);
  pool.give(first);
  pool.give(second);
  t.equal(pool.take(5001), first);
  t.not(pool.take(5001), second, 'what did not fit was left to the garbage collector');
  pool.give(second);
  t.equal(pool.take(5000), second, 'room is free again once a buffer is taken');
});

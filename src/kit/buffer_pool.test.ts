import fc from 'fast-check';
import { test } from 'tap';
import { BufferPool } from './buffer_pool.ts';

const KIB = 1024;

void test('a buffer that was given back is used again for one of about its size', (t) => {
  const pool = new BufferPool(1024 * KIB);
  const first = pool.take(100_000);
  const memory = first.buffer;
  pool.give(first);
  t.equal(pool.pooledBytes, memory.byteLength);
  t.not(pool.take(200_000).buffer, memory);
  const again = pool.take(99_000);
  t.equal(again.buffer, memory);
  t.equal(again.length, 99_000);
  t.equal(pool.pooledBytes, 0);
  t.not(pool.take(99_000).buffer, memory);
  t.end();
});

void test('small buffers are not kept, and of large ones only so many, those that were given last', (t) => {
  const pool = new BufferPool(256 * KIB);
  pool.give(pool.take(1000));
  t.equal(pool.pooledBytes, 0);
  const buffers = [1, 2, 3].map(() => pool.take(128 * KIB));
  for (const buffer of buffers) pool.give(buffer);
  t.equal(pool.pooledBytes, 256 * KIB);
  const memories = [pool.take(128 * KIB), pool.take(128 * KIB)].map(({ buffer }) => buffer);
  t.same(new Set(memories), new Set(buffers.slice(1).map(({ buffer }) => buffer)));
  pool.give(pool.take(1024 * KIB));
  t.equal(pool.pooledBytes, 0, 'one that is larger than the bound');
  pool.give(Buffer.allocUnsafeSlow(128 * KIB));
  t.equal(pool.pooledBytes, 0, 'one that is not of this pool, and may be shared');
  t.end();
});

void test('buffers have the length that was asked for, little more memory, and are nobody else’s', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 300_000 }), { maxLength: 20 }), (sizes) => {
      const pool = new BufferPool(512 * KIB);
      const held: Buffer[] = [];
      for (const [index, size] of sizes.entries()) {
        const buffer = pool.take(size);
        if (buffer.length !== size || buffer.buffer.byteLength > size * 1.25)
          throw new Error(`${buffer.buffer.byteLength} bytes`);
        if (held.some((other) => other.buffer === buffer.buffer)) throw new Error('it is in use');
        held.push(buffer);
        if (index % 3 === 2) pool.give(held.shift() ?? buffer);
        if (pool.pooledBytes > 512 * KIB) throw new Error('too much is kept');
      }
    }),
  );
  t.end();
});

import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'tap';
import { decompressSized, hasLibrary } from './zstd.ts';

const skip = hasLibrary() ? false : 'the system has no libzstd';

const MAX_BYTES = 1024 * 1024;

/** What Node makes of the frame; undefined where it refuses it. */
function asNode(frame: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(frame, { maxOutputLength: MAX_BYTES });
  } catch {
    return undefined;
  }
}

void test('frames of every size come out as they went in', { skip }, async (t) => {
  for (const bytes of [0, 1, 100, 5000, 256 * 1024, MAX_BYTES]) {
    const value = Buffer.alloc(bytes, 'MESSAGE=again and again, ');
    t.ok(decompressSized(zstdCompressSync(value), MAX_BYTES)?.equals(value), `${bytes} bytes`);
  }
});

void test('what came out stays as it is when the next frame is decompressed', { skip }, async (t) => {
  const kept = decompressSized(zstdCompressSync(Buffer.from('kept')), MAX_BYTES);
  decompressSized(zstdCompressSync(Buffer.from('next')), MAX_BYTES);
  t.equal(kept?.toString(), 'kept');
});

void test('a frame that is too large, does not say its size, or is none is not decompressed', { skip }, async (t) => {
  t.equal(decompressSized(zstdCompressSync(Buffer.alloc(MAX_BYTES + 1)), MAX_BYTES), undefined);
  const silent = zstdCompressSync(Buffer.alloc(1000), { params: { [constants.ZSTD_c_contentSizeFlag]: 0 } });
  t.equal(decompressSized(silent, MAX_BYTES), undefined);
  t.equal(decompressSized(Buffer.from('MESSAGE=none'), MAX_BYTES), undefined);
  t.equal(decompressSized(Buffer.alloc(0), MAX_BYTES), undefined);
});

void test('a frame that says that it is smaller than it is, or larger, is not believed', { skip }, async (t) => {
  const frame = zstdCompressSync(Buffer.alloc(200, 'ab'));
  const at = frame.indexOf(200, 5); // the size of so small a frame is the byte behind its descriptor
  for (const claimed of [10, 250]) {
    const lying = Buffer.from(frame);
    lying[at] = claimed;
    t.equal(decompressSized(lying, MAX_BYTES), undefined, `${claimed} instead of 200`);
  }
});

void test('what comes of a damaged frame is what Node makes of it, or nothing', { skip }, async (t) => {
  const value = fc.string({ unit: 'binary', maxLength: 3000 }).map((text) => Buffer.from(`MESSAGE=${text.repeat(3)}`));
  const changes = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(value, changes, fc.nat(), (original, list, cut) => {
      const frame = zstdCompressSync(original);
      for (const { at, byte } of list) frame[at % frame.length] = byte;
      const damaged = cut % 3 === 0 ? frame.subarray(0, cut % frame.length) : frame;
      const found = decompressSized(damaged, MAX_BYTES);
      return found === undefined || asNode(damaged)?.equals(found) === true;
    }),
    { numRuns: 3000 },
  );
  t.pass('3000 frames');
});

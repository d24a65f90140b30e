import { zstdCompressSync } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'tap';
import { compressPayload, decompressPayload, MAX_COMPRESSION_RATIO } from './compression.ts';

const text = Buffer.from(Array.from({ length: 2000 }, (_, index) => `{"message":"line ${index * 7919}"}\n`).join(''));
const compressed = zstdCompressSync(text);

void test('a payload comes out as it went in, at every level', (t) => {
  for (const level of [1, 3, 19]) {
    const small = compressPayload(text, level) ?? Buffer.alloc(0);
    t.ok(small.length > 0 && small.length < text.length / 4);
    t.ok(decompressPayload(small, text.length).equals(text));
  }
  t.end();
});

void test('whatever is compressed, it comes out as it went in, or is to be sent as it is', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), fc.integer({ min: 1, max: 50 }), (bytes, times) => {
      const payload = Buffer.concat(Array.from({ length: times }, () => bytes));
      const small = compressPayload(payload);
      return small === undefined || (small.length < payload.length && decompressPayload(small, payload.length).equals(payload));
    }),
  );
  t.end();
});

void test('what would grow, or shrink by more than is believed, is to be sent as it is', (t) => {
  t.equal(compressPayload(Buffer.from('x')), undefined);
  t.equal(compressPayload(Buffer.alloc(0)), undefined);
  t.equal(compressPayload(Buffer.alloc(1_000_000, 'x')), undefined);
  t.end();
});

void test('a bomb is refused before anything is decompressed, or after as many bytes as it claims to hold', (t) => {
  const bomb = zstdCompressSync(Buffer.alloc(10_000_000, 'x'));
  t.throws(() => decompressPayload(bomb, 10_000_000), { code: 'protocol_violation', message: /claims to hold 10000000/ });
  t.throws(() => decompressPayload(bomb, bomb.length * MAX_COMPRESSION_RATIO), { message: /holds more than/ });
  t.end();
});

void test('what is no whole frame of the size that it claims is refused', (t) => {
  const refused = (bytes: Buffer, size: number, message: RegExp): void => {
    t.throws(() => decompressPayload(bytes, size), { code: 'protocol_violation', message });
  };
  refused(text.subarray(0, 100), 1000, /not Zstandard/);
  refused(compressed.subarray(0, -1), text.length, /not Zstandard/);
  refused(compressed, text.length - 1, /holds more than/);
  refused(compressed, text.length + 1, /of \d+ bytes instead of \d+/);
  refused(Buffer.alloc(0), 1, /claims to hold/);
  t.end();
});

/** RFC 8878, 3.1.1: magic number, a header that is a window descriptor only, and one raw block of two bytes that is the last. */
function frame(windowLog: number): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, (windowLog - 10) << 3, (2 << 3) | 1, 0, 0, 0x68, 0x69]);
}

void test('a frame for which a decoder would need more than 8 MiB is refused', (t) => {
  t.equal(decompressPayload(frame(23), 2).toString(), 'hi');
  t.throws(() => decompressPayload(frame(24), 2), { code: 'protocol_violation' });
  t.end();
});

void test('random bytes never do more than be refused', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 300 }), fc.integer({ min: 1, max: 5000 }), (bytes, at, size) => {
      const damaged = Buffer.from(compressed);
      damaged.set(bytes.subarray(0, Math.max(0, damaged.length - at)), at);
      try {
        return decompressPayload(damaged, size).length === size;
      } catch (error) {
        return error instanceof Error && 'code' in error && error.code === 'protocol_violation';
      }
    }),
  );
  t.end();
});

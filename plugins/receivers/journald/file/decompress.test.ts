import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { constants, zstdCompressSync } from 'node:zlib';
import { compressSync as compressXz } from '@napi-rs/lzma/xz';
import fc from 'fast-check';
import { test } from 'tap';
import { lz4, xzBomb } from '../testdata/compressed.ts';
import { decompress, MAX_DECOMPRESSED_BYTES } from './decompress.ts';
import { Compression } from './format.ts';

const MIB = 1024 * 1024;

const FORMATS = [
  { name: 'xz', compression: Compression.xz, compress: compressXz },
  { name: 'lz4', compression: Compression.lz4, compress: lz4 },
  { name: 'zstd', compression: Compression.zstd, compress: (value: Buffer) => zstdCompressSync(value) },
] as const;

const VALUES = ['', 'A', 'MESSAGE=one', 'MESSAGE=' + 'again and again, '.repeat(5000), '\0\xff'.repeat(40)].map((text) =>
  Buffer.from(text, 'latin1'),
);

function problemOf(payload: Buffer, compression: number): string {
  const value = decompress(payload, compression);
  return typeof value === 'string' ? value : `${value.length} bytes`;
}

/** How far the memory outside of V8's heap grows while `run` runs, at its end. */
function growth(run: () => void): number {
  const before = process.memoryUsage().rss;
  run();
  return process.memoryUsage().rss - before;
}

for (const { name, compression, compress } of FORMATS) {
  void test(`${name}: values come out as they went in`, async (t) => {
    for (const value of VALUES) {
      if (value.length > 0) t.same(decompress(compress(value), compression), value, `${value.length} bytes`);
    }
    // What the library makes of it as xz is not smaller.
    const large = Buffer.alloc(MAX_DECOMPRESSED_BYTES - 4096, 'MESSAGE=');
    t.equal(problemOf(compress(large), compression), `${large.length} bytes`);
  });

  void test(`${name}: what becomes one byte more than the bound is refused`, async (t) => {
    t.equal(problemOf(compress(Buffer.alloc(MAX_DECOMPRESSED_BYTES + 1)), compression), 'too_large');
    t.equal(problemOf(Buffer.alloc(MAX_DECOMPRESSED_BYTES + 1), compression), 'too_large', 'or is so large already');
  });

  void test(`${name}: a payload that is cut short is refused, wherever`, async (t) => {
    const payload = compress(Buffer.from('MESSAGE=' + 'again and again, '.repeat(100)));
    for (let end = 0; end < payload.length; end++) {
      if (typeof decompress(payload.subarray(0, end), compression) !== 'string') t.fail(`cut at ${end}`);
    }
    t.pass(`${payload.length} times`);
  });

  void test(`${name}: payloads that are damaged anywhere end as a value within the bound, or refused`, async (t) => {
    const payloads = VALUES.filter(({ length }) => length > 0).map((value) => compress(value));
    const change = fc.record({ at: fc.nat(), mask: fc.integer({ min: 1, max: 255 }) });
    let refused = 0;
    const property = fc.property(
      fc.constantFrom(...payloads),
      fc.array(change, { minLength: 1, maxLength: 3 }),
      (payload, changes) => {
        const damaged = Buffer.from(payload);
        for (const { at, mask } of changes) damaged[at % damaged.length]! ^= mask; // the remainder is below the length
        const value = decompress(damaged, compression);
        if (typeof value === 'string') refused += 1;
        return typeof value === 'string' || value.length <= MAX_DECOMPRESSED_BYTES;
      },
    );
    fc.assert(property, { numRuns: 500 });
    fc.assert(property, { numRuns: 500, seed: randomInt(2 ** 31) });
    t.ok(refused > 100, `${refused} of 1000 were refused`);
  });
}

void test('the libraries are loaded with the first object that needs them, each for itself', async (t) => {
  const script = `
    const { decompress } = await import(process.argv[1]);
    const loaded = () => process.report.getReport().sharedObjects.filter((path) => /lzma|lz4/.test(path)).length;
    const counts = [loaded()];
    for (const compression of [${Compression.zstd}, ${Compression.lz4}, ${Compression.xz}]) {
      decompress(Buffer.from(process.argv[compression + 1], 'hex'), compression);
      counts.push(loaded());
    }
    console.log(JSON.stringify(counts));`;
  const payloads: string[] = [];
  for (const { compression, compress } of FORMATS) payloads[compression - 1] = compress(Buffer.from('A=1')).toString('hex');
  const url = new URL('decompress.ts', import.meta.url).href;
  const args = ['--input-type=module', '--eval', script, url, ...Array.from(payloads, (payload) => payload ?? '')];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  t.equal(stderr, '');
  t.same(JSON.parse(stdout), [0, 0, 1, 2], 'at the start, and after zstd, LZ4 and XZ');
});

void test('two compressions at once are none', async (t) => {
  t.equal(problemOf(Buffer.from('MESSAGE=one'), Compression.lz4 | Compression.zstd), 'data');
});

void test('an LZ4 size that lies is refused, and before memory is taken where no block could become so large', async (t) => {
  const payload = lz4(Buffer.from('MESSAGE=' + 'again and again, '.repeat(100)));
  const lying = (size: bigint): Buffer => {
    const copy = Buffer.from(payload);
    copy.writeBigUInt64LE(size);
    return copy;
  };
  const sizes = [1n << 63n, (1n << 64n) - 1n, 1n << 32n, BigInt(MAX_DECOMPRESSED_BYTES + 1)];
  for (const size of sizes) t.equal(problemOf(lying(size), Compression.lz4), 'too_large', `${size}`);
  for (const size of [0n, 1n, 1707n, 1709n]) t.equal(problemOf(lying(size), Compression.lz4), 'lz4', `${size}`);
  const grown = growth(() => {
    for (let run = 0; run < 100; run++) problemOf(lying(BigInt(MAX_DECOMPRESSED_BYTES)), Compression.lz4);
  });
  t.ok(grown < 16 * MIB, `${grown} bytes`);
});

void test('an LZ4 match that reaches before the value is refused', async (t) => {
  const size = [40, 0, 0, 0, 0, 0, 0, 0];
  for (const distance of [0, 9]) {
    const payload = Buffer.from([...size, 0x1f, 0x41, distance, 0, 15, 0x50, 1, 2, 3, 4, 5]);
    t.equal(problemOf(payload, Compression.lz4), 'lz4', `${distance}`);
  }
});

void test('bombs are refused, and take no more memory than a value may', async (t) => {
  const zeros = Buffer.alloc(64 * MIB);
  const bombs = [
    ['zstd', zstdCompressSync(zeros), Compression.zstd],
    ['lz4', lz4(zeros), Compression.lz4],
    ['xz', xzBomb(1000), Compression.xz],
  ] as const;
  for (const [name, bomb, compression] of bombs) {
    const grown = growth(() => t.equal(problemOf(bomb, compression), 'too_large', `${name} of ${bomb.length} bytes`));
    t.ok(grown < 48 * MIB, `${name}: ${grown} bytes`);
  }
});

void test('a zstd frame that asks for a window above the bound is refused before it gets one', async (t) => {
  // A header without a size and with a window of 2^27 bytes; then a block that is the last, of one byte 128 KiB times.
  const frame = Buffer.from('28b52ffd008803001041', 'hex');
  t.equal(problemOf(frame, Compression.zstd), 'too_large');
  frame[5] = 14 << 3;
  t.equal(problemOf(frame, Compression.zstd), `${128 * 1024} bytes`, 'of 2^24 bytes, it is not');
  const declared = zstdCompressSync(Buffer.alloc(1000), { params: { [constants.ZSTD_c_windowLog]: 27 } });
  t.equal(problemOf(declared, Compression.zstd), '1000 bytes', 'a frame of a known size needs no window');
});

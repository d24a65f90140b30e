import { crc32 } from 'node:zlib';
import { compressSync } from '@napi-rs/lzma/xz';
import { test } from 'tap';
import { withoutXz, xz } from '../testdata/compressed.ts';
import { xzSize } from './xz_size.ts';

const skip = withoutXz;

/** `count` bytes that compress well. */
function text(count: number): Buffer {
  return Buffer.alloc(count, Array.from({ length: 200 }, (_, line) => `line ${line * line}\n`).join(''));
}

/** Bytes that do not compress. */
function noise(count: number): Buffer {
  let state = 1;
  return Buffer.from(Array.from({ length: count }, () => (state = Math.imul(state, 1103515245) + 12345) >>> 16));
}

void test('the size of what the library compresses is known', async (t) => {
  for (const length of [0, 1, 100, 70_000, 300_000]) t.equal(xzSize(compressSync(text(length))), length);
});

void test('the size of what xz compresses is known, with every check and of any number of blocks', { skip }, async (t) => {
  const inputs = [Buffer.alloc(0), Buffer.from('a'), text(5000), noise(200_000), Buffer.concat([text(9000), noise(100_000)])];
  for (const input of inputs) {
    for (const check of ['none', 'crc32', 'crc64', 'sha256']) {
      t.equal(xzSize(xz(input, `--check=${check}`)), input.length, `${input.length} bytes, ${check}`);
    }
    // With threads, block headers have both sizes too.
    const blocks = xz(input, '--threads=2', '--block-size=4096', '--check=crc32');
    t.equal(xzSize(blocks), input.length, `${input.length} bytes in blocks`);
  }
  t.equal(xzSize(xz(Buffer.alloc(5 * 2 ** 20), '--lzma2=dict=1MiB')), 5 * 2 ** 20, 'several chunks of 2 MiB');
});

void test('what a journal has no use for is refused: other filters, larger dictionaries', { skip }, async (t) => {
  t.equal(xzSize(xz(text(5000), '--delta', '--lzma2')), undefined);
  t.equal(xzSize(xz(text(5000), '--lzma2=dict=16MiB')), 5000);
  t.equal(xzSize(xz(text(5000), '--lzma2=dict=24MiB')), undefined);
});

void test('a stream that ends early is refused, wherever', async (t) => {
  const stream = compressSync(text(500));
  // The index does not matter here.
  const blockEnd = stream.length - 12 - 12;
  for (let end = 0; end < blockEnd; end++) if (xzSize(stream.subarray(0, end)) !== undefined) t.fail(`cut at ${end}`);
  t.equal(xzSize(stream), 500);
});

void test('chunks count as large as they say that they are', async (t) => {
  // A stream header without a check, a block header, and a chunk of each kind: stored, LZMA with and without properties.
  const blockHeader = Buffer.from([0x02, 0x00, 0x21, 0x01, 0x16, 0, 0, 0]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32LE(crc32(blockHeader));
  const chunks = [
    [0x01, 0, 2, 1, 2, 3],
    [0xe0, 0xff, 0xff, 0, 1, 0x5d, 0, 0],
    [0x9f, 0xff, 0xff, 0, 0, 0],
    [0x02, 0, 0, 9],
  ];
  const streamHeader = Buffer.from('fd377a585a000000ff12d941', 'hex');
  const stream = Buffer.concat([streamHeader, blockHeader, crc, Buffer.from([...chunks.flat(), 0]), Buffer.alloc(24)]);
  t.equal(xzSize(stream), 3 + 2 ** 16 + 2 ** 21 + 1);
  const unknown = Buffer.from(stream);
  unknown[24] = 0x03;
  t.equal(xzSize(unknown), undefined, 'there is no such chunk');
});

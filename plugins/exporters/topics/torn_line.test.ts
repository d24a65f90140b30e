import * as fc from 'fast-check';
import { test } from 'tap';
import { type ReadableAt, wholeLinesLength } from './torn_line.ts';

/** Only what `wholeLinesLength` asks of a file: reading at a position. */
function fileOf(bytes: Buffer) {
  const counted = { bytesRead: 0 };
  const file: ReadableAt = {
    async read(into, offset, length, position) {
      const bytesRead = bytes.copy(into, offset, position, position + length);
      counted.bytesRead += bytesRead;
      return { bytesRead };
    },
  };
  return { file, counted };
}

void test('a file that ends in a newline is whole, which costs one byte to find out', async (t) => {
  const bytes = Buffer.from('one\ntwo\n');
  const { file, counted } = fileOf(bytes);
  t.equal(await wholeLinesLength(file, bytes.length), 8);
  t.ok(counted.bytesRead <= 1);
});

void test('a last line without its newline is not counted', async (t) => {
  const bytes = Buffer.from('one\ntwo\nthr');
  t.equal(await wholeLinesLength(fileOf(bytes).file, bytes.length), 8);
});

void test('an empty file has no lines, and neither has one without any newline', async (t) => {
  t.equal(await wholeLinesLength(fileOf(Buffer.alloc(0)).file, 0), 0);
  t.equal(await wholeLinesLength(fileOf(Buffer.from('torn')).file, 4), 0);
});

void test('a torn line may be longer than what is read at once', async (t) => {
  for (const tornBytes of [65_535, 65_536, 65_537, 200_000]) {
    const bytes = Buffer.concat([Buffer.from('one\n'), Buffer.alloc(tornBytes, 'x')]);
    t.equal(await wholeLinesLength(fileOf(bytes).file, bytes.length), 4, `${tornBytes} bytes`);
  }
});

void test('finds the last newline wherever it is', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 150_000 }), fc.nat(), async (size, seed) => {
      const bytes = Buffer.alloc(size, 'x');
      const newline = seed % size;
      bytes[newline] = 0x0a;
      return (await wholeLinesLength(fileOf(bytes).file, size)) === newline + 1;
    }),
    { numRuns: 200 },
  );
  t.pass();
});

import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { HEADER_BYTES, parseHeader } from './format.ts';

function headerBytes(): Buffer {
  return new JournalWriter({ seqnumId: 'a1'.repeat(16), fileId: 'c3'.repeat(16), firstSeqnum: 7 })
    .append('one', 'two')
    .bytes()
    .subarray(0, HEADER_BYTES);
}

void test('a header tells the file and its sequence from others, and what is in the file', async (t) => {
  t.match(parseHeader(headerBytes()), {
    fileId: 'c3'.repeat(16),
    seqnumId: 'a1'.repeat(16),
    isCompact: true,
    state: 'online',
    entryCount: 2,
    headSeqnum: 7,
    tailSeqnum: 8,
    headRealtime: 1_700_000_000_000_000,
    tailRealtime: 1_700_000_001_000_000,
  });
});

void test('a file that is no journal, and one with a header that is not all there, are told apart', async (t) => {
  t.equal(parseHeader(headerBytes().subarray(0, HEADER_BYTES - 1)), 'truncated');
  t.equal(parseHeader(Buffer.alloc(0)), 'truncated');
  t.equal(parseHeader(Buffer.alloc(HEADER_BYTES)), 'signature');
  const unfinished = headerBytes();
  unfinished.fill(0, 88, 96);
  t.equal(parseHeader(unfinished), 'truncated', 'the size of the header is not written yet');
});

void test('a file with an incompatible feature that is not known here is refused, a compatible one is not', async (t) => {
  const incompatible = headerBytes();
  incompatible.writeUInt32LE(incompatible.readUInt32LE(12) | (1 << 5), 12);
  t.equal(parseHeader(incompatible), 'incompatible');
  const compatible = headerBytes();
  compatible.writeUInt32LE(0xffffffff, 8);
  t.match(parseHeader(compatible), { entryCount: 2 });
});

void test('numbers beyond what can be exact do not wrap around', async (t) => {
  const header = headerBytes();
  header.fill(0xff, 96, 104);
  header.fill(0xff, 152, 160);
  t.match(parseHeader(header), { end: Number.MAX_SAFE_INTEGER, entryCount: 2 ** 64 });
});

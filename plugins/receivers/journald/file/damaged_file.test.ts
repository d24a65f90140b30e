import { truncateSync, writeFileSync } from 'node:fs';
import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { numbers, openFile } from '../testdata/open_file.ts';

const SEQNUM = 16;
const ARRAY_SLOTS = 24;

function archiveOf(count: number): JournalWriter {
  const writer = new JournalWriter({ isCompact: false }).append(...numbers(1, count).map((number) => `message ${number}`));
  writer.state = 'archived';
  return writer;
}

/** The file with a 64-bit number changed, `at` behind the entry or array with that index. */
function changed(writer: JournalWriter, offset: number | undefined, at: number, value: number): Buffer {
  const bytes = writer.bytes();
  bytes.writeBigUInt64LE(BigInt(value), (offset ?? 0) + at);
  return bytes;
}

void test('an entry with a damaged number is refused, and the ones behind it are not passed with it', async (t) => {
  const writer = archiveOf(10);
  const { entries } = writer.offsets;
  for (const value of [0, 1, 4, 6, 10, 2 ** 40]) {
    const { rest, damage } = openFile(t, writer, changed(writer, entries[4], SEQNUM, value));
    t.same(rest(), [1, 2, 3, 4, 6, 7, 8, 9, 10], `${value} in place of 5`);
    t.same(damage, ['entry']);
  }
  const { rest } = openFile(t, writer, changed(writer, entries[9], SEQNUM, 11));
  t.same(rest(), numbers(1, 9), 'the last one is numbered above what the header says');
  const first = openFile(t, writer, changed(writer, entries[0], SEQNUM, 2 ** 20));
  t.same(first.rest(), numbers(2, 10));
});

void test('numbers that are given to entries of other files are no damage', async (t) => {
  const writer = new JournalWriter();
  for (const seqnum of [3, 4, 100, 101, 5000, 5001]) writer.append({ seqnum, fields: ['MESSAGE=m'] });
  const { rest, damage } = openFile(t, writer);
  t.same(rest(), [3, 4, 100, 101, 5000, 5001]);
  t.same(damage, []);
});

void test('where numbers leave room for doubt, the entries behind decide which one is damaged', async (t) => {
  const writer = new JournalWriter();
  for (const seqnum of [1, 10, 11, 12, 20]) writer.append({ seqnum, fields: ['MESSAGE=m'] });
  writer.state = 'archived';
  const { entries } = writer.offsets;
  const { rest } = openFile(t, writer, changed(writer, entries[2], SEQNUM, 5));
  t.same(rest(), [1, 10, 12, 20], 'the third, whose number is below that of the second');
  const second = openFile(t, writer, changed(writer, entries[1], SEQNUM, 14));
  t.same(second.rest(), [1, 11, 12, 20], 'the second, whose number is above those of the third and fourth');
});

void test('of an array that is cut short, the entries in the part that is there are read', async (t) => {
  const writer = archiveOf(1000);
  const { entries, arrays } = writer.offsets;
  // The eighth array has the entries from 509 on, of which the first lies before it.
  const bytes = writer.bytes().subarray(0, (arrays[7] ?? 0) + ARRAY_SLOTS + 8 * 8);
  const { rest } = openFile(t, writer, bytes);
  t.same(rest(), numbers(1, 509));
  t.ok((entries[508] ?? 0) < (arrays[7] ?? 0));
});

void test('a slot that leads to another entry costs that slot only', async (t) => {
  const writer = archiveOf(10);
  const { entries, arrays } = writer.offsets;
  for (const other of [0, 1, 3, 6, 9]) {
    // The first array has the slots of entries 1 to 4.
    const { rest, damage } = openFile(t, writer, changed(writer, arrays[0], ARRAY_SLOTS + 2 * 8, entries[other] ?? 0));
    t.same(rest(), [1, 2, 4, 5, 6, 7, 8, 9, 10], `entry ${other + 1} in place of 3`);
    t.same(damage, ['entry']);
  }
});

void test('slots that all lead to one entry give it once', async (t) => {
  const writer = archiveOf(1000);
  const bytes = writer.bytes();
  const [first = 0] = writer.offsets.entries;
  for (const [index, offset] of writer.offsets.arrays.entries()) {
    for (let slot = 0; slot < 4 * 2 ** index; slot++) bytes.writeBigUInt64LE(BigInt(first), offset + ARRAY_SLOTS + slot * 8);
  }
  const { rest, file } = openFile(t, writer, bytes);
  t.same(rest(), [1]);
  t.equal(file.unreadableCount, 999);
});

void test('looking for an entry among many that cannot be read gives up its turn, and goes on later', async (t) => {
  const writer = archiveOf(5000);
  const bytes = writer.bytes();
  for (const offset of writer.offsets.entries.slice(1, 4990)) bytes[offset] = 0;
  const { file, damage, rest } = openFile(t, writer, bytes);
  t.equal(file.advance(), true);
  let turns = 0;
  while (!file.advance()) {
    t.same([file.isSearching, file.hasEntry, file.isExhausted], [true, false, false]);
    turns += 1;
  }
  t.equal(turns, 4);
  t.equal(file.seqnum, 4991);
  t.equal(damage.length, 4989);
  t.same(rest(), numbers(4992, 5000));
  t.same([file.isSearching, file.isExhausted], [false, true]);
});

void test('so does passing over entries that were read before', async (t) => {
  const writer = archiveOf(5000);
  const bytes = writer.bytes();
  // No entry in the middle can be read, so that the search for the place ends far before it.
  for (const offset of writer.offsets.entries.slice(2400, 2600)) bytes[offset] = 0;
  const { file } = openFile(t, writer, bytes);
  file.seekBehindSeqnum(4000);
  t.equal(file.advance(), false);
  t.equal(file.isSearching, true);
  while (!file.advance()) t.equal(file.isSearching, true);
  t.equal(file.seqnum, 4001);
});

void test('a place is found although entries on the way to it cannot be read', async (t) => {
  const writer = archiveOf(1000);
  const bytes = writer.bytes();
  for (const [index, offset] of writer.offsets.entries.entries()) if (index % 8 !== 5) bytes[offset] = 0;
  const { file } = openFile(t, writer, bytes);
  for (const behind of [0, 1, 100, 500, 981]) {
    file.seekBehindTime(1_700_000_000_000_000 + behind * 1_000_000);
    const seqnum = behind + 2 + ((8 + 5 - ((behind + 1) % 8)) % 8);
    t.equal(file.advance(), true);
    t.equal(file.seqnum, seqnum, `behind ${behind}`);
  }
});

void test('entries that the header does not count are not published', async (t) => {
  const writer = archiveOf(10);
  writer.header = { entryCount: 6n };
  const { rest, damage, file } = openFile(t, writer);
  t.same(rest(), numbers(1, 6));
  t.same([damage, file.isExhausted], [[], true]);
});

void test('of entries that the header counts and nobody wrote, a file that is final says so', async (t) => {
  const writer = archiveOf(10);
  writer.header = { entryCount: 12n };
  const { rest, damage } = openFile(t, writer);
  t.same(rest(), numbers(1, 10));
  t.same(damage, ['entry', 'entry']);
});

void test('and one that is live has them written yet', async (t) => {
  const writer = new JournalWriter().append('one', 'two');
  writer.header = { entryCount: 2n ** 60n };
  const { file, rest, path, damage } = openFile(t, writer);
  t.same(rest(), [1, 2]);
  t.same([rest(), rest()], [[], []], 'nor is it passed when it is looked at again');
  writer.append('three');
  writer.header = {};
  writer.save(path);
  file.refresh();
  t.same(rest(), [3]);
  for (let round = 0; round < 20; round++) {
    writer.append('more');
    writer.header = { entryCount: BigInt(2 ** 40 + round) };
    writer.save(path);
    file.refresh();
    t.same(rest(), [4 + round]);
  }
  t.strictSame(new Set(damage), new Set(['entry_array']), 'where an array is full, the list ends before the header says so');
});

void test('a live file whose list of entries is damaged goes on when it is no longer', async (t) => {
  const writer = new JournalWriter({ isCompact: false }).append('1', '2', '3', '4', '5');
  const { file, rest, path, damage } = openFile(t, writer, changed(writer, writer.offsets.arrays[1], 0, 0));
  t.same(rest(), numbers(1, 4));
  t.same(rest(), []);
  t.same([damage, file.unreadCount, file.unreadableCount], [['entry_array'], 0, 1]);
  writer.append('6');
  writer.save(path);
  file.refresh();
  t.same(rest(), [5, 6]);
  t.same([damage, file.unreadableCount], [['entry_array'], 0]);
});

void test('a header that becomes that of another file, or none, is not gone by', async (t) => {
  const writer = new JournalWriter().append('one');
  const { file, rest, path } = openFile(t, writer);
  rest();
  const { header } = file;
  for (const at of [0, 24, 72, 12, 89]) {
    const bytes = writer.bytes();
    bytes[at] = 0x10 ^ (bytes[at] ?? 0);
    writeFileSync(path, bytes);
    file.refresh();
    t.equal(file.header, header, `a change at ${at}`);
  }
  writer.append('two');
  writer.save(path);
  file.refresh();
  t.same(rest(), [2]);
});

void test('a file is as large as it is, whatever its header says', async (t) => {
  const writer = archiveOf(1000);
  writer.header = { arenaBytes: 2n ** 62n, tailObjectOffset: 2n ** 63n, entryCount: 2n ** 64n - 1n };
  const { file, path, rest } = openFile(t, writer);
  const size = writer.bytes().length;
  t.equal(file.header.end, size);
  t.ok(file.header.entryCount < size / 64);
  truncateSync(path, writer.offsets.entries[500]);
  const read = rest();
  t.same(read, numbers(1, read.length));
});

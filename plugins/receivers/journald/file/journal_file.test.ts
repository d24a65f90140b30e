import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { numbers, openFile } from '../testdata/open_file.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { JournalFile } from './journal_file.ts';

function writerOf(count: number, isCompact: boolean): JournalWriter {
  return new JournalWriter({ isCompact }).append(...numbers(1, count).map((number) => `message ${number}`));
}

for (const isCompact of [true, false]) {
  const mode = isCompact ? 'compact' : 'regular';

  void test(`all entries of a ${mode} file are passed in order, through every entry array`, async (t) => {
    const { rest, file, damage } = openFile(t, writerOf(3000, isCompact));
    t.same(rest(), numbers(1, 3000));
    t.equal(file.isExhausted, true);
    t.same(damage, []);
  });

  void test(`a ${mode} file is entered behind any of its entries`, async (t) => {
    const { file } = openFile(t, writerOf(100, isCompact));
    for (const behind of [0, 1, 3, 4, 50, 99]) {
      file.seekBehindSeqnum(behind);
      t.equal(file.advance(), true);
      t.equal(file.seqnum, behind + 1);
      file.seekBehindSeqnum(0);
      file.seekBehindTime(1_700_000_000_000_000 + behind * 1_000_000 - 1);
      t.equal(file.advance(), true);
      t.equal(file.seqnum, behind + 1, 'by time');
    }
    file.seekBehindSeqnum(100);
    t.equal(file.advance(), false);
  });
}

void test('each entry says in which boot it was written', async (t) => {
  const boots = ['a0', 'a0', 'b1', 'a0'].map((pair) => pair.repeat(16));
  const { file } = openFile(t, new JournalWriter().append(...boots.map((bootId) => ({ bootId, fields: ['MESSAGE=m'] }))));
  const read = [];
  while (file.advance()) read.push(file.bootId);
  t.same(read, boots);
});

void test('entries appear when they are published, and not before', async (t) => {
  const writer = new JournalWriter().append('one');
  const { file, rest, path } = openFile(t, writer);
  t.same(rest(), [1]);
  writer.append('two', 'three');
  writer.save(path);
  t.equal(file.advance(), false, 'the header was not looked at again');
  file.refresh();
  t.same(rest(), [2, 3]);
  for (let round = 0; round < 50; round++) {
    writer.append('more');
    writer.save(path);
    file.refresh();
    t.same(rest(), [4 + round]);
  }
});

void test('an entry that is damaged is passed over and counted, and the ones behind it are read', async (t) => {
  const writer = writerOf(10, true);
  const bytes = writer.bytes();
  bytes[writer.offsets.entries[3] ?? 0] = 0;
  const { rest, damage } = openFile(t, writer, bytes);
  t.same(rest(), [1, 2, 3, 5, 6, 7, 8, 9, 10]);
  t.same(damage, ['entry']);
});

void test('the newest entry of a live file is waited for while it cannot be read', async (t) => {
  const writer = writerOf(3, true);
  const bytes = writer.bytes();
  bytes[writer.offsets.entries[2] ?? 0] = 0;
  const { file, rest, damage, path } = openFile(t, writer, bytes);
  t.same(rest(), [1, 2]);
  t.equal(file.isExhausted, false);
  t.same(damage, []);
  writer.save(path);
  file.refresh();
  t.same(rest(), [3]);
});

void test('a file that was cut short is read up to the cut', async (t) => {
  const writer = writerOf(1000, true);
  writer.state = 'archived';
  const { file, rest, path } = openFile(t, writer);
  truncateSync(path, writer.offsets.entries[500]);
  const read = rest();
  t.same(read, numbers(1, read.length));
  t.ok(read.length >= 250 && read.length <= 500, `${read.length} entries are listed before the cut`);
  t.equal(file.isExhausted, true);
});

void test('a list of entries that leads back to itself ends', async (t) => {
  const writer = writerOf(100, true);
  writer.state = 'archived';
  const bytes = writer.bytes();
  const [first = 0, second = 0] = writer.offsets.arrays;
  bytes.writeBigUInt64LE(BigInt(first), second + 16);
  const { file, rest, damage } = openFile(t, writer, bytes);
  t.same(rest(), numbers(1, 12));
  t.same(damage, ['entry_array']);
  t.equal(file.isExhausted, true);
});

void test('a file that is closed gives its last cursor, and goes on where it was when it is opened again', async (t) => {
  const { file, rest } = openFile(t, writerOf(5, true));
  file.advance();
  file.advance();
  const cursor = file.cursorAt(file.entryOffset);
  file.close();
  t.match(cursor, { seqnum: 2, realtime: 1_700_000_001_000_000 });
  t.same(file.cursorAt(file.entryOffset), cursor);
  file.reopen();
  t.same(rest(), [3, 4, 5]);
});

void test('a file of another name that took over is not taken for it', async (t) => {
  const { file, path } = openFile(t, writerOf(5, true));
  file.close();
  writeFileSync(path, writerOf(5, true).bytes());
  t.throws(() => file.reopen(), { code: 'path_conflict', transient: true });
});

void test('files that are no journals are refused with what to do', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  t.throws(() => new JournalFile(path, () => {}), { code: 'ENOENT' });
  writeFileSync(path, '');
  t.throws(() => new JournalFile(path, () => {}), { code: 'unsupported', transient: true });
  writeFileSync(path, Buffer.alloc(1000, 'x'));
  t.throws(() => new JournalFile(path, () => {}), { code: 'state_invalid', transient: false, message: /not a journal file/ });
  const newer = new JournalWriter().bytes();
  newer[12] = 0xff;
  writeFileSync(path, newer);
  t.throws(() => new JournalFile(path, () => {}), { code: 'unsupported', message: /newer than this reader/ });
});

void test('entries are counted between numbers, also where numbers are missing', async (t) => {
  const gappy = [3, 4, 7, 9, 12];
  const { file } = openFile(t, new JournalWriter().append(...gappy.map((seqnum) => ({ seqnum, fields: ['MESSAGE=m'] }))));
  for (const [after, before, count] of [
    [0, 100, 5],
    [3, 12, 3],
    [4, 7, 0],
    [12, 3, 0],
  ] as const) {
    t.equal(file.countBetween(after, before), count, `${after} to ${before}`);
  }
});

void test('what was not passed and what cannot be read is counted', async (t) => {
  const writer = new JournalWriter({ isCompact: false }).append('one', 'two', 'three', 'four');
  const damaged = writer.bytes();
  damaged[writer.offsets.entries[1] ?? 0] = 0;
  const { file } = openFile(t, writer, damaged);
  const counts = (): number[] => [file.unreadCount, file.unreadableCount];
  t.same(counts(), [4, 0]);
  file.advance();
  t.same(counts(), [4, 0], 'the current entry is not passed yet');
  file.advance();
  t.same([file.seqnum, ...counts()], [3, 2, 1]);
  while (file.advance());
  t.same(counts(), [0, 1]);
});

void test('a file that is emptied while it is read, as journald does before it removes one, ends there without damage', async (t) => {
  const { file, path, damage } = openFile(t, writerOf(5000, true));
  file.advance();
  writeFileSync(path, Buffer.alloc(file.header.end));
  let passed = 1;
  while (file.advance()) passed += 1;
  t.ok(passed < 5000, `${passed} entries were in memory`);
  t.same([damage, file.isExhausted, file.unreadableCount], [[], true, 0]);
  t.equal(file.unreadCount, 5000 - passed);
});

import { mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { LossReason } from '../lost_entries.ts';
import { seqnumCursor } from '../file/cursor.ts';
import { Positions } from '../position/positions.ts';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { JournalDirectories } from './directories.ts';
import { Journal } from './journal.ts';

const [SYSTEM, USER] = ['5e'.repeat(16), '0e'.repeat(16)];
const START = 1_700_000_000_000_000;

function entryAt(seqnum: number): EntrySpec {
  return { seqnum, realtime: START + seqnum * 1e6, fields: [`MESSAGE=${seqnum}`] };
}

interface Options {
  readonly positions?: Positions;
  readonly includeUsers?: boolean;
}

/** A journal on an empty directory, in which entries are numbered by the second. */
function setUp(t: { teardown(run: () => void): unknown }, { positions = new Positions(0), includeUsers = true }: Options = {}) {
  const directory = join(temporaryDirectory(t), 'journal');
  mkdirSync(directory);
  const lost: [LossReason, number][] = [];
  const directories = new JournalDirectories([directory], { includeUsers });
  const journal = new Journal(
    directories,
    positions,
    () => {},
    (reason, count) => lost.push([reason, count]),
  );
  t.teardown(() => journal.close());
  const path = (name: string): string => join(directory, name);
  /** Saves a file with entries of these numbers. */
  const save = (name: string, numbers: readonly number[], seqnumId = SYSTEM): JournalWriter => {
    const writer = new JournalWriter({ seqnumId }).append(...numbers.map((number) => entryAt(number)));
    if (name.includes('@')) writer.state = 'archived';
    writer.save(path(name));
    return writer;
  };
  /** Numbers of up to `count` entries. */
  const read = (count = Infinity): number[] => {
    const numbers: number[] = [];
    while (numbers.length < count) {
      const file = journal.current();
      if (file === undefined) break;
      numbers.push(file.seqnum);
      journal.advance();
    }
    return numbers;
  };
  /** Looks as often as it takes to believe what is seen. */
  const look = (count = Infinity): number[] => {
    const numbers: number[] = [];
    for (let time = 0; time < 5; time++) {
      journal.refresh(true);
      numbers.push(...read(count - numbers.length));
    }
    return numbers;
  };
  return { directory, path, save, read, look, lost, journal };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

/** How many files that were removed from the directory this process has open. */
function openDeletedIn(directory: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return ''; // It was that of the listing itself.
    }
  });
  return targets.filter((target) => target.startsWith(directory) && target.endsWith('(deleted)')).length;
}

void test('of a file that is removed before it is read, what was not read is lost', async (t) => {
  const { save, path, look, lost } = setUp(t);
  save('system@1.journal', range(1, 10));
  save('system@2.journal', range(11, 25));
  save('system.journal', range(26, 30));
  t.same(look(3), [1, 2, 3]);
  rmSync(path('system@2.journal'));
  t.same(look(), [...range(4, 10), ...range(26, 30)]);
  t.same(lost, [['vacuumed', 15]]);
});

void test('a file that is open can be read to its end, whether it has a name or not', async (t) => {
  const { save, path, look, lost } = setUp(t);
  save('system@1.journal', range(1, 10));
  save('system.journal', range(11, 12));
  t.same(look(3), [1, 2, 3]);
  rmSync(path('system@1.journal'));
  t.same([look(), lost], [range(4, 12), []]);
});

void test('numbers between files that were never seen are lost, and counted once', async (t) => {
  const { save, look, lost } = setUp(t);
  save('system@1.journal', range(1, 3));
  t.same(look(), [1, 2, 3]);
  save('system@2.journal', range(10, 12));
  save('system.journal', range(20, 21));
  t.same(look(), [10, 11, 12, 20, 21]);
  look();
  t.same(lost, [
    ['vacuumed', 6],
    ['vacuumed', 7],
  ]);
});

void test('numbers that another sequence was read up to before the start may be of its entries, wherever they are missing', async (t) => {
  const positions = new Positions(0);
  positions.set(seqnumCursor(SYSTEM, 5, START + 5e6));
  positions.set(seqnumCursor(USER, 20, START + 20e6));
  const { save, look, lost } = setUp(t, { positions });
  save('system@1.journal', [...range(1, 3), ...range(5, 7)]);
  save('system.journal', [11, 12, 21]);
  // The file with what the user had written up to then, 8 to 10 among it, was read and is gone.
  save('user-1000.journal', [22, 23], USER);
  t.same(look(), [6, 7, 11, 12, 21, 22, 23]);
  t.same(lost, []);
});

void test('numbers behind the saved position are lost, and those before it are nobody’s business', async (t) => {
  const positions = new Positions(0);
  positions.set(seqnumCursor(SYSTEM, 7, START));
  const { save, look, lost } = setUp(t, { positions });
  save('system@1.journal', range(1, 2));
  save('system@2.journal', range(5, 6));
  save('system.journal', range(10, 12));
  t.same([look(), lost], [range(10, 12), [['vacuumed', 2]]]);
});

void test('what is older than all that was ever read is no loss', async (t) => {
  const { save, look, lost } = setUp(t);
  save('system.journal', range(100, 102));
  t.same([look(), lost], [range(100, 102), []]);
});

void test('a loss is not told of before the file behind it is read, nor at first sight', async (t) => {
  const { save, look, lost, journal, read } = setUp(t);
  save('system@1.journal', range(1, 3));
  save('system.journal', range(10, 12));
  look(3);
  t.same(lost, [], 'nobody has come to it yet');
  read();
  for (const count of [0, 0, 1]) {
    journal.refresh(true);
    t.equal(lost.length, count);
  }
});

void test('a file that turns up late fills the hole', async (t) => {
  const { save, journal, read, look, lost } = setUp(t);
  save('system@1.journal', range(1, 3));
  save('system.journal', range(10, 12));
  journal.refresh(true);
  read();
  save('system@2.journal', range(4, 9));
  t.same([look(), lost], [range(4, 9), []]);
});

void test('numbers that a user’s file has are not missing in the system’s', async (t) => {
  const { save, look, lost } = setUp(t);
  save('system@1.journal', [1, 2, 5]);
  save('system.journal', [10, 14]);
  save('user-1000.journal', [3, 4, 6, 7, 8, 13], USER);
  t.equal(look().length, 11);
  t.same(lost, [['vacuumed', 1]], 'only number 9 is in neither');
});

void test('numbers that a user’s file has had are not missing either', async (t) => {
  const { save, path, look, lost } = setUp(t);
  save('system@1.journal', [1, 2]);
  save('user-1000@1.journal', [3, 4], USER);
  look();
  rmSync(path('user-1000@1.journal'));
  look();
  save('system.journal', [5, 6]);
  t.same([look(), lost], [[5, 6], []]);
});

void test('where files of users are left out, nobody can tell whose a missing number was', async (t) => {
  const { save, path, look, lost } = setUp(t, { includeUsers: false });
  save('system@1.journal', [1, 2]);
  save('user-1000@1.journal', [3, 4], USER);
  save('system@2.journal', [7, 8]);
  save('system.journal', [15]);
  t.same(look(1), [1]);
  rmSync(path('system@2.journal'));
  t.same(look(), [2, 15]);
  t.same(lost, [['vacuumed', 2]], 'those of a file that was seen');
});

void test('nothing is lost while a file system is away', async (t) => {
  const { directory, save, look, lost } = setUp(t);
  save('system@1.journal', range(1, 3));
  save('system@2.journal', range(4, 6));
  save('system.journal', range(7, 8));
  t.same(look(2), [1, 2]);
  renameSync(directory, `${directory}.away`);
  t.same(look(1), [3]);
  renameSync(`${directory}.away`, directory);
  t.same([look(), lost], [range(4, 8), []]);
});

void test('a directory that is removed and made anew takes its files along, and what was not read in them is lost', async (t) => {
  const { directory, save, look, lost, journal } = setUp(t);
  save('system@1.journal', range(1, 3));
  save('system@2.journal', range(4, 6));
  save('system.journal', range(7, 8));
  t.same(look(2), [1, 2]);
  rmSync(directory, { recursive: true });
  mkdirSync(directory);
  save('user-1000.journal', range(20, 21), USER);
  t.same(look(), [3, 7, 8, 20, 21], 'what is open is read to its end');
  t.same(lost, [['vacuumed', 3]]);
  t.equal(journal.files.length, 1);
  t.equal(openDeletedIn(directory), 0, 'nothing holds their space');
});

void test('a directory that is moved away may be back, though one of its files that is open was removed before', async (t) => {
  const { directory, path, save, look, lost } = setUp(t);
  save('system@1.journal', range(1, 3));
  save('system@2.journal', range(4, 6));
  save('user-1000.journal', range(7, 8), USER);
  save('system.journal', range(9, 10));
  t.same(look(2), [1, 2]);
  rmSync(path('user-1000.journal'));
  renameSync(directory, `${directory}.away`);
  mkdirSync(directory);
  t.same(look(), [3, 7, 8, 9, 10]);
  rmSync(directory, { recursive: true });
  renameSync(`${directory}.away`, directory);
  t.same([look(), lost], [[4, 5, 6], []]);
});

void test('nothing is lost that may be in a file that cannot be read now', async (t) => {
  const { save, path, look, lost } = setUp(t);
  save('system@1.journal', range(1, 3));
  const hidden = save('system@2.journal', range(4, 6)).bytes();
  const foreign = Buffer.from(hidden);
  foreign.writeUInt32LE(1 << 20, 12);
  writeFileSync(path('system@2.journal'), foreign);
  save('system.journal', range(7, 8));
  t.same([look(), lost], [[1, 2, 3, 7, 8], []]);
  writeFileSync(path('system@2.journal'), hidden);
  t.same([look(), lost], [[4, 5, 6], []]);
});

void test('what is in a damaged file is unreadable, be it an entry or the file', async (t) => {
  const { save, path, look, lost } = setUp(t);
  const first = save('system@1.journal', range(1, 5));
  const bytes = first.bytes();
  bytes[first.offsets.entries[2] ?? 0] = 0;
  writeFileSync(path('system@1.journal'), bytes);
  save('system@2.journal', range(6, 9));
  writeFileSync(path('system@2.journal'), Buffer.alloc(4096, 7));
  save('system.journal', range(10, 11));
  t.same(look(), [1, 2, 4, 5, 10, 11]);
  t.same(lost, [
    ['unreadable', 1],
    ['unreadable', 4],
  ]);
});

void test('what had been read of a file that is removed is not lost', async (t) => {
  const positions = new Positions(0);
  positions.set(seqnumCursor(SYSTEM, 7, START));
  const { save, path, look, lost, journal } = setUp(t, { positions });
  save('system@1.journal', range(1, 5));
  save('system@2.journal', range(6, 10));
  save('system.journal', range(11, 12));
  journal.refresh(true);
  rmSync(path('system@1.journal'));
  rmSync(path('system@2.journal'));
  t.same([look(), lost], [[11, 12], [['vacuumed', 3]]]);
});

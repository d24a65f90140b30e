import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import type { JournalFile } from '../file/journal_file.ts';
import { Positions } from '../position/positions.ts';
import { type EntrySpec, JournalWriter, type WriterOptions } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { JournalDirectories } from './directories.ts';
import { Journal } from './journal.ts';

const SEQUENCE = '5e'.repeat(16);

/** A journal on an empty directory, and a way to read all it has. */
function journalIn(t: { teardown(run: () => void): unknown }, positions = new Positions(0)) {
  const directory = temporaryDirectory(t);
  const damage: string[] = [];
  const directories = new JournalDirectories([directory]);
  const journal = new Journal(directories, positions, (reason) => damage.push(reason));
  t.teardown(() => journal.close());
  /** Seqnums of what can be read without looking again. */
  const drain = (): number[] => {
    const seqnums = [];
    for (let file = journal.current(); file !== undefined; file = journal.current()) {
      seqnums.push(file.seqnum);
      journal.advance();
    }
    return seqnums;
  };
  const look = (): number[] => {
    journal.refresh(false);
    return drain();
  };
  const path = (name: string): string => join(directory, name);
  /** Saves an archived file with the one entry `seqnum`. */
  const archive = (seqnum: number): string => {
    const file = entries(writer(), seqnum);
    file.state = 'archived';
    file.save(path(`system@${seqnum}.journal`));
    return path(`system@${seqnum}.journal`);
  };
  return { journal, directories, directory, path, look, drain, damage, archive };
}

function entries(writer: JournalWriter, ...seqnums: number[]): JournalWriter {
  return writer.append(...seqnums.map((seqnum) => ({ seqnum, fields: [`MESSAGE=${seqnum}`] })));
}

function writer(options: WriterOptions = {}): JournalWriter {
  return new JournalWriter({ seqnumId: SEQUENCE, ...options });
}

void test('files of one sequence are read as one, in the order of their numbers', async (t) => {
  const { path, look, journal } = journalIn(t);
  entries(writer(), 1, 4, 5, 9).save(path('system.journal'));
  entries(writer(), 2, 3, 8).save(path('user-1000.journal'));
  entries(writer(), 6, 7).save(path('user-1001.journal'));
  journal.refresh(true);
  t.same(look(), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

function entryAt(seqnum: number, seconds: number, bootId: string): EntrySpec {
  return { seqnum, realtime: seconds * 1e6, monotonic: seqnum, bootId: bootId.repeat(32), fields: ['MESSAGE=m'] };
}

void test('files of several sequences are read in the order of time, of the boot’s clock within a boot', async (t) => {
  const { path, look, journal } = journalIn(t);
  const contents = {
    a: [entryAt(1, 10, '1'), entryAt(4, 50, '1')],
    b: [entryAt(2, 11, '1'), entryAt(3, 60, '1'), entryAt(5, 20, '1')],
    c: [entryAt(6, 5, '2'), entryAt(7, 100, '2')],
  };
  for (const [name, list] of Object.entries(contents)) {
    new JournalWriter({ seqnumId: name.repeat(32) }).append(...list).save(path(`${name}.journal`));
  }
  journal.refresh(true);
  t.same(look(), [6, 1, 2, 3, 4, 5, 7]);
});

void test('numbers stay in order though a file grows after it was looked at, and before another is', async (t) => {
  const { path, look, drain, journal } = journalIn(t);
  const writers = new Map(
    ['system.journal', 'user-1000.journal'].map((name, index) => [path(name), entries(writer(), index + 1)]),
  );
  for (const [at, file] of writers) file.save(at);
  journal.refresh(true);
  t.same(drain(), [1, 2]);
  const [lookedAtFirst, lookedAtNext] = journal.files;
  if (lookedAtFirst === undefined || lookedAtNext === undefined) throw new Error('there are two files');
  const append = (file: JournalFile, seqnum: number): void => {
    const its = writers.get(file.path);
    if (its !== undefined) entries(its, seqnum).save(file.path);
  };
  const refresh = lookedAtNext.refresh.bind(lookedAtNext);
  let next = 3;
  lookedAtNext.refresh = () => {
    append(lookedAtFirst, next++);
    append(lookedAtNext, next++);
    refresh();
  };
  t.same(look(), [3, 4], 'number 6 is there already, but not yet number 5');
  lookedAtNext.refresh = refresh;
  t.same(look(), [5, 6]);
});

void test('a journal that rotates is read on, without a gap and without repeating anything', async (t) => {
  const { path, look, journal } = journalIn(t);
  let current = entries(writer(), 1, 2);
  current.save(path('system.journal'));
  journal.refresh(true);
  t.same(look(), [1, 2]);
  for (let round = 1; round <= 5; round++) {
    const next = round * 10;
    // The last entry before the rotation and the first one after it turn up together.
    entries(current, next).save(path('system.journal'));
    current.archive(path('system.journal'), path(`system@${round}.journal`));
    current = entries(writer(), next + 1);
    current.save(path('system.journal'));
    t.same([...look(), ...look()], [next, next + 1]);
  }
  t.equal(journal.files.filter((file) => file.isOpen).length, 1, 'archived files that were read are closed');
});

void test('an archived file of which nothing is left to be read is not opened', async (t) => {
  const positions = new Positions(0);
  positions.set({ text: `s=${SEQUENCE};i=2`, seqnumId: SEQUENCE, seqnum: 2, bootId: undefined, realtime: 0 });
  const { path, look, journal } = journalIn(t, positions);
  const old = entries(writer(), 1, 2);
  old.state = 'archived';
  old.save(path('system@1.journal'));
  const later = entries(writer(), 3);
  later.state = 'archived';
  later.save(path('system@2.journal'));
  journal.refresh(true);
  t.same(
    journal.files.map((file) => file.isOpen),
    [false, false],
    'the other one is opened when its turn has come',
  );
  t.same(look(), [3]);
});

void test('files that were left unclean are closed when they were read, as archived ones are', async (t) => {
  const { path, look, journal } = journalIn(t);
  entries(writer(), 1).save(path('system@1.journal~'));
  journal.refresh(true);
  t.same(look(), [1]);
  t.equal(journal.files.filter((file) => file.isOpen).length, 0);
});

void test('a file of which nothing is left to be read takes no memory until it grows', async (t) => {
  const { path, look, journal } = journalIn(t);
  const live = entries(writer(), 1, 2);
  live.save(path('system.journal'));
  journal.refresh(true);
  const file = journal.current();
  t.not(file?.findEntry(), -1);
  t.not(file?.windows.bytes.length, 0);
  t.same(look(), [1, 2]);
  t.equal(file?.windows.bytes.length, 0);
  t.match(file?.cursorAt(file.entryOffset)?.text, /;i=2;/, 'its last cursor can be told');
  t.equal(file?.windows.bytes.length, 0);
  entries(live, 3).save(path('system.journal'));
  journal.refresh(false);
  t.equal(journal.current()?.seqnum, 3);
  t.not(file?.findEntry(), -1);
  t.not(file?.windows.bytes.length, 0);
});

void test('files that are read one after the other take the same memory', async (t) => {
  const { archive, journal } = journalIn(t);
  for (let seqnum = 1; seqnum <= 20; seqnum++) archive(seqnum);
  const taken = new Set<Buffer>();
  journal.refresh(true);
  for (let file = journal.current(); file !== undefined; file = journal.current()) {
    t.not(file.findEntry(), -1);
    taken.add(file.windows.bytes);
    journal.advance();
  }
  t.ok(taken.size <= 4, `${taken.size} buffers for 20 files`);
});

void test('a file that is renamed between being found and being read is read under its new name', async (t) => {
  const { path, drain, journal } = journalIn(t);
  const [first, second] = [entries(writer(), 1), entries(writer(), 2)];
  for (const [name, file] of [
    ['a.journal', first],
    ['b.journal', second],
  ] as const) {
    file.state = 'archived';
    file.save(path(name));
  }
  journal.refresh(true);
  renameSync(path('b.journal'), path('c.journal'));
  t.same(drain(), [1, 2]);
});

void test('a file that is removed does not keep others from being read', async (t) => {
  const { path, drain, look, journal } = journalIn(t);
  for (const number of [1, 2, 3]) {
    const file = entries(writer(), number);
    file.state = 'archived';
    file.save(path(`${number}.journal`));
  }
  journal.refresh(true);
  rmSync(path('2.journal'));
  t.same(drain(), [1, 3]);
  for (let round = 0; round < 4; round++) journal.refresh(true);
  t.equal(journal.files.length, 2);
  entries(writer(), 4).save(path('4.journal'));
  t.same([...look(), ...look()], [4]);
});

void test('files that cannot be opened any more do not keep others from being read, and are tried again at the next look', async (t) => {
  const { archive, drain, look, journal } = journalIn(t);
  const [first, second] = [archive(1), archive(2)];
  archive(3);
  journal.refresh(true);
  const sound = [first, second].map((at) => [at, readFileSync(at)] as const);
  for (const [at, bytes] of sound) writeFileSync(at, Buffer.from(bytes).fill(0x41, 0, 8));
  t.same(drain(), [3]);
  t.same([...journal.problems.keys()], [first, second]);
  for (const [at, bytes] of sound) writeFileSync(at, bytes);
  t.same(drain(), []);
  journal.refresh(true);
  t.same([...look(), [...journal.problems]], [1, 2, []]);
});

void test('of very many files that cannot be opened any more, one look for the next entry tries some', async (t) => {
  const { archive, journal } = journalIn(t);
  const paths = Array.from({ length: 99 }, (_, index) => archive(index + 1));
  archive(100);
  journal.refresh(true);
  for (const at of paths) writeFileSync(at, Buffer.alloc(4096, 0x41));
  t.same([journal.current(), journal.isSearching], [undefined, true]);
  t.ok(journal.problems.size < 99, `${journal.problems.size} were tried`);
  t.equal(journal.current()?.seqnum, 100);
});

void test('of many files that are gone at once, the first has their directory listed', async (t) => {
  const { archive, journal, directories, drain } = journalIn(t);
  const paths = Array.from({ length: 20 }, (_, index) => archive(index + 1));
  archive(100);
  journal.refresh(true);
  for (const at of paths) rmSync(at);
  let lists = 0;
  const list = directories.list.bind(directories);
  directories.list = () => {
    lists += 1;
    return list();
  };
  t.same(drain(), [100]);
  // Twice, since a directory that was found changed may change again within the same tick of the clock.
  t.equal(lists, 2);
});

void test('machine-id directories are read too, and other things in the way are left alone', async (t) => {
  const { directory, path, look, journal } = journalIn(t);
  const machine = join(directory, '0123456789abcdef0123456789abcdef');
  mkdirSync(machine);
  mkdirSync(path('remote'));
  mkdirSync(path('directory.journal'));
  entries(writer(), 1).save(join(machine, 'system.journal'));
  entries(writer(), 2).save(path('unclean.journal~'));
  entries(writer(), 3).save(join(directory, 'remote', 'other.journal'));
  entries(writer(), 4).save(path('notes.txt'));
  journal.refresh(true);
  t.same(look(), [1, 2]);
});

void test('directories and files that come later are found', async (t) => {
  const directory = join(temporaryDirectory(t), 'journal');
  const directories = new JournalDirectories([directory]);
  const journal = new Journal(directories, new Positions(0), () => {});
  t.teardown(() => journal.close());
  journal.refresh(true);
  t.same([journal.current(), directories.present], [undefined, []]);
  mkdirSync(join(directory, 'ab'.repeat(16)), { recursive: true });
  journal.refresh(false);
  entries(writer(), 1).save(join(directory, 'ab'.repeat(16), 'system.journal'));
  journal.refresh(false);
  t.equal(journal.current()?.seqnum, 1);
  t.same(
    directories.present.map(({ path }) => path),
    [directory, join(directory, 'ab'.repeat(16))],
  );
});

void test('what cannot be read is named with its reason, and does not keep the rest from being read', async (t) => {
  const { path, look, journal } = journalIn(t);
  writeFileSync(path('bad.journal'), Buffer.alloc(1000, 1));
  writeFileSync(path('new.journal'), '');
  entries(writer(), 1).save(path('good.journal'));
  journal.refresh(true);
  t.same(look(), [1]);
  t.same([...journal.problems.keys()], [path('bad.journal')], 'a file without a header yet is being made');
  t.match(journal.problems.get(path('bad.journal')), /not a journal file/);
  entries(writer(), 2).save(path('new.journal'));
  rmSync(path('bad.journal'));
  journal.refresh(true);
  t.same(look(), [2]);
  t.same([...journal.problems], []);
});

void test('a copy of a file is the same file', async (t) => {
  const { path, look, journal } = journalIn(t);
  const file = entries(writer(), 1, 2);
  file.save(path('a.journal'));
  file.save(path('b.journal'));
  journal.refresh(true);
  t.same([...look(), ...look(), ...look()], [1, 2]);
});

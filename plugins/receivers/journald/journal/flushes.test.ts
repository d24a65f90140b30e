import fc from 'fast-check';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalFile } from '../file/journal_file.ts';
import { FlushingJournald } from '../testdata/flushing_journald.ts';
import { JournalReader } from '../testdata/journal_reader.ts';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

interface Tap {
  teardown(run: () => void): unknown;
}

function setUp(t: Tap) {
  const journald = new FlushingJournald(temporaryDirectory(t));
  const reader = new JournalReader(journald.root);
  t.teardown(() => reader.close());
  const write = (...texts: string[]): void => {
    for (const text of texts) journald.write(text);
  };
  const sameTime = (...texts: string[]): void => {
    for (const [index, text] of texts.entries()) journald.write(text, index === 0);
  };
  return { journald, reader, write, sameTime };
}

/** Each entry was read once, and in order. */
function isComplete({ read }: JournalReader, { written }: FlushingJournald): boolean {
  const times = read.map((identity) => /;t=([0-9a-f]+)/.exec(identity)?.[1] ?? '');
  return read.length === written && times.every((time, index) => index === 0 || (times[index - 1] ?? '') <= time);
}

for (const isRestarted of [false, true]) {
  const when = isRestarted ? ', nor over a restart' : '';

  void test(`what was read before a flush is not read again from where it was copied to${when}`, async (t) => {
    const { journald, reader, write } = setUp(t);
    write('1', '2', '3');
    reader.look();
    journald.flush();
    if (isRestarted) reader.restart();
    write('4', '5');
    reader.look();
    reader.look();
    t.equal(isComplete(reader, journald), true);
  });

  void test(`what was not read before a flush is read, and once${when}`, async (t) => {
    const { journald, reader, write } = setUp(t);
    write('1', '2', '3', '4');
    reader.look(2);
    if (isRestarted) reader.restart();
    journald.flush();
    if (isRestarted) reader.restart();
    write('5');
    reader.look();
    reader.look();
    t.equal(isComplete(reader, journald), true);
  });

  void test(`of entries of one time those that were read are not read again${when}`, async (t) => {
    const { journald, reader, sameTime } = setUp(t);
    sameTime('1', '2', '3', '4');
    reader.look(2);
    journald.flush();
    if (isRestarted) reader.restart();
    reader.look();
    t.equal(isComplete(reader, journald), true);
  });

  void test(`a journal that goes back to the runtime file and is flushed again is read once${when}`, async (t) => {
    const { journald, reader, write } = setUp(t);
    for (let round = 0; round < 3; round++) {
      write('runtime', 'runtime');
      reader.look();
      journald.flush();
      write('persistent');
      reader.look();
      journald.relinquish();
      write('runtime again');
      reader.look();
      if (isRestarted) reader.restart();
    }
    journald.flush();
    reader.look();
    reader.look();
    t.equal(isComplete(reader, journald), true);
  });
}

void test('copies are not read while they are being made', async (t) => {
  const { journald, reader, write } = setUp(t);
  write('1', '2', '3', '4', '5');
  reader.look(3);
  journald.flush(2);
  reader.look(1);
  journald.flush(2);
  reader.look();
  t.equal(isComplete(reader, journald), true);
  journald.flush();
  write('6');
  reader.look();
  t.equal(isComplete(reader, journald), true);
});

/** An entry that says its text, `monotonic` microseconds behind the start. */
function entryOf(text: string, monotonic: number): EntrySpec {
  return { realtime: 1_700_000_000_000_000 + monotonic, monotonic, fields: [`MESSAGE=${text}`] };
}

void test('of entries of one time that a flush copied to two files, what was not read before a restart is read', async (t) => {
  const directory = temporaryDirectory(t);
  const root = { persistent: join(directory, 'var'), runtime: join(directory, 'run') };
  for (const path of Object.values(root)) mkdirSync(path);
  const [first, second, third] = [entryOf('1', 1), entryOf('2', 2), entryOf('3', 2)];
  const runtimePath = join(root.runtime, 'system.journal');
  new JournalWriter({ seqnumId: 'aa'.repeat(16) }).append(first, second, third).save(runtimePath);
  const reader = new JournalReader(root);
  t.teardown(() => reader.close());
  reader.look(2);
  rmSync(runtimePath);
  new JournalWriter().append(first).save(join(root.persistent, 'system@1.journal'));
  new JournalWriter({ firstSeqnum: 2 }).append(second, third).save(join(root.persistent, 'system.journal'));
  reader.restart();
  reader.look();
  t.equal(reader.read.length, 3);
});

void test('what a boot before has left in the persistent file is read, though the runtime file was read first', async (t) => {
  const { journald, reader, write } = setUp(t);
  write('1');
  journald.flush();
  reader.look();
  write('2');
  journald.boot();
  write('3');
  const early = new JournalReader({ ...journald.root, persistent: '/not/mounted/yet' }, reader.positions);
  t.teardown(() => early.close());
  early.look();
  const late = new JournalReader(journald.root, early.positions);
  t.teardown(() => late.close());
  journald.flush();
  late.look();
  t.same(
    [reader, early, late].map(({ read }) => read.length),
    [1, 1, 1],
  );
});

void test('entries of one time that were flushed to several files are read on with the first that was not read', async (t) => {
  const [persistent, runtime] = [temporaryDirectory(t), temporaryDirectory(t)];
  const entries = ['1', '2', '3', '4'].map((text) => ({ realtime: 1e15, monotonic: 7, fields: [`MESSAGE=${text}`] }));
  new JournalWriter({ seqnumId: 'aa'.repeat(16) }).append(...entries).save(join(runtime, 'system.journal'));
  const reader = new JournalReader({ persistent, runtime });
  t.teardown(() => reader.close());
  reader.look(2);
  reader.restart();
  rmSync(join(runtime, 'system.journal'));
  for (const [number, part] of [entries.slice(0, 3), entries.slice(3)].entries()) {
    const writer = new JournalWriter({ seqnumId: 'bb'.repeat(16), firstSeqnum: 1 + number * 3 }).append(...part);
    writer.save(join(persistent, number === 0 ? 'z.journal' : 'a.journal'));
  }
  reader.look();
  t.equal(reader.read.length, 4);
  t.equal(new Set(reader.read).size, 4);
});

/** Counts the calls of a method, of all files; returns how many there were. */
function countCalls(t: Tap, name: 'advance' | 'readAt'): () => number {
  type Method = (this: JournalFile, ...args: unknown[]) => unknown;
  const own: TypedPropertyDescriptor<Method> = Object.getOwnPropertyDescriptor(JournalFile.prototype, name) ?? {};
  let count = 0;
  function counted(this: JournalFile, ...args: unknown[]): unknown {
    count += 1;
    return own.value?.apply(this, args);
  }
  Object.defineProperty(JournalFile.prototype, name, { ...own, value: counted });
  t.teardown(() => Object.defineProperty(JournalFile.prototype, name, own));
  return () => count;
}

void test('whether a file has what was read before the start is found out without a look at each entry', async (t) => {
  const { journald, reader, write } = setUp(t);
  const count = 500;
  write(...Array.from({ length: count }, (_, index) => `${index}`));
  reader.look();
  journald.flush();
  reader.restart();
  write('last');
  const counts = (['advance', 'readAt'] as const).map((name) => countCalls(t, name));
  reader.look();
  t.equal(isComplete(reader, journald), true);
  const looks = counts.reduce((sum, calls) => sum + calls(), 0);
  t.ok(looks >= count && looks < count + 100, `${looks} looks; each copy is passed once, whatever is known of it`);
});

type Step = (journald: FlushingJournald, reader: JournalReader) => void;

function stepsWith(write: fc.Arbitrary<Step>, others: readonly Step[]): fc.Arbitrary<Step[]> {
  const step = fc.oneof(
    { weight: 6, arbitrary: write },
    {
      weight: 4,
      arbitrary: fc.nat(4).map(
        (count): Step =>
          (_, reader) =>
            reader.look(count),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.nat(2).map(
        (count): Step =>
          (_, reader) =>
            reader.take(count),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.constantFrom(1, 2, Infinity).map(
        (count): Step =>
          (journald) =>
            journald.flush(count),
      ),
    },
    { weight: 2, arbitrary: fc.constantFrom<Step>((journald) => journald.relinquish(), ...others) },
  );
  return fc.array(step, { maxLength: 60 });
}

/** Runs steps that are made up, and then reads what is left. */
function isAlwaysComplete(t: Tap, steps: fc.Arbitrary<Step[]>): void {
  const directory = temporaryDirectory(t);
  let run = 0;
  const property = fc.property(steps, (list) => {
    const journald = new FlushingJournald(`${directory}/${(run += 1)}`);
    const reader = new JournalReader(journald.root);
    try {
      for (const step of list) step(journald, reader);
      for (let look = 0; look < 3; look++) reader.look();
      return isComplete(reader, journald);
    } finally {
      reader.close();
    }
  });
  fc.assert(property, { numRuns: 150 });
}

const isNewTime = fc.boolean();

void test('whatever journald does, while the reader is anywhere, every entry is read once', async (t) => {
  const write = fc.tuple(fc.constantFrom('a', 'b'), isNewTime).map(
    ([text, isNew]): Step =>
      (journald) =>
        journald.write(text, isNew),
  );
  isAlwaysComplete(t, stepsWith(write, []));
  t.pass();
});

void test('the same holds over restarts, unless entries of one time say the same', async (t) => {
  const write = isNewTime.map(
    (isNew): Step =>
      (journald) =>
        journald.write(`message ${journald.written}`, isNew),
  );
  isAlwaysComplete(t, stepsWith(write, [(_, reader) => reader.restart()]));
  t.pass();
});

import fc from 'fast-check';
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalReader } from '../testdata/journal_reader.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { readWithSystemd, withoutSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { Positions } from '../position/positions.ts';
import { JournalDirectories } from './directories.ts';
import { Journal } from './journal.ts';

const START = 1_700_000_000_000_000;
/** Boots are so far apart that the wall clock tells them apart, though it is set now and then. */
const BOOT_MICROS = 1e9;
/** Files of three sequences, two of each. */
const SEQUENCES = [0, 0, 1, 1, 2, 2] as const;
const file = fc.nat(SEQUENCES.length - 1);

/** What happens in a made-up world: an entry is written, perhaps a copy of it to another file, or the machine boots. */
const happening = fc.record({
  file,
  copyTo: fc.option(file, { freq: 3, nil: undefined }),
  isBoot: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
  /** Of entries of one time journalctl leaves some out where their order in a file is not that of their hashes; we do not. */
  elapsedMicros: fc.integer({ min: 1, max: 3 }),
  clockIsSetBy: fc.constantFrom(0, 0, 0, -50, 50),
});

type Happening = typeof happening extends fc.Arbitrary<infer T> ? T : never;

/** Writes the world to files in `directory`, and returns their paths. */
function writeWorld(directory: string, happenings: readonly Happening[]): string[] {
  const writers = SEQUENCES.map((sequence) => new JournalWriter({ seqnumId: String(sequence).repeat(32) }));
  const [seqnums, used] = [[0, 0, 0], new Set<number>()];
  let [boot, monotonic, realtime] = [0, 0, START];
  for (const [index, { file, copyTo, isBoot, elapsedMicros, clockIsSetBy }] of happenings.entries()) {
    if (isBoot) [boot, monotonic, realtime] = [boot + 1, 0, START + (boot + 1) * BOOT_MICROS];
    monotonic += elapsedMicros;
    realtime += elapsedMicros + clockIsSetBy;
    for (const target of new Set([file, copyTo ?? file])) {
      const sequence = SEQUENCES[target] ?? 0;
      const seqnum = (seqnums[sequence] = (seqnums[sequence] ?? 0) + 1);
      const fields = [`MESSAGE=${index}`];
      writers[target]?.append({ seqnum, realtime, monotonic, bootId: String(boot).padStart(32, 'b'), fields });
      used.add(target);
    }
  }
  return [...used].map((index) => {
    const path = join(directory, `${index}.journal`);
    writers[index]?.save(path);
    return path;
  });
}

void test('whatever is in the files, entries come in journalctl’s order, and each once', { skip: withoutSystemd }, async (t) => {
  const root = temporaryDirectory(t);
  let worlds = 0;
  const property = fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 60 }), async (happenings) => {
    const directory = join(root, String((worlds += 1)));
    mkdirSync(directory);
    const paths = writeWorld(directory, happenings);
    const reader = new JournalReader({ persistent: directory, runtime: '/not/there' });
    reader.look();
    reader.close();
    const expected: string[] = [];
    for await (const [[, cursor] = []] of readWithSystemd(paths)) expected.push(/b=.*$/.exec(String(cursor))?.[0] ?? '');
    assert.deepEqual(reader.read, expected);
  });
  await fc.assert(property, { numRuns: 60 });
  t.equal(worlds >= 60, true);
});

void test('entries of one time come by their numbers, whatever their hashes are and another sequence has in between', async (t) => {
  for (let world = 0; world < 50; world++) {
    const directory = temporaryDirectory(t);
    const save = (name: string, sequence: number, seqnum: number): void => {
      const fields = [`MESSAGE=${world} ${seqnum}`];
      const entry = { seqnum, realtime: START, monotonic: 1, fields };
      new JournalWriter({ seqnumId: String(sequence).repeat(32) }).append(entry).save(join(directory, name));
    };
    save('user-1000@1.journal', 1, 1);
    save('system.journal', 0, 2);
    save('user-1000.journal', 1, 3);
    const journal = new Journal(new JournalDirectories([directory]), new Positions(0), () => {});
    journal.refresh(true);
    const numbers: number[] = [];
    for (let file = journal.current(); file !== undefined; file = journal.current()) {
      numbers.push(file.seqnum);
      journal.advance();
    }
    journal.close();
    t.same(numbers, [1, 2, 3]);
  }
});

void test('the numbers of a sequence rise, also where clocks that were set back lead in a circle', async (t) => {
  const [first, second, other] = [
    { sequence: 1, seqnum: 1, boot: 'a', seconds: 100 },
    { sequence: 1, seqnum: 2, boot: 'b', seconds: 50 },
    { sequence: 2, seqnum: 1, boot: 'c', seconds: 75 },
  ] as const;
  // Which entry is compared with which depends on the order in which the files are found.
  const orders = [
    [first, second, other],
    [first, other, second],
    [second, first, other],
    [second, other, first],
    [other, first, second],
    [other, second, first],
  ];
  for (const order of orders) {
    const directory = temporaryDirectory(t);
    for (const [index, { sequence, seqnum, boot, seconds }] of order.entries()) {
      const entry = { seqnum, realtime: START + seconds * 1e6, bootId: boot.repeat(32), fields: [`MESSAGE=${boot}`] };
      const writer = new JournalWriter({ seqnumId: String(sequence).repeat(32) });
      writer.append(entry).save(join(directory, `${index}.journal`));
    }
    const reader = new JournalReader({ persistent: directory, runtime: '/not/there' });
    reader.look();
    reader.close();
    const boots = reader.read.map((text) => text.slice('b='.length, 'b='.length + 1));
    t.equal(boots.length, 3);
    t.ok(boots.indexOf('a') < boots.indexOf('b'), boots.join());
  }
});

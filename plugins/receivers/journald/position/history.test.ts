import fc from 'fast-check';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { Positions } from './positions.ts';
import { resume } from './resume.ts';

const SEQUENCE = '5e'.repeat(16);
const START = 1_700_000_000_000_000;

type Written = Required<Omit<EntrySpec, 'monotonic'>>;

interface WrittenFile {
  readonly isUnclean: boolean;
  readonly entries: readonly Written[];
}

/** The files of a make-believe journald: the ones that it has done with, the oldest first, and the one that it writes to. */
interface Files {
  readonly done: readonly WrittenFile[];
  readonly current: readonly Written[];
  /** Number of the last entry, also where that has been vacuumed. */
  readonly tail: number;
}

const NONE: Files = { done: [], current: [], tail: 0 };

/** Numbers its entries as journald does, over boots and power cuts. */
class NumberingJournald {
  files = NONE;
  #disk = NONE;
  #boot = 1;
  #seconds = 0;

  write(count: number): void {
    const bootId = this.#boot.toString(16).padStart(32, '0');
    const added = Array.from({ length: count }, (_, index): Written => {
      this.#seconds += 1;
      // The text is what tells an entry from another in this test, and the time is its own.
      const realtime = START + this.#seconds * 1_000_000;
      return { seqnum: this.files.tail + 1 + index, realtime, bootId, fields: [`MESSAGE=${this.#seconds}`] };
    });
    this.files = { ...this.files, current: [...this.files.current, ...added], tail: this.files.tail + count };
  }

  sync(): void {
    this.#disk = this.files;
  }

  rotate(): void {
    this.#setAside(false);
    this.sync();
  }

  reboot(): void {
    this.#boot += 1;
    this.sync();
  }

  /** What had not come to the disk is lost. */
  cutPower(): void {
    this.#boot += 1;
    this.files = this.#disk;
    this.#setAside(true);
    this.sync();
  }

  vacuum(): void {
    const [, ...left] = this.files.done;
    this.files = { ...this.files, done: left };
    // Whenever a file is done with, all is synced.
    this.#disk = { ...this.#disk, done: left };
  }

  #setAside(isUnclean: boolean): void {
    const { done, current, tail } = this.files;
    if (current.length > 0) this.files = { done: [...done, { isUnclean, entries: current }], current: [], tail };
  }
}

/** Writes the files and reads up to `count` entries as a receiver does that goes on at `saved`; with where the next one goes on. */
function read({ done, current }: Files, saved: string | undefined, count: number) {
  const directory = mkdtempSync(join(tmpdir(), 'journald-'));
  const all = [
    ...done.map((file, index) => ({ ...file, name: `${index}` })),
    { isUnclean: false, entries: current, name: 'now' },
  ];
  for (const { isUnclean, entries, name } of all) {
    if (entries.length > 0) {
      const path = join(directory, `${name}.journal${isUnclean ? '~' : ''}`);
      new JournalWriter({ seqnumId: SEQUENCE }).append(...entries).save(path);
    }
  }
  const directories = new JournalDirectories([directory]);
  const positions = resume({
    directories,
    saved: saved === undefined ? undefined : Positions.parse(saved, 'test'),
    savedIn: 'test',
    startAt: 'beginning',
    onStale: 'nearest',
    onReport: () => {},
    now: START,
    bootId: undefined,
  });
  const journal = new Journal(directories, positions, () => {});
  journal.refresh(true);
  const times: number[] = [];
  for (let file = journal.current(); file !== undefined && times.length < count; file = journal.current()) {
    times.push(file.realtime);
    const cursor = file.cursorAt(file.entryOffset);
    if (cursor !== undefined) positions.advance(cursor);
    journal.advance();
  }
  journal.close();
  rmSync(directory, { recursive: true });
  return { times, saved: positions.toText() };
}

type Step =
  | { readonly kind: 'write' | 'read'; readonly count: number }
  | { readonly kind: 'sync' | 'rotate' | 'reboot' | 'cutPower' | 'vacuum' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('write', 'read'), count: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('sync', 'rotate', 'reboot', 'cutPower', 'vacuum') }) },
);

/** Throws where an entry is read twice, or is there and is not read. */
function play(steps: readonly Step[]): void {
  const journald = new NumberingJournald();
  const known = new Set<number>();
  let saved: string | undefined;
  const goOn = (count: number): void => {
    const { times, saved: next } = read(journald.files, saved, count);
    saved = next;
    for (const time of times) {
      if (known.has(time)) throw new Error(`the entry of ${time - START} is read again`);
      known.add(time);
    }
  };
  for (const one of steps) {
    if (one.kind === 'write') journald.write(one.count);
    else if (one.kind === 'read') goOn(one.count);
    else journald[one.kind]();
  }
  goOn(Infinity);
  const { done, current } = journald.files;
  for (const { realtime } of [...done.flatMap(({ entries }) => entries), ...current]) {
    if (!known.has(realtime)) throw new Error(`the entry of ${realtime - START} is not read`);
  }
}

void test('over power cuts, boots, rotations and vacuuming, and restarts in between, every entry is read once', async (t) => {
  t.doesNotThrow(() => fc.assert(fc.property(fc.array(step, { maxLength: 30, size: 'max' }), play), { numRuns: 300 }));
});

/** Small journals of two sequences, and where reading of them begins. */
import { join } from 'node:path';
import { type Cursor, parseCursor } from '../../file/cursor.ts';
import { JournalDirectories } from '../../journal/directories.ts';
import { Journal } from '../../journal/journal.ts';
import { type EntrySpec, JournalWriter } from '../../testdata/journal_writer.ts';
import { temporaryDirectory } from '../../testdata/temporary.ts';
import { Positions } from '../positions.ts';
import { resume, type ResumeOptions } from '../resume.ts';
import type { StaleReport } from '../stale.ts';

export const [A, B] = ['a1'.repeat(16), 'b2'.repeat(16)];
export const [BOOT, NEXT_BOOT, LAST_BOOT] = ['b0'.repeat(16), 'b1'.repeat(16), 'b2'.repeat(16)];
export const START = 1_700_000_000_000_000;
export const SECOND = 1_000_000;
export const NOW = START + 3600 * SECOND;

interface Tap {
  teardown(run: () => void): unknown;
}

/** Entries `first` to `last` of those numbers, written as many seconds behind `START`, and `late`. */
export function entries(first: number, last: number, { bootId = BOOT, late = 0 } = {}): EntrySpec[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const seqnum = first + index;
    return { seqnum, bootId, realtime: START + (seqnum + late) * SECOND, fields: ['MESSAGE=m'] };
  });
}

/** The whole cursor of an entry as `entries` makes them. */
export function cursorOf(seqnumId: string, seqnum: number, { bootId = BOOT, late = 0 } = {}): Cursor {
  const [m, t] = [seqnum * 1000, START + (seqnum + late) * SECOND].map((number) => number.toString(16));
  const cursor = parseCursor(`s=${seqnumId};i=${seqnum.toString(16)};b=${bootId};m=${m};t=${t};x=529c8724ba4d6ff4`);
  if (cursor === undefined) throw new Error('a cursor that cannot be read');
  return cursor;
}

export function save(directory: string, name: string, seqnumId: string, ...specs: readonly EntrySpec[][]): void {
  new JournalWriter({ seqnumId }).append(...specs.flat()).save(join(directory, `${name}.journal`));
}

/** A directory with entries 10 to 14 of sequence A, a second apart. */
export function journalOfFive(t: Tap): string {
  const directory = temporaryDirectory(t);
  save(directory, 'system', A, entries(10, 14));
  return directory;
}

export function savedAt(...cursors: readonly Cursor[]): Positions {
  return Positions.parse(cursors.map(({ text }) => `${text}\n`).join(''), 'test');
}

/** Bodies of what is read from where reading begins, and what was said about that. */
export function begin(directory: string, options: Partial<ResumeOptions> = {}) {
  const reports: StaleReport[] = [];
  const positions = resume({
    directories: new JournalDirectories([directory]),
    saved: undefined,
    savedIn: '/state/cursor',
    startAt: 'end',
    onStale: 'nearest',
    onReport: (report) => reports.push(report),
    now: NOW,
    bootId: LAST_BOOT,
    ...options,
  });
  return { read: readFrom(directory, positions), positions, reports };
}

/** Numbers of the entries that are read, those of sequence B with a `b` before them. */
export function readFrom(directory: string, positions: Positions): string[] {
  const journal = new Journal(new JournalDirectories([directory]), positions, () => {});
  journal.refresh(true);
  const read = [];
  for (let file = journal.current(); file !== undefined; file = journal.current()) {
    read.push(`${file.header.seqnumId === B ? 'b' : ''}${file.seqnum}`);
    journal.advance();
  }
  journal.close();
  return read;
}

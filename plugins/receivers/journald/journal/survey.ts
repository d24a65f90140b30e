/** What the files of a journal say of themselves in their headers, for whoever wants to see it as a whole. Reads no entries. */
import { statSync } from 'node:fs';
import { describeError } from '../../../../src/core/errors.ts';
import { JournalFile } from '../file/journal_file.ts';
import type { FoundFile, JournalDirectories } from './directories.ts';
import { countWithin, type Hole } from './holes.ts';

export interface SurveyedFile {
  readonly path: string;
  readonly bytes: number;
  /**
   * `online`: a writer has it open, or died with it open. `offline`: it may be written to again. `archived`: it will not.
   * `unclean`: set aside, because its writer had died with it open.
   */
  readonly state: 'online' | 'offline' | 'archived' | 'unclean' | 'unreadable';
  /** Why it cannot be read; the members below are 0 or empty then. */
  readonly problem: string | undefined;
  /** The directory's name: a machine id and perhaps a namespace. Empty for files right in a root. */
  readonly writer: string;
  readonly isRuntime: boolean;
  readonly seqnumId: string;
  readonly entryCount: number;
  readonly headSeqnum: number;
  readonly tailSeqnum: number;
  /** Microseconds. */
  readonly headRealtime: number;
  readonly tailRealtime: number;
}

export interface SurveyedHole extends Hole {
  /** How many of the numbers no file of the same journald has. */
  readonly missing: number;
}

/** The files with one seqnum id. */
export interface SurveyedSequence {
  readonly seqnumId: string;
  readonly writer: string;
  /** By their first number. */
  readonly files: readonly SurveyedFile[];
  readonly entryCount: number;
  readonly headSeqnum: number;
  readonly tailSeqnum: number;
  /** Microseconds. */
  readonly tailRealtime: number;
  /** Between files, where numbers are missing. */
  readonly holes: readonly SurveyedHole[];
}

export interface Survey {
  /** In the order of their paths. */
  readonly files: readonly SurveyedFile[];
  /** The one with the newest entry first. */
  readonly sequences: readonly SurveyedSequence[];
  /** Why directories could not be listed, by path. */
  readonly problems: ReadonlyMap<string, string>;
}

interface Surveyed {
  readonly described: SurveyedFile;
  readonly file: JournalFile | undefined;
}

/** Describes all files that are there now. */
export function survey(directories: JournalDirectories): Survey {
  const all = directories.list().flatMap((found) => describe(found) ?? []);
  const readable = all.filter(({ described }) => described.entryCount > 0);
  const sequences = [...Map.groupBy(readable, ({ described }) => described.seqnumId).values()].map((files) =>
    describeSequence(files, readable),
  );
  return {
    files: all.map(({ described }) => described).toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    sequences: sequences.toSorted((a, b) => b.tailRealtime - a.tailRealtime),
    problems: new Map(directories.problems),
  };
}

/** Undefined where the file was removed a moment ago. */
function describe({ path, place: { writer, isRuntime } }: FoundFile): Surveyed | undefined {
  const bytes = statSync(path, { throwIfNoEntry: false })?.size;
  if (bytes === undefined) return undefined;
  const where = { path, bytes, writer, isRuntime };
  let file: JournalFile;
  try {
    file = new JournalFile(path, () => {});
  } catch (error) {
    const nothing = { seqnumId: '', entryCount: 0, headSeqnum: 0, tailSeqnum: 0, headRealtime: 0, tailRealtime: 0 };
    return { described: { ...where, ...nothing, state: 'unreadable', problem: describeError(error) }, file: undefined };
  }
  file.close();
  const { seqnumId, entryCount, headSeqnum, tailSeqnum, headRealtime, tailRealtime } = file.header;
  const numbers = { seqnumId, entryCount, headSeqnum, tailSeqnum, headRealtime, tailRealtime };
  return { described: { ...where, ...numbers, state: stateOf(file), problem: undefined }, file };
}

function stateOf({ path, header }: JournalFile): SurveyedFile['state'] {
  return path.endsWith('~') ? 'unclean' : (header.state ?? 'offline');
}

function describeSequence(its: readonly Surveyed[], all: readonly Surveyed[]): SurveyedSequence {
  const files = its.map(({ described }) => described).toSorted((a, b) => a.headSeqnum - b.headSeqnum);
  const { seqnumId = '', writer = '' } = files[0] ?? {};
  const others = all.filter(({ described }) => described.writer === writer && described.seqnumId !== seqnumId);
  return {
    seqnumId,
    writer,
    files,
    entryCount: files.reduce((sum, { entryCount }) => sum + entryCount, 0),
    headSeqnum: Math.min(...files.map(({ headSeqnum }) => headSeqnum)),
    tailSeqnum: Math.max(...files.map(({ tailSeqnum }) => tailSeqnum)),
    tailRealtime: Math.max(...files.map(({ tailRealtime }) => tailRealtime)),
    holes: findHoles(
      files,
      others.flatMap(({ file }) => file ?? []),
    ),
  };
}

function findHoles(files: readonly SurveyedFile[], others: readonly JournalFile[]): SurveyedHole[] {
  const holes: SurveyedHole[] = [];
  let after = files[0]?.tailSeqnum ?? 0;
  for (const { headSeqnum: before, tailSeqnum } of files) {
    const missing = before - after - 1 - (before > after + 1 ? countWithin(others, { after, before }) : 0);
    if (missing > 0) holes.push({ after, before, missing });
    after = Math.max(after, tailSeqnum);
  }
  return holes;
}

/** A journal as `sluice journal status` sees it: its files, and how far a receiver has come in them. */
import { describeError } from '../../../../src/core/errors.ts';
import type { ConfiguredComponent } from '../../../../src/kit/commands.ts';
import { JournalFile } from '../file/journal_file.ts';
import type { JournalDirectories } from '../journal/directories.ts';
import { survey, type SurveyedFile, type SurveyedSequence } from '../journal/survey.ts';
import { CursorFile } from '../position/cursor_file.ts';
import type { JournaldOptions } from '../options.ts';
import type { Positions } from '../position/positions.ts';
import { Sequence } from '../position/sequence.ts';
import { readFeatures } from './features.ts';

export interface ViewedFile extends SurveyedFile {
  readonly features: readonly string[];
}

/** How far a receiver has come in one sequence. */
export interface Progress {
  /** What is saved of it; a point in time for a sequence that the receiver has not met yet. */
  readonly cursor: string;
  readonly seqnum: number | undefined;
  /** Entries that are there and were not delivered yet, and the time between the position and the newest of them. */
  readonly behindEntries: number;
  readonly behindSeconds: number;
  /** The most that can have been removed before it was delivered: numbers between the position and the first entry there is. */
  readonly goneEntries: number;
}

export interface ViewedSequence extends SurveyedSequence {
  /** Undefined where no position is known. */
  readonly progress: Progress | undefined;
}

export interface ViewedReceiver {
  readonly id: string;
  readonly cursorFile: string;
  /** Why there are no positions. */
  readonly problem: string | undefined;
  /** Whether it has journalctl read what it cannot. */
  readonly mayUseJournalctl: boolean;
}

export interface JournalView {
  /** Undefined where no receiver is asked about. */
  readonly receiver: ViewedReceiver | undefined;
  readonly roots: readonly string[];
  /** What was looked for, and where, in words. */
  readonly described: string;
  readonly files: readonly ViewedFile[];
  readonly sequences: readonly ViewedSequence[];
  /** Why directories could not be listed, by path. */
  readonly problems: ReadonlyMap<string, string>;
}

/** Why there are no positions, where nothing is wrong. */
const NOT_SAVED = 'it has saved no position yet';

/** Looks at the journal in `directories`; with a receiver, at what that has saved too. */
export async function viewJournal(directories: JournalDirectories, receiver?: ConfiguredComponent): Promise<JournalView> {
  // Saved before the files are looked at: what is written in between counts as not delivered, and never as beyond the end.
  const saved = receiver === undefined ? undefined : await loadPositions(receiver);
  const { files, sequences, problems } = survey(directories);
  const positions = saved?.positions;
  return {
    receiver: saved?.receiver,
    roots: directories.roots,
    described: directories.described,
    files: files.map((file) => ({ ...file, features: readFeatures(file.path) })),
    sequences: sequences.map((sequence) => ({
      ...sequence,
      progress: positions === undefined ? undefined : progressIn(sequence, positions),
    })),
    problems,
  };
}

/** What a receiver is told to do. */
export function optionsOf({ options }: ConfiguredComponent): JournaldOptions {
  // oxlint-disable-next-line no-unsafe-type-assertion -- the receiver is of this plugin, whose schema they have passed
  return options as JournaldOptions;
}

async function loadPositions(receiver: ConfiguredComponent) {
  const { id, stateDirectory } = receiver;
  const file = new CursorFile(stateDirectory);
  const about = { id, cursorFile: file.path, mayUseJournalctl: optionsOf(receiver).driver !== 'files' };
  try {
    const positions = await file.load();
    return { receiver: { ...about, problem: positions === undefined ? NOT_SAVED : undefined }, positions };
  } catch (error) {
    return { receiver: { ...about, problem: describeError(error) }, positions: undefined };
  }
}

function progressIn({ seqnumId, files, entryCount, headSeqnum, tailRealtime }: SurveyedSequence, positions: Positions): Progress {
  const sequence = new Sequence(seqnumId, files.flatMap(describe));
  const { text, seqnum, realtime } = positions.of(seqnumId);
  const behindEntries = seqnum === undefined ? sequence.countLaterThan(realtime) : entryCount - sequence.countUpTo(seqnum);
  const next = seqnum === undefined ? sequence.firstLaterThan(realtime) : sequence.firstAbove(seqnum);
  // The place before the first entry has no time of its own.
  const since = realtime > 0 ? realtime : (next?.realtime ?? tailRealtime);
  const behindSeconds = behindEntries > 0 ? Math.max(0, tailRealtime - since) / 1e6 : 0;
  const goneEntries = seqnum === undefined || seqnum === 0 ? 0 : Math.max(0, headSeqnum - seqnum - 1);
  return { cursor: text, seqnum, behindEntries: Math.max(0, behindEntries), behindSeconds, goneEntries };
}

/** The file, closed; none where it was removed a moment ago. */
function describe({ path }: SurveyedFile): JournalFile[] {
  try {
    const file = new JournalFile(path, () => {});
    file.close();
    return [file];
  } catch {
    return [];
  }
}

/** Where reading begins: behind what was delivered before, or where the operator wants it the first time. */
import { errnoOf, SluiceError } from '../../../../src/core/errors.ts';
import type { JournalDirectories } from '../journal/directories.ts';
import { JournalFile } from '../file/journal_file.ts';
import { readTail, type Tail } from '../journalctl/tails.ts';
import type { Positions } from './positions.ts';
import { Sequence } from './sequence.ts';
import { moveStale, refusal, replaceGone, type StaleAction, type StaleReport } from './stale.ts';
import { type StartOptions, startPositions } from './start.ts';

export interface ResumeOptions extends StartOptions {
  readonly directories: JournalDirectories;
  /** What was saved, if anything, and in which file. */
  readonly saved: Positions | undefined;
  readonly savedIn: string;
  readonly onStale: StaleAction | 'fail';
  /** Hears of every saved position that was stale. */
  readonly onReport: (report: StaleReport) => void;
}

interface Inventory {
  /** By seqnum id. */
  readonly sequences: ReadonlyMap<string, Sequence>;
  /** False where files are there and cannot be read now, so that nothing can be told from what is not found. */
  readonly isComplete: boolean;
}

/** Throws a `SluiceError` (state_invalid) where a saved position is stale and `onStale` is `fail`. */
export function resume(options: ResumeOptions): Positions {
  const inventory = takeInventory(options.directories);
  const { saved } = options;
  if (saved === undefined) return startPositions(options, [...inventory.sequences.values()]);
  return check(saved, inventory, options);
}

function check(saved: Positions, { sequences, isComplete }: Inventory, options: ResumeOptions): Positions {
  const { savedIn, onReport, now } = options;
  const isRefused = isComplete && options.onStale === 'fail';
  const action = isComplete && options.onStale !== 'fail' ? options.onStale : 'nearest';
  const tell = (report: StaleReport): void => {
    if (isRefused) throw refusal(report, savedIn);
    onReport(report);
  };
  const cursors = saved.cursors;
  for (const cursor of cursors) {
    const sequence = sequences.get(cursor.seqnumId ?? '');
    const isEntry = cursor.seqnum !== undefined && cursor.seqnum > 0;
    if (sequence === undefined || !isEntry || sequence.holds(cursor) || sequence.followsOn(cursor)) continue;
    tell(moveStale(saved, sequence, cursor, action));
  }
  const [newest] = cursors;
  const isGone = isComplete && sequences.size > 0 && newest !== undefined && !sequences.has(newest.seqnumId ?? '');
  if (!isGone) return saved;
  // Entries that were moved from /run to /var are there under another seqnum id; whoever reads these finds them there.
  if ([...sequences.values()].some((sequence) => sequence.copyOf(newest) !== undefined)) return saved;
  const known = new Set(cursors.map(({ seqnumId }) => seqnumId));
  const others = [...sequences.values()].filter(({ seqnumId }) => !known.has(seqnumId));
  const { positions, report } = replaceGone(saved, others, newest, { action, now });
  tell(report);
  return positions;
}

/** The files as they are now, closed again; why some cannot be read is told when they are to be read. */
function takeInventory(directories: JournalDirectories): Inventory {
  const files: JournalFile[] = [];
  const foreign: Tail[] = [];
  const found = directories.list();
  let isComplete = directories.problems.size === 0;
  for (const { path } of found) {
    try {
      const file = describe(path);
      if (file instanceof JournalFile) files.push(file);
      else if (file?.isForeign === true) foreign.push(file);
    } catch (error) {
      // One that is gone was renamed or removed since the directory was listed.
      if (errnoOf(error) !== 'ENOENT') isComplete = false;
    }
  }
  const filled = Map.groupBy(
    files.filter(({ header }) => header.entryCount > 0),
    ({ header }) => header.seqnumId,
  );
  const others = Map.groupBy(
    foreign.filter(({ seqnum }) => seqnum > 0),
    ({ seqnumId }) => seqnumId,
  );
  const sequences = new Map<string, Sequence>();
  for (const id of new Set([...filled.keys(), ...others.keys()])) {
    const last = others.get(id)?.reduce((a, b) => (b.seqnum > a.seqnum ? b : a));
    sequences.set(id, new Sequence(id, filled.get(id) ?? [], last));
  }
  return { sequences, isComplete };
}

/** A file that can be read, or the end of one that is not, where it is a journal at all. Throws the system's error. */
function describe(path: string): JournalFile | Tail | undefined {
  try {
    const file = new JournalFile(path, () => {});
    file.close();
    return file;
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    return readTail(path);
  }
}

/** Where reading begins: behind what was delivered before, or where the operator wants it the first time. */
import { errnoOf, SluiceError } from '../../../../src/core/errors.ts';
import type { JournalDirectories } from '../journal/directories.ts';
import { JournalFile } from '../file/journal_file.ts';
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
    if (sequence !== undefined && isEntry && !sequence.holds(cursor)) tell(moveStale(saved, sequence, cursor, action));
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
  let isComplete = true;
  const files = directories.list().flatMap(({ path }) => {
    try {
      const file = new JournalFile(path, () => {});
      file.close();
      return file.header.entryCount > 0 ? [file] : [];
    } catch (error) {
      const isNone = errnoOf(error) === 'ENOENT' || (error instanceof SluiceError && error.transient);
      if (!isNone) isComplete = false;
      return [];
    }
  });
  if (directories.problems.size > 0) isComplete = false;
  const sequences = [...Map.groupBy(files, ({ header }) => header.seqnumId)].map(([id, group]) => new Sequence(id, group));
  return { sequences: new Map(sequences.map((sequence) => [sequence.seqnumId, sequence])), isComplete };
}

/** Finds where the newest so many selected entries begin. */
import { seqnumCursor } from '../file/cursor.ts';
import type { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import { Positions } from '../position/positions.ts';
import type { FieldEncoder } from './pieces.ts';
import { SelectedEntries, type SelectedEntriesOptions } from './selected_entries.ts';

export interface Newest {
  /** Reading begins here … */
  readonly positions: Positions;
  /** … and passes over so many selected entries. */
  readonly skip: number;
}

/** How many times further back is looked where the newest entries of a sequence were too few. */
const FURTHER = 8;

/** To count entries, nothing is to be made of their fields. */
const NOTHING: FieldEncoder = { knownNames: [], encode(): void {} };

/**
 * Looks at the last numbers of each sequence, and further back for as long as one of them has too few entries: the newest of all are among
 * the newest so many of each.
 */
export function findNewest(
  directories: JournalDirectories,
  wanted: number,
  { selection, untilMicros }: Pick<SelectedEntriesOptions, 'selection' | 'untilMicros'>,
): Newest {
  const ranges = numbersOf(directories);
  for (let numbers = wanted; ; numbers *= FURTHER) {
    const positions = new Positions(0);
    for (const [seqnumId, { tail }] of ranges) positions.set(seqnumCursor(seqnumId, Math.max(0, tail - numbers), 0));
    const counts = countEntries(directories, positions.copy(), { selection, untilMicros });
    const isEnough = [...ranges].every(([id, { head, tail }]) => tail - numbers < head || (counts.get(id) ?? 0) >= wanted);
    if (isEnough) return { positions, skip: Math.max(0, counts.values().reduce((all, number) => all + number, 0) - wanted) };
  }
}

interface Numbers {
  readonly head: number;
  readonly tail: number;
}

/** The first and the last number of each sequence, by seqnum id. */
function numbersOf(directories: JournalDirectories): ReadonlyMap<string, Numbers> {
  const journal = new Journal(directories, new Positions(0), () => {});
  try {
    journal.refresh(true);
    const filled = journal.files.map(({ header }) => header).filter(({ entryCount }) => entryCount > 0);
    const byId = Map.groupBy(filled, ({ seqnumId }) => seqnumId);
    return new Map(
      [...byId].map(([seqnumId, headers]) => [
        seqnumId,
        {
          head: Math.min(...headers.map(({ headSeqnum }) => headSeqnum)),
          tail: Math.max(...headers.map(({ tailSeqnum }) => tailSeqnum)),
        },
      ]),
    );
  } finally {
    journal.close();
  }
}

/** How many entries behind `positions` are selected, by seqnum id. */
function countEntries(
  directories: JournalDirectories,
  positions: Positions,
  options: Pick<SelectedEntriesOptions, 'selection' | 'untilMicros'>,
): ReadonlyMap<string, number> {
  // What cannot be read is told when the entries are printed.
  const journal = new Journal(directories, positions, () => {});
  const entries = new SelectedEntries(journal, { ...options, encoder: NOTHING, onDamage: () => {} });
  const counts = new Map<string, number>();
  try {
    journal.refresh(true);
    for (;;) {
      const found = entries.next();
      if (found === 'none' || found === 'over') return counts;
      if (found !== 'more') counts.set(entries.seqnumId, (counts.get(entries.seqnumId) ?? 0) + 1);
    }
  } finally {
    journal.close();
  }
}

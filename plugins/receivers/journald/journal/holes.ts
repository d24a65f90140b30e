/** Numbers of entries that no file has. */
import type { JournalFile } from '../file/journal_file.ts';

/** Numbers above `after` and below `before`. */
export interface Hole {
  readonly after: number;
  readonly before: number;
}

/**
 * How many of the entries numbered within the hole these files have. journald numbers what it writes into the files of the system
 * and of users with one counter, so a hole in one sequence may be filled by others. A file that cannot be opened counts with all
 * that it may have there.
 */
export function countWithin(files: Iterable<JournalFile>, { after, before }: Hole): number {
  let count = 0;
  for (const file of files) {
    const { headSeqnum, tailSeqnum, entryCount } = file.header;
    const overlap = Math.min(tailSeqnum, before - 1) - Math.max(headSeqnum, after + 1) + 1;
    if (overlap <= 0 || entryCount === 0) continue;
    count += countIn(file, after, before) ?? Math.min(overlap, entryCount);
  }
  return count;
}

function countIn(file: JournalFile, after: number, before: number): number | undefined {
  const wasOpen = file.isOpen;
  try {
    file.reopen();
    return file.countBetween(after, before);
  } catch {
    return undefined;
  } finally {
    if (!wasOpen) file.close();
  }
}

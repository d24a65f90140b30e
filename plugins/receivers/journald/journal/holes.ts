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
    const { header } = file;
    const overlap = overlapOf(header, { after, before });
    if (overlap > 0 && header.entryCount > 0) count += countIn(file, after, before) ?? Math.min(overlap, header.entryCount);
  }
  return count;
}

/** How many of the numbers from the first to the last are within the hole. */
export function overlapOf(
  numbers: { readonly headSeqnum: number; readonly tailSeqnum: number },
  { after, before }: Hole,
): number {
  return Math.max(0, Math.min(numbers.tailSeqnum, before - 1) - Math.max(numbers.headSeqnum, after + 1) + 1);
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

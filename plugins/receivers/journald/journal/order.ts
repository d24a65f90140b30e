/**
 * The order of entries from several files, as `sd_journal_next` has it: by seqnum within a sequence; else by the monotonic clock
 * within one boot; else by the wall clock. Of one time, where the library goes by hashes, the numbers decide.
 */
import type { JournalFile } from '../file/journal_file.ts';

/**
 * Which of the current entries of two files comes first: negative where that of `a` does, 0 where they are the same entry, which
 * then is in both files.
 */
export function compareEntries(a: JournalFile, b: JournalFile): number {
  const isOneSequence = a.header.seqnumId === b.header.seqnumId;
  if (isOneSequence && a.seqnum !== b.seqnum) return a.seqnum - b.seqnum;
  if (a.bootId === b.bootId && a.monotonic !== b.monotonic) return a.monotonic - b.monotonic;
  if (a.realtime !== b.realtime) return a.realtime - b.realtime;
  if (a.hashHigh === b.hashHigh && a.hashLow === b.hashLow) return 0;
  // Of one time the library goes by the hash next, which can turn the order of a sequence around when another's entries lie in between.
  return a.seqnum - b.seqnum || a.hashHigh - b.hashHigh || a.hashLow - b.hashLow;
}

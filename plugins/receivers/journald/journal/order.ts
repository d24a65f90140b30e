/**
 * The order of entries from several files, as `sd_journal_next` has it: by seqnum within a sequence; else by the monotonic clock
 * within one boot; else by the wall clock.
 */
import type { JournalFile } from '../file/journal_file.ts';

/** Whether the current entry of `a` comes before that of `b`. Of a file that was not begun the header's first entry stands in. */
export function isBefore(a: JournalFile, b: JournalFile): boolean {
  if (a.header.seqnumId === b.header.seqnumId && a.seqnum !== b.seqnum) return a.seqnum < b.seqnum;
  const later = a.hasEntry && b.hasEntry ? a.laterThan(b) : undefined;
  return later === undefined || later === 0 ? a.realtime < b.realtime : later < 0;
}

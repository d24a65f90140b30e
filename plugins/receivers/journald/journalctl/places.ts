/** Where reading has got to in each sequence of entries, as journalctl must be told and what it prints is to be held against. */
import { type Cursor, timeCursor } from '../file/cursor.ts';
import type { Positions } from '../position/positions.ts';
import type { Tail } from './tails.ts';

/** Whether an entry has been read before. */
export function isPassed({ seqnumId = '', seqnum = 0, realtime }: Cursor, reached: Positions): boolean {
  const place = reached.of(seqnumId);
  return place.seqnum === undefined ? realtime <= place.realtime : seqnum <= place.seqnum;
}

/** Whether a file has entries that have not been read. */
export function isAhead({ seqnumId, seqnum, realtime }: Tail, reached: Positions): boolean {
  const place = reached.of(seqnumId);
  return seqnum > 0 && (place.seqnum === undefined ? realtime > place.realtime : seqnum > place.seqnum);
}

/**
 * Where journalctl must begin so that no entry is missed. It takes one place only, and finds those in other sequences by the clock:
 * so the earliest of the sequences that have more to read. What it then prints a second time is told by `isPassed`.
 */
export function startPlace(reached: Positions, tails: readonly Tail[]): Cursor {
  const open = tails.filter((tail) => isAhead(tail, reached)).map(({ seqnumId }) => reached.of(seqnumId));
  const [first = reached.cursors[0] ?? timeCursor(reached.baseline)] = open.toSorted((a, b) => a.realtime - b.realtime);
  return first;
}

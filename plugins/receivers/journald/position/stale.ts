/**
 * What is made of a saved position whose entry the journal does not have any more. That is so when it was vacuumed, when its file or
 * the whole journal is gone or another machine's, and when the journal was set back: after a power cut journald goes on behind
 * what of the file had come to the disk, and gives other entries the numbers of those that are lost with it, though not to us.
 */
import { SluiceError } from '../../../../src/core/errors.ts';
import type { Cursor } from '../file/cursor.ts';
import type { Positions } from './positions.ts';
import type { Sequence } from './sequence.ts';

export type StaleAction = 'nearest' | 'oldest' | 'newest';

/** What was done, for the log and the metrics. */
export interface StaleReport {
  readonly action: StaleAction;
  readonly why: string;
  /** Text of the saved cursor. */
  readonly cursor: string;
  /** Which entries there are. */
  readonly journal: string;
  /** Entries that are in the journal and will not be read, or read again; undefined where nobody can tell. */
  readonly skipped: number | undefined;
  readonly repeated: number | undefined;
  /** The most that can have been lost between the saved position and the next entry that is there; undefined where nobody can tell. */
  readonly missing: number | undefined;
}

/**
 * The place behind which all is read that is later than the entry at the cursor. Numbers decide, with two exceptions. Where the
 * boot of the cursor is followed by entries whose numbers are not above the cursor's, the journal was set back, and reading goes on
 * behind that boot. Where nothing of that boot is left, the clock decides if it says that more is later than the numbers do:
 * rather is something read twice than not at all.
 */
function nearestPlace(sequence: Sequence, cursor: Cursor): Cursor {
  const { seqnum = 0, bootId, realtime } = cursor;
  const lastOfBoot = bootId === undefined ? undefined : sequence.lastOfBoot(bootId, seqnum);
  const kept = lastOfBoot?.seqnum ?? seqnum;
  if (lastOfBoot !== undefined && kept < seqnum) {
    const isSetBack = (sequence.firstAbove(kept)?.seqnum ?? 0) <= seqnum;
    return isSetBack ? lastOfBoot : cursor;
  }
  if (sequence.headSeqnum > seqnum || realtime === 0) return cursor;
  const later = sequence.firstLaterThan(realtime)?.seqnum;
  if (later === undefined) return sequence.tailSeqnum < seqnum ? sequence.end : cursor;
  return later <= seqnum ? sequence.lastUpTo(later - 1) : cursor;
}

/** Moves a stale position of a sequence that is still there. */
export function moveStale(positions: Positions, sequence: Sequence, cursor: Cursor, action: StaleAction): StaleReport {
  const { seqnum = 0 } = cursor;
  const nearest = nearestPlace(sequence, cursor);
  const upTo = nearest.seqnum ?? 0;
  const isSetBack = upTo < seqnum;
  const next = sequence.firstAbove(upTo)?.seqnum;
  if (action === 'oldest') positions.set(sequence.start);
  else positions.set(action === 'newest' ? sequence.end : nearest);
  const countUpTo = sequence.countUpTo(upTo);
  return {
    action,
    why: isSetBack ? 'the journal was set back, as a power cut does, and numbers were given again' : 'its entry is gone',
    cursor: cursor.text,
    journal: sequence.range,
    skipped: action === 'newest' ? sequence.countUpTo(Infinity) - countUpTo : 0,
    repeated: action === 'oldest' ? countUpTo : 0,
    missing: isSetBack || next === undefined ? 0 : next - seqnum - 1,
  };
}

/** Decides where sequences that were never read begin, as the one that was read last is gone; with the positions to go on with. */
export function replaceGone(
  saved: Positions,
  others: readonly Sequence[],
  cursor: Cursor,
  { action, now }: { readonly action: StaleAction; readonly now: number },
): { readonly positions: Positions; readonly report: StaleReport } {
  const positions = action === 'nearest' ? saved : saved.copy(action === 'oldest' ? 0 : now);
  const skipped = others.reduce((sum, sequence) => sum + sequence.countLaterThan(saved.baseline), 0);
  if (action === 'newest') for (const { end } of others) positions.set(end);
  const report: StaleReport = {
    action,
    why: 'its journal is gone',
    cursor: cursor.text,
    journal: `${others.length} others that were not read so far`,
    skipped: action === 'newest' ? skipped : 0,
    repeated: action === 'oldest' ? undefined : 0,
    missing: undefined,
  };
  return { positions, report };
}

export function refusal({ cursor, why, journal }: StaleReport, path: string): SluiceError {
  return new SluiceError('state_invalid', `cannot go on at the saved position ${cursor}: ${why}; the journal has ${journal}`, {
    hint: `set on_stale_cursor to nearest, oldest or newest, or remove ${path} to begin where start_at says`,
  });
}

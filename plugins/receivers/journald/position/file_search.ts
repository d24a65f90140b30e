/** Finds entries in one file, by bisection. */
import type { Cursor } from '../file/cursor.ts';
import type { JournalFile } from '../file/journal_file.ts';

/** Entries in a row that are tried where they cannot be read, or have one time; a damaged file may claim to have millions. */
const MAX_TRIES = 4096;

/** Opens the file for a search. Undefined also where it cannot be opened: why is told when it is to be read. */
export function search<Found>(file: JournalFile, find: () => Found): Found | undefined {
  try {
    file.reopen();
    return find();
  } catch {
    return undefined;
  } finally {
    file.close();
  }
}

/**
 * Index of the first entry from `start` on and below `end` that `isPast` holds for, when each is looked at in the file's members; `end`
 * where there is none. It must hold for all entries behind the first. An entry that cannot be read counts as past.
 */
export function firstIndex(file: JournalFile, isPast: () => boolean, end = file.header.entryCount, start = 0): number {
  let low = start;
  let high = end;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (file.readAt(middle) && !isPast()) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first entry from `index` on that can be read. */
export function readFrom(file: JournalFile, index: number): Cursor | undefined {
  const end = Math.min(file.header.entryCount, index + MAX_TRIES);
  for (let at = index; at < end; at++) if (file.readAt(at)) return file.cursorAt(file.entryOffset);
  return undefined;
}

/** The last entry before `index` that can be read. */
export function readLast(file: JournalFile, index: number): Cursor | undefined {
  const end = Math.max(0, index - MAX_TRIES);
  for (let at = index - 1; at >= end; at--) if (file.readAt(at)) return file.cursorAt(file.entryOffset);
  return undefined;
}

/** The last entry of a boot before `index`: leaps over those of other boots, which lie together. */
export function lastOfBoot(file: JournalFile, bootId: string, index: number): Cursor | undefined {
  for (let end = index; ;) {
    const last = readLast(file, end);
    if (last === undefined || last.bootId === bootId) return last;
    end = Math.min(
      end - 1,
      firstIndex(file, () => file.bootId === last.bootId, end),
    );
  }
}

/** The entry that is a copy of the cursor's, or the other way round, in another file. */
export function copyOf(file: JournalFile, { text, realtime }: Cursor): Cursor | undefined {
  const wanted = identityOf(text);
  if (wanted === undefined) return undefined;
  const first = firstIndex(file, () => file.realtime >= realtime);
  const end = Math.min(file.header.entryCount, first + MAX_TRIES);
  for (let at = first; at < end; at++) {
    if (!file.readAt(at)) continue;
    if (file.realtime !== realtime) return undefined;
    const cursor = file.cursorAt(file.entryOffset);
    if (cursor !== undefined && identityOf(cursor.text) === wanted) return cursor;
  }
  return undefined;
}

/** The part of a whole cursor that a copy of the entry has too: boot, both times, and the hash over its fields. */
function identityOf(text: string): string | undefined {
  return /;(b=[0-9a-f]{32};m=[0-9a-f]+;t=[0-9a-f]+;x=[0-9a-f]+)$/.exec(text)?.[1];
}

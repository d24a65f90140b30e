/**
 * The entries of one seqnum id, over all its files, for finding places in it: a place is a cursor behind which reading begins. All
 * searches bisect, so they open few files and read little of them.
 */
import { type Cursor, seqnumCursor } from '../file/cursor.ts';
import { MAX_EXACT } from '../file/format.ts';
import type { JournalFile } from '../file/journal_file.ts';
import type { Tail } from '../journalctl/tails.ts';
import { copyOf, firstIndex, lastOfBoot, readFrom, readLast, search } from './file_search.ts';

export class Sequence {
  readonly seqnumId: string;
  /** The last entry of those that are in files which cannot be read here. */
  readonly foreign: Tail | undefined;
  /** Those with entries, the newest first. */
  readonly #files: readonly JournalFile[];

  /** The files are opened and closed; their headers describe them. One of them must have entries, or there must be foreign ones. */
  constructor(seqnumId: string, files: readonly JournalFile[], foreign?: Tail) {
    this.seqnumId = seqnumId;
    this.foreign = foreign;
    this.#files = files
      .filter(({ header }) => header.entryCount > 0)
      .toSorted((a, b) => b.header.tailSeqnum - a.header.tailSeqnum);
  }

  get headSeqnum(): number {
    return Math.min(...this.#files.map(({ header }) => header.headSeqnum));
  }

  get tailSeqnum(): number {
    return Math.max(this.foreign?.seqnum ?? 0, ...this.#files.map(({ header }) => header.tailSeqnum));
  }

  /** Which entries there are, in words. */
  get range(): string {
    return this.#files.length > 0 ? `entries ${this.headSeqnum} to ${this.tailSeqnum}` : `entries up to ${this.tailSeqnum}`;
  }

  /** The place before all entries, those included that turn up later. */
  get start(): Cursor {
    return seqnumCursor(this.seqnumId, 0, 0);
  }

  /** The place behind all entries. */
  get end(): Cursor {
    const last = this.lastUpTo(MAX_EXACT);
    const { foreign } = this;
    if (foreign === undefined || foreign.seqnum <= (last.seqnum ?? 0)) return last;
    return seqnumCursor(this.seqnumId, foreign.seqnum, foreign.realtime);
  }

  /** Whether the very entry of the cursor is there, and not only one of the same number; of foreign files nobody can tell, so it is. */
  holds(cursor: Cursor): boolean {
    const { seqnum = 0 } = cursor;
    if (seqnum <= (this.foreign?.seqnum ?? 0)) return true;
    const found = this.lastUpTo(seqnum);
    if (found.seqnum !== seqnum) return false;
    // Its file cannot be opened now; nothing speaks against it.
    if (found.bootId === undefined) return true;
    const isSameBoot = cursor.bootId === undefined || cursor.bootId === found.bootId;
    return isSameBoot && (cursor.realtime === 0 || cursor.realtime === found.realtime);
  }

  /**
   * Whether the entry of the cursor is gone and nothing with it: the oldest one that is there is the very next of the same boot. So it is
   * with small journals that were read to their end.
   */
  followsOn(cursor: Cursor): boolean {
    const { seqnum = 0 } = cursor;
    if (this.headSeqnum !== seqnum + 1) return false;
    const first = this.firstAbove(seqnum);
    return first?.seqnum === seqnum + 1 && first.bootId !== undefined && first.bootId === cursor.bootId;
  }

  /** The place behind the last entry that is numbered up to `seqnum`. */
  lastUpTo(seqnum: number): Cursor {
    let last = this.start;
    for (const file of this.#files) {
      const { headSeqnum, tailSeqnum, tailRealtime } = file.header;
      if (headSeqnum > seqnum) continue;
      if (tailSeqnum <= (last.seqnum ?? 0)) break;
      const found = search(file, () =>
        readLast(
          file,
          firstIndex(file, () => file.seqnum > seqnum),
        ),
      );
      // A file that cannot be opened now has the entries that its header says.
      const place = found ?? seqnumCursor(this.seqnumId, Math.min(tailSeqnum, seqnum), tailRealtime);
      if ((place.seqnum ?? 0) > (last.seqnum ?? 0)) last = place;
    }
    return last;
  }

  /** The first entry that is numbered above `seqnum`. */
  firstAbove(seqnum: number): Cursor | undefined {
    const isBehind = ({ header }: JournalFile): boolean => header.tailSeqnum > seqnum;
    return this.#first(isBehind, (file) => file.seqnum > seqnum);
  }

  /** The first entry later than `realtime` (microseconds), as far as the clock went only forward. */
  firstLaterThan(realtime: number): Cursor | undefined {
    return this.#first(
      ({ header }) => header.tailRealtime > realtime,
      (file) => file.realtime > realtime,
    );
  }

  /** The first entry of a boot, where that is the newest one. */
  firstOfBoot(bootId: string): Cursor | undefined {
    let first: Cursor | undefined;
    for (const file of this.#files) {
      const found = search(file, () => {
        if (readLast(file, file.header.entryCount)?.bootId !== bootId) return undefined;
        return readFrom(
          file,
          firstIndex(file, () => file.bootId === bootId),
        );
      });
      if (found === undefined) break;
      first = found;
    }
    return first;
  }

  /** The last entry of a boot that is numbered up to `seqnum`. */
  lastOfBoot(bootId: string, seqnum: number): Cursor | undefined {
    for (const file of this.#files) {
      if (file.header.headSeqnum > seqnum) continue;
      const found = search(file, () =>
        lastOfBoot(
          file,
          bootId,
          firstIndex(file, () => file.seqnum > seqnum),
        ),
      );
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** The entry that a file of another sequence had as `cursor`, and which was copied: when it was written tells it from all others. */
  copyOf(cursor: Cursor): Cursor | undefined {
    for (const file of this.#files) {
      const { headRealtime, tailRealtime } = file.header;
      if (cursor.realtime < headRealtime || cursor.realtime > tailRealtime) continue;
      const found = search(file, () => copyOf(file, cursor));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** How many entries there are that are numbered up to `seqnum`. */
  countUpTo(seqnum: number): number {
    return this.#count((file) => {
      const { headSeqnum, tailSeqnum, entryCount } = file.header;
      if (tailSeqnum <= seqnum) return entryCount;
      return headSeqnum > seqnum ? 0 : search(file, () => firstIndex(file, () => file.seqnum > seqnum));
    });
  }

  /** How many entries there are that are later than `realtime` (microseconds). */
  countLaterThan(realtime: number): number {
    return this.#count((file) => {
      const { headRealtime, tailRealtime, entryCount } = file.header;
      if (headRealtime > realtime) return entryCount;
      return tailRealtime <= realtime ? 0 : search(file, () => entryCount - firstIndex(file, () => file.realtime > realtime));
    });
  }

  #count(countIn: (file: JournalFile) => number | undefined): number {
    return this.#files.reduce((sum, file) => sum + (countIn(file) ?? 0), 0);
  }

  #first(isWorthALook: (file: JournalFile) => boolean, isPast: (file: JournalFile) => boolean): Cursor | undefined {
    let first: Cursor | undefined;
    for (const file of this.#files) {
      if (!isWorthALook(file)) continue;
      const found = search(file, () =>
        readFrom(
          file,
          firstIndex(file, () => isPast(file)),
        ),
      );
      if (found !== undefined && (first === undefined || (found.seqnum ?? 0) < (first.seqnum ?? 0))) first = found;
    }
    return first;
  }
}

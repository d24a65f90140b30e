/** How far each sequence of entries was read. */
import { type Cursor, seqnumCursor } from '../file/cursor.ts';
import type { JournalFile } from '../file/journal_file.ts';

/** The entry that was read last of a sequence, as what a cursor is made of: there is one for very many entries. */
export interface End {
  file: JournalFile | undefined;
  offset: number;
  seqnum: number;
  /** Microseconds. */
  realtime: number;
  /** Whether it has been told how far the sequence was read. */
  isTold: boolean;
}

/** Sequences that are remembered; positions of others do not move until they are read again. */
const MAX_ENDS = 1024;

export class Ends {
  readonly #ends = new Map<string, End>();

  /** That of the sequence, to be kept up to date; new where none is remembered. */
  of(seqnumId: string): End {
    const known = this.#ends.get(seqnumId);
    if (known !== undefined) return known;
    if (this.#ends.size >= MAX_ENDS) this.#ends.clear();
    const end = { file: undefined, offset: 0, seqnum: 0, realtime: 0, isTold: true };
    this.#ends.set(seqnumId, end);
    return end;
  }

  /** The cursor of the sequence's last entry; undefined where none was read. */
  cursorOf(seqnumId: string): Cursor | undefined {
    const end = this.#ends.get(seqnumId);
    if (end?.file === undefined) return undefined;
    const cursor = end.file.cursorAt(end.offset);
    // A file may have been emptied since, as it is before it is removed.
    return cursor?.seqnum === end.seqnum ? cursor : seqnumCursor(seqnumId, end.seqnum, end.realtime);
  }

  /** Sequences that were read further than was told. */
  get untold(): string[] {
    return [...this.#ends].filter(([, { isTold }]) => !isTold).map(([seqnumId]) => seqnumId);
  }
}

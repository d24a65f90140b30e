/**
 * How far each sequence of entries has been delivered. Files of one journald share a seqnum id and are one sequence; remote hosts,
 * containers and a journald that lost its files have their own. A single cursor could only guess about all but its own sequence,
 * so there is one for each, and a point in time for sequences that have not been seen yet.
 */
import { SluiceError } from '../../../../src/core/errors.ts';
import { type Cursor, parseCursor, timeCursor } from '../file/cursor.ts';

/** Sequences that are kept; the ones that were delivered longest ago make way, and are then as if they had not been seen. */
const MAX_SEQUENCES = 1024;

export class Positions {
  /** By seqnum id, the one that moved last at the end. */
  readonly #cursors = new Map<string, Cursor>();
  /** Where sequences that are met for the first time begin, in microseconds: behind this time. */
  readonly #baseline: number;

  constructor(baseline: number) {
    this.#baseline = baseline;
  }

  /**
   * Reads what `toText` wrote, or cursors of journald's (`journalctl --show-cursor`); sequences that these do not name begin behind the
   * latest of them. Throws a `SluiceError` (state_invalid) on anything else; `where` is for its message.
   */
  static parse(text: string, where: string): Positions {
    const lines = text.split('\n').filter((line) => line !== '');
    const cursors = lines.map((line) => parseCursor(line));
    if (cursors.length === 0 || !cursors.every((cursor) => cursor !== undefined)) {
      throw new SluiceError('state_invalid', `${where} does not hold journald cursors`, {
        hint: 'put a cursor of journalctl --show-cursor into it, or remove it to begin where start_at says',
      });
    }
    // Not simply the latest: a sequence that could not be seen so far may have entries from before it that were never read.
    const baseline = cursors.findLast(({ seqnumId }) => seqnumId === undefined)?.realtime;
    const positions = new Positions(baseline ?? Math.max(...cursors.map(({ realtime }) => realtime)));
    for (const cursor of cursors.toReversed()) if (cursor.seqnumId !== undefined) positions.set(cursor);
    return positions;
  }

  /** The same positions, which move on their own; `baseline` is another time for sequences that have not been seen, if given. */
  copy(baseline = this.#baseline): Positions {
    const copy = new Positions(baseline);
    for (const cursor of this.#cursors.values()) copy.set(cursor);
    return copy;
  }

  get baseline(): number {
    return this.#baseline;
  }

  /** The sequences that are known, the one that moved last first. */
  get cursors(): Cursor[] {
    return [...this.#cursors.values()].toReversed();
  }

  /** Where the sequence goes on: behind this entry or time. */
  of(seqnumId: string): Cursor {
    return this.#cursors.get(seqnumId) ?? timeCursor(this.#baseline, seqnumId);
  }

  /** Moves the cursor's sequence forward to it. False where the sequence is there already, or further on, and so does not move. */
  advance(cursor: Cursor): boolean {
    const known = this.#cursors.get(cursor.seqnumId ?? '');
    if (known?.seqnum !== undefined && (cursor.seqnum ?? 0) <= known.seqnum) return false;
    this.set(cursor);
    return true;
  }

  /** Puts the cursor's sequence there, forward or back; a cursor without a seqnum id belongs to none. */
  set(cursor: Cursor): void {
    if (cursor.seqnumId === undefined || this.#cursors.get(cursor.seqnumId)?.text === cursor.text) return;
    this.#cursors.delete(cursor.seqnumId);
    this.#cursors.set(cursor.seqnumId, cursor);
    if (this.#cursors.size > MAX_SEQUENCES) this.#cursors.delete(this.#cursors.keys().next().value ?? '');
  }

  /** A line for each cursor, the one that moved last first: `journalctl --cursor-file` reads that one. */
  toText(): string {
    return [...this.cursors, timeCursor(this.#baseline)].map(({ text }) => `${text}\n`).join('');
  }
}

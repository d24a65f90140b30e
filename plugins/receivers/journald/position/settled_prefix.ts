/**
 * Follows batches in the order in which they were emitted, and tells how far all of them have been settled without a gap. A batch that
 * failed is offered again after a restart, so nothing behind it counts.
 */
import type { Outcome } from '../../../../src/core/ack.ts';

interface Pending<Position> {
  /** At most one of each line. */
  readonly positions: Position[];
  isSettled: boolean;
}

export interface PrefixOptions<Position> {
  /** Told each position of the prefix, in order; of positions of one line that were passed one after the other only the merged one. */
  readonly advance: (position: Position) => void;
  /** Told once, when the prefix can grow no more. */
  readonly fail: (reason: string) => void;
  /** The one of two positions that stands for both; undefined where they are on different lines, and both are needed. */
  readonly merge: (known: Position, later: Position) => Position | undefined;
}

export class SettledPrefix<Position> {
  readonly #options: PrefixOptions<Position>;
  #pending: Pending<Position>[] = [];
  #hasFailed = false;

  constructor(options: PrefixOptions<Position>) {
    this.#options = options;
  }

  /** Batches that are not settled, or wait for one before them; with what was passed behind one of these. */
  get size(): number {
    return this.#pending.length;
  }

  /**
   * Adds a batch that ends at `position`, or behind which nothing counts yet where that is undefined; the function returned is to be
   * called with its outcome.
   */
  add(position: Position | undefined): (outcome: Outcome) => void {
    const pending: Pending<Position> = { positions: position === undefined ? [] : [position], isSettled: false };
    if (!this.#hasFailed) this.#pending.push(pending);
    return (outcome) => {
      if (outcome.kind === 'failed') this.#stopBefore(pending, outcome.reason);
      else pending.isSettled = true;
      this.#settleFirst();
    };
  }

  /** Adds a position up to which there was nothing to be made a batch of: it counts as soon as all batches before it are settled. */
  pass(position: Position): void {
    if (this.#hasFailed) return;
    const last = this.#pending.at(-1);
    if (last === undefined) this.#options.advance(position);
    else if (last.isSettled) this.#merge(last.positions, position);
    else this.#pending.push({ positions: [position], isSettled: true });
  }

  #merge(positions: Position[], position: Position): void {
    for (const [index, known] of positions.entries()) {
      const merged = this.#options.merge(known, position);
      if (merged === undefined) continue;
      positions[index] = merged;
      return;
    }
    positions.push(position);
  }

  #stopBefore(failed: Pending<Position>, reason: string): void {
    const index = this.#pending.indexOf(failed);
    if (index >= 0) this.#pending.length = index;
    if (!this.#hasFailed) this.#options.fail(reason);
    this.#hasFailed = true;
  }

  #settleFirst(): void {
    const open = this.#pending.findIndex(({ isSettled }) => !isSettled);
    const settled = this.#pending.splice(0, open < 0 ? this.#pending.length : open);
    for (const { positions } of settled) for (const position of positions) this.#options.advance(position);
  }
}

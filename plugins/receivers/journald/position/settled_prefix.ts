/**
 * Follows batches in the order in which they were emitted, and tells how far all of them have been settled without a gap. A batch that
 * failed is offered again after a restart, so nothing behind it counts.
 */
import type { Outcome } from '../../../../src/core/ack.ts';

interface Pending<Position> {
  readonly position: Position;
  isSettled: boolean;
}

export class SettledPrefix<Position> {
  readonly #advance: (position: Position) => void;
  readonly #fail: (reason: string) => void;
  #pending: Pending<Position>[] = [];
  #hasFailed = false;

  /** `advance` is called with the position of each batch of the prefix, in order; `fail` once, when the prefix can grow no more. */
  constructor(advance: (position: Position) => void, fail: (reason: string) => void) {
    this.#advance = advance;
    this.#fail = fail;
  }

  /** Batches that are not settled, or wait for one before them. */
  get size(): number {
    return this.#pending.length;
  }

  /** Adds a batch that ends at `position`; the function returned is to be called with its outcome. */
  add(position: Position): (outcome: Outcome) => void {
    const pending: Pending<Position> = { position, isSettled: false };
    if (!this.#hasFailed) this.#pending.push(pending);
    return (outcome) => {
      if (outcome.kind === 'failed') this.#stopBefore(pending, outcome.reason);
      else pending.isSettled = true;
      this.#settleFirst();
    };
  }

  #stopBefore(failed: Pending<Position>, reason: string): void {
    const index = this.#pending.indexOf(failed);
    if (index >= 0) this.#pending.length = index;
    if (!this.#hasFailed) this.#fail(reason);
    this.#hasFailed = true;
  }

  #settleFirst(): void {
    const open = this.#pending.findIndex(({ isSettled }) => !isSettled);
    const settled = this.#pending.splice(0, open < 0 ? this.#pending.length : open);
    for (const { position } of settled) this.#advance(position);
  }
}

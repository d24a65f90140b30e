import type { Outcome } from '../core/ack.ts';
import type { Batch } from '../core/batch.ts';
import type { Delivery } from '../core/component.ts';

/** What a batch takes besides its bytes and columns, as measured; without it a flood of tiny batches would be held nearly for free. */
export const BATCH_OVERHEAD_BYTES = 4096;

/**
 * A batch in memory, on behalf of a lane's tail and of the cursors that read it. Its bytes are given back when the last of them lets
 * go; its source is told what became of it once, which may be long before.
 */
export class Entry implements Delivery {
  readonly position: number;
  readonly batch: Batch;
  /** Memory that it takes, with its overhead. */
  readonly bytes: number;
  /** Whether a destination or more has settled it. */
  isTaken = false;
  /** Whether it is on its way to the disk, until which nothing may be concluded from its not being there. */
  isWriting = false;
  /** Whether the disk has it, for as long as its lane promises. */
  isSafe = false;
  #isAcknowledged: boolean;
  #holders = 1;
  readonly #released: (() => void) | undefined;

  /**
   * For its maker to let go of. A batch that was read from the disk has no source any more that waits to be told. `released` is called when
   * its bytes are given back.
   */
  constructor(position: number, batch: Batch, source: 'waits' | 'was told', released?: () => void) {
    this.position = position;
    this.batch = batch;
    this.bytes = batch.memoryBytes + BATCH_OVERHEAD_BYTES;
    this.#isAcknowledged = source === 'was told';
    this.#released = released;
  }

  hold(): this {
    this.#holders += 1;
    return this;
  }

  letGo(): void {
    this.#holders -= 1;
    if (this.#holders > 0) return;
    this.batch.release();
    this.#released?.();
  }

  /** Tells the source, where it has not been told before. */
  acknowledge(outcome: Outcome): void {
    if (this.#isAcknowledged) return;
    this.#isAcknowledged = true;
    this.batch.acknowledge(outcome);
  }
}

import { SluiceError } from '../../../src/core/errors.ts';

/** The memory that all connections together may take for what has come only in part. */
export class BufferBudget {
  readonly #maxBytes: number;
  #usedBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /**
   * Books that a connection takes `toBytes` instead of `fromBytes`.
   *
   * @throws SluiceError `peer_refused` where that is more than there is; it is booked all the same, until the connection gives it back.
   */
  change(fromBytes: number, toBytes: number): void {
    this.#usedBytes += toBytes - fromBytes;
    if (toBytes > fromBytes && this.#usedBytes > this.#maxBytes) {
      throw new SluiceError('peer_refused', 'the receiver has no memory left for what has come only in part', {
        transient: true,
      });
    }
  }
}

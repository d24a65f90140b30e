/** The memory that all connections of a receiver together may take for what has come only in part. */
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
   * Books that a connection takes `toBytes` instead of `fromBytes`. False where it takes more than before and that is more than there is;
   * it is booked all the same, and the connection is to give it back at once.
   */
  change(fromBytes: number, toBytes: number): boolean {
    this.#usedBytes += toBytes - fromBytes;
    return toBytes <= fromBytes || this.#usedBytes <= this.#maxBytes;
  }
}

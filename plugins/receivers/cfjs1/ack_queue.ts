/** A batch that was received, as the queue knows it. */
export interface OpenBatch {
  readonly id: number;
  isSettled: boolean;
}

/**
 * What may be acked when. Batches settle in any order, while an ack says that everything up to its id is settled: it goes over the
 * batches that have settled from the oldest on without a gap.
 */
export class AckQueue {
  /** Not acked, oldest first. */
  readonly #open: OpenBatch[] = [];

  /** Adds a batch whose id is larger than those before. */
  add(id: number): OpenBatch {
    const batch = { id, isSettled: false };
    this.#open.push(batch);
    return batch;
  }

  /** Returns the id up to which everything has settled now; undefined where an older batch has not. */
  settle(batch: OpenBatch): number | undefined {
    batch.isSettled = true;
    let through: number | undefined;
    while (this.#open[0]?.isSettled === true) through = this.#open.shift()?.id;
    return through;
  }
}

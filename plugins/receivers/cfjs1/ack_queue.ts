/** A batch that was received, as the queue knows it. */
export interface OpenBatch {
  readonly id: number;
  state: 'open' | 'settled' | 'failed';
}

/**
 * What may be acked when. Batches settle in any order, while an ack says that everything up to its id is settled: it goes over the
 * batches that have settled from the oldest on without a gap. A batch that has failed stays in the way for good.
 */
export class AckQueue {
  /** Not acked, oldest first. */
  readonly #open: OpenBatch[] = [];

  /** Whether no ack will come any more, unless a batch is added. */
  get isDone(): boolean {
    const oldest = this.#open[0];
    return oldest === undefined || oldest.state === 'failed';
  }

  /** Adds a batch whose id is larger than those before. */
  add(id: number): OpenBatch {
    const batch: OpenBatch = { id, state: 'open' };
    this.#open.push(batch);
    return batch;
  }

  /** Returns the id up to which everything has settled now; undefined where an older batch has not. */
  settle(batch: OpenBatch): number | undefined {
    batch.state = 'settled';
    let through: number | undefined;
    while (this.#open[0]?.state === 'settled') through = this.#open.shift()?.id;
    return through;
  }
}

/**
 * What has been read from a lane's disk and is held by somebody. Destinations that come back from the same outage read the same batches
 * at nearly the same time, so what one place fetches serves the others that are near it.
 */
import type { StoredBatch } from './disk/types.ts';
import { Entry } from './entry.ts';

interface Fetched {
  readonly reading: Promise<Entry | undefined>;
  /** Places that wait for it. */
  waiting: number;
  entry: Entry | undefined;
}

export class FetchedBatches {
  /** By the position from which on it is the first. */
  readonly #byFrom = new Map<number, Fetched>();

  /**
   * The first batch at or above `from`, for the caller to let go of; undefined at the end of what is on disk. `read` reads it, where
   * nobody else has; what it throws, everybody gets who waits for the same batch.
   */
  fetch(from: number, read: () => Promise<StoredBatch | undefined>): Promise<Entry | undefined> {
    const known = this.#byFrom.get(from);
    if (known?.entry !== undefined) return Promise.resolve(known.entry.hold());
    if (known !== undefined) {
      known.waiting += 1;
      return known.reading;
    }
    const fetched: Fetched = { reading: this.#read(from, read), waiting: 1, entry: undefined };
    this.#byFrom.set(from, fetched);
    return fetched.reading;
  }

  async #read(from: number, read: () => Promise<StoredBatch | undefined>): Promise<Entry | undefined> {
    let stored: StoredBatch | undefined;
    try {
      stored = await read();
    } finally {
      if (stored === undefined) this.#byFrom.delete(from);
    }
    const fetched = this.#byFrom.get(from);
    if (stored === undefined || fetched === undefined) return undefined;
    const entry = new Entry(stored.position, stored.batch, 'was told', () => this.#byFrom.delete(from));
    for (let holders = 1; holders < fetched.waiting; holders++) entry.hold();
    fetched.entry = entry;
    return entry;
  }
}

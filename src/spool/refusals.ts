/** Takes what destinations refuse for good to where it is kept. */
import type { Batch } from '../core/batch.ts';
import type { Delivery, Refusal } from '../core/component.ts';

/** Records of a dead letter could not be kept, and so are lost. */
const NOT_KEPT = 'dead_letters_unavailable';

/** Keeps records that a destination refused for good. */
export interface DeadLetters {
  /** Resolves when the records, indexes in the batch, are kept; rejects where they cannot be. The batch stays as it is meanwhile. */
  put(batch: Batch, records: readonly number[], destination: string, refusal: Refusal): Promise<void>;
}

/** What one destination refused of a delivery, at one time. */
export interface Refused extends Refusal {
  readonly records: readonly number[];
}

/** What became of a record that a destination refused for good. */
export interface RefusedRecord {
  /** Whether it is among the dead letters; otherwise it is lost. */
  readonly isKept: boolean;
  readonly reason: string;
}

/** By index in the batch. */
export type RefusedRecords = ReadonlyMap<number, RefusedRecord>;

export class Refusals {
  readonly #deadLetters: DeadLetters | undefined;
  readonly #underWay = new Set<Promise<unknown>>();

  /** Without dead letters, what is refused is lost, for the reason that it was refused for. */
  constructor(deadLetters: DeadLetters | undefined) {
    this.#deadLetters = deadLetters;
  }

  /** Resolves, whatever comes of it, with what became of the records. Never rejects. */
  async put(delivery: Delivery, destination: string, refused: readonly Refused[]): Promise<RefusedRecords> {
    const putting = this.#put(delivery, destination, refused);
    this.#underWay.add(putting);
    const became = await putting;
    this.#underWay.delete(putting);
    return became;
  }

  /** Resolves when nothing is under way, provided that nothing more comes. */
  async stop(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #put({ batch }: Delivery, destination: string, refused: readonly Refused[]): Promise<RefusedRecords> {
    const became = new Map<number, RefusedRecord>();
    for (const { records, ...refusal } of refused) {
      const record = await this.#putOne(batch, records, destination, refusal);
      for (const index of records) became.set(index, record);
    }
    return became;
  }

  async #putOne(batch: Batch, records: readonly number[], destination: string, refusal: Refusal): Promise<RefusedRecord> {
    const { reason } = refusal;
    if (this.#deadLetters === undefined) return { isKept: false, reason };
    try {
      await this.#deadLetters.put(batch, records, destination, refusal);
      return { isKept: true, reason };
    } catch {
      return { isKept: false, reason: NOT_KEPT }; // the store has told why
    }
  }
}

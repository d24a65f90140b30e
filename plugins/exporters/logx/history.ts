/** What is remembered of deliveries that were sent and came back without an ack, by their position, until they are settled. */
import type { Range, Refused } from './parcels.ts';

/** Of more deliveries than these, the oldest are forgotten: they are then sent in full, and their attempts counted anew. */
const MAX_DELIVERIES = 65_536;

/** What is still to be done for a delivery of which a part has been acked. */
export interface Remains {
  /** Not sent, or not acked. */
  readonly ranges: readonly Range[];
  /** Not to be sent any more, and to be reported when the delivery is settled. */
  readonly refused: readonly Refused[];
}

interface Entry {
  attempts: number;
  remains: Remains | undefined;
}

export class History {
  readonly #entries = new Map<number, Entry>();

  /** How often a delivery was sent in vain. */
  attempts(position: number): number {
    return this.#entries.get(position)?.attempts ?? 0;
  }

  /** Undefined where the whole delivery is to be sent. */
  remains(position: number): Remains | undefined {
    return this.#entries.get(position)?.remains;
  }

  sentInVain(position: number): void {
    this.#at(position).attempts += 1;
  }

  keep(position: number, remains: Remains, attempts: number): void {
    Object.assign(this.#at(position), { remains, attempts });
  }

  forget(position: number): void {
    this.#entries.delete(position);
  }

  /** For when nothing is left to be sent: what the spool has dropped is never settled. */
  clear(): void {
    this.#entries.clear();
  }

  #at(position: number): Entry {
    const known = this.#entries.get(position);
    if (known !== undefined) return known;
    const entry: Entry = { attempts: 0, remains: undefined };
    this.#entries.set(position, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > MAX_DELIVERIES && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }
}

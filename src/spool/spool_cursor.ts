import type { Cursor, Delivery, Refusal } from '../core/component.ts';
import type { Spool } from './spool.ts';

/** A destination's place in the spool: `settledPosition` <= `readPosition`, and between them what is being delivered. */
export class SpoolCursor implements Cursor {
  readonly destination: string;
  readonly #spool: Spool;
  #settled = 0;
  #read = 0;
  /** What the destination refused of deliveries that it is being sent, by position. */
  readonly #refused = new Map<number, { records: number; reason: string }>();
  #listener: (() => void) | undefined;
  #ranDry = true;

  constructor(destination: string, spool: Spool) {
    this.destination = destination;
    this.#spool = spool;
  }

  /** Every batch before this position is settled for this destination. */
  get settledPosition(): number {
    return this.#settled;
  }

  get hasNext(): boolean {
    return this.#spool.firstFrom(this.#read) !== undefined;
  }

  get isEmpty(): boolean {
    return this.#spool.firstFrom(this.#settled) === undefined;
  }

  /** Whether the batch at this position has been read and not settled. */
  isReading(position: number): boolean {
    return position >= this.#settled && position < this.#read;
  }

  next(): Delivery | undefined {
    const entry = this.#spool.firstFrom(this.#read);
    if (entry === undefined) this.#ranDry = true;
    else this.#read = entry.position + 1;
    return entry;
  }

  deliveredThrough(position: number): void {
    if (position < this.#settled || position >= this.#read) {
      throw new RangeError(
        `${this.destination}: position ${position} is not being delivered (${this.#settled} to ${this.#read})`,
      );
    }
    this.#settled = position + 1;
    for (const [refused, { records, reason }] of this.#refused) {
      if (refused > position) continue;
      this.#refused.delete(refused);
      this.#spool.refuse(refused, records, reason);
    }
    this.#spool.trim();
  }

  refused(delivery: Delivery, records: readonly number[], { detail }: Refusal): void {
    const { position, batch } = delivery;
    if (!this.isReading(position) || this.#spool.firstFrom(position)?.position !== position)
      throw new RangeError(`${this.destination}: position ${position} is not being delivered`);
    const before = this.#refused.get(position)?.records ?? 0;
    this.#refused.set(position, { records: Math.min(before + records.length, batch.count), reason: detail });
  }

  rewind(): void {
    this.#refused.clear(); // what is read again may be taken this time
    this.#read = this.#settled;
    this.wake();
  }

  onReadable(listener: () => void): void {
    this.#listener = listener;
  }

  /** Calls the listener, once, if it has found nothing to read before. For the spool. */
  wake(): void {
    if (!this.#ranDry || this.#listener === undefined) return;
    this.#ranDry = false;
    queueMicrotask(this.#listener);
  }
}

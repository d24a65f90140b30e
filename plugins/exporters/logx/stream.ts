/** The usual way to send: delivery after delivery, as they are read, as many under way as the link lets. */
import type { Cursor, Delivery } from '../../../src/core/component.ts';
import type { Attempts } from './attempts.ts';
import type { LineCache } from './line_cache.ts';
import { emptyParcel, indexesOf, type Parcel, parcelsOf, type Refused } from './parcels.ts';
import type { Terms } from './terms.ts';
import type { SentFrame } from './window.ts';

export interface SendingParts {
  readonly cursor: Cursor;
  readonly cache: LineCache;
  readonly attempts: Attempts;
  /** How often records are sent at most. */
  readonly maxAttempts: number;
  /** These records of the delivery, which is settled next, go to the dead letters. */
  readonly refused: (refused: Refused) => void;
}

export class Stream {
  readonly #p: SendingParts;
  /** What was refused of the delivery that has been acked in part; it counts once all of it is. */
  #refused: Refused[] = [];

  constructor(parts: SendingParts) {
    this.#p = parts;
  }

  /** The next delivery; undefined where there is none now. */
  next(mark: string | undefined, terms: Terms): Parcel[] | undefined {
    const { cursor, cache, attempts, maxAttempts } = this.#p;
    const delivery = cursor.next();
    if (delivery === undefined) return undefined;
    const lines = cache.acquire(delivery, mark);
    const all = { first: 0, count: delivery.batch.count };
    const before = attempts.of(delivery.position);
    if (before >= maxAttempts) return [emptyParcel(delivery, exhausted(indexesOf(all), before))];
    return parcelsOf(delivery, lines, all, before + 1, terms);
  }

  settled(mark: string | undefined, frames: readonly SentFrame[]): void {
    const { cursor, cache, attempts } = this.#p;
    for (const { delivery, isLast, refused } of frames) {
      this.#refused.push(...refused);
      if (!isLast) continue;
      refuse(this.#p, delivery, this.#refused.splice(0));
      cache.release(delivery, mark);
      attempts.forget(delivery.position);
    }
    const last = frames.findLast(({ isLast }) => isLast);
    if (last !== undefined) cursor.deliveredThrough(last.delivery.position);
    if (cursor.isEmpty) attempts.clear();
  }

  /** The link ended with these unacked: they are sent again over the next one. */
  returned(mark: string | undefined, frames: readonly SentFrame[]): void {
    const { cursor, cache, attempts } = this.#p;
    for (const { delivery, isLast } of frames) if (isLast) cache.release(delivery, mark);
    const sent = frames.filter(({ records }) => records > 0).map(({ delivery }) => delivery.position);
    for (const position of new Set(sent)) attempts.sentInVain(position);
    this.#refused = [];
    cursor.rewind();
  }
}

/** Hands records of a delivery that is settled next to the dead letters. */
export function refuse({ cursor, refused }: SendingParts, delivery: Delivery, all: readonly Refused[]): void {
  for (const each of all) {
    const { records, ...refusal } = each;
    cursor.refused(delivery, records, refusal);
    refused(each);
  }
}

export function exhausted(records: readonly number[], attempts: number): Refused {
  return { records, reason: 'retries_exhausted', detail: `sent ${attempts} times without an ack (max_attempts)`, attempts };
}

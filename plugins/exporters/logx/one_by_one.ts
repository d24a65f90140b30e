/**
 * Sends what an isolation asks for, a unit at a time. Deliveries that were read are kept, whatever happens to connections, until they are
 * settled in the order in which they were read.
 */
import type { Delivery } from '../../../src/core/component.ts';
import { Isolation, type Unit, type Verdict } from './isolation.ts';
import { indexesOf, type Parcel, parcelsOf, type Refused } from './parcels.ts';
import { exhausted, refuse, type SendingParts } from './stream.ts';
import type { Terms } from './terms.ts';
import type { SentFrame } from './window.ts';

/** What was read is kept in memory until all before it is settled. */
const MAX_HELD = 64;
const MAX_HELD_BYTES = 8 * 1024 * 1024;

interface Held {
  readonly delivery: Delivery;
  /** Records that are neither acked nor condemned. */
  left: number;
  readonly refused: Refused[];
}

export class OneByOne {
  readonly #p: SendingParts;
  readonly #isolation: Isolation;
  /** In the order in which they were read. */
  readonly #held: Held[] = [];
  #mark: string | undefined;
  /** What was refused of the unit under way, which counts once all of it is acked. */
  #refused: Refused[] = [];

  /** `scope`: deliveries that were under way when the trouble came. */
  constructor(parts: SendingParts, scope: number, random: () => number) {
    this.#p = parts;
    const { maxAttempts } = parts;
    this.#isolation = new Isolation({
      read: () => this.#read(),
      hasRoom: () => this.#hasRoom,
      isHeld: (delivery) => this.#held.some((each) => each.delivery === delivery),
      scope,
      maxAttempts,
      random,
    });
  }

  /** `anew` where more must go over another connection, `over` where nothing is suspected any more. */
  next(mark: string | undefined, terms: Terms, isFirst: boolean): Parcel[] | 'anew' | 'over' | undefined {
    if (mark !== this.#mark) this.#isolation.moved();
    this.#mark = mark;
    const unit = this.#isolation.next(isFirst);
    if (unit === 'wait') return undefined;
    if (typeof unit === 'string') return unit;
    const { delivery, attempts } = unit;
    return parcelsOf(delivery, this.#p.cache.acquire(delivery, mark), unit, attempts + 1, terms);
  }

  settled(mark: string | undefined, frames: readonly SentFrame[]): void {
    const isProof = frames.some(({ records }) => records > 0);
    for (const { delivery, isLast, refused } of frames) {
      this.#refused.push(...refused);
      if (!isLast) continue;
      const held = this.#heldOf(delivery);
      this.#p.cache.release(delivery, mark);
      const unit = this.#isolation.acked(isProof);
      const counted = this.#refused.splice(0);
      if (unit.isCopy === true) continue; // it has been counted before
      held.left -= unit.count;
      held.refused.push(...counted);
    }
    this.#settleOldest();
  }

  /** `isBlamed` where the connection ended by the receiver, and not for a reason that it gave. */
  returned(mark: string | undefined, frames: readonly SentFrame[], isBlamed: boolean): void {
    for (const { delivery, isLast } of frames) if (isLast) this.#p.cache.release(delivery, mark);
    this.#refused = [];
    if (!isBlamed || frames.length === 0) {
      this.#isolation.withdrawn();
      return;
    }
    const verdict = this.#isolation.failed();
    if (verdict === undefined) return;
    const held = this.#heldOf(verdict.unit.delivery);
    held.refused.push(refusedBy(verdict));
    held.left -= verdict.unit.count;
    this.#settleOldest();
  }

  get #hasRoom(): boolean {
    const bytes = this.#held.reduce((sum, { delivery }) => sum + delivery.batch.memoryBytes, 0);
    return this.#held.length < MAX_HELD && bytes < MAX_HELD_BYTES;
  }

  #read(): Unit | undefined {
    const { cursor, attempts } = this.#p;
    const delivery = cursor.next();
    if (delivery === undefined) return undefined;
    const { count } = delivery.batch;
    this.#held.push({ delivery, left: count, refused: [] });
    return { delivery, first: 0, count, attempts: attempts.of(delivery.position), tries: 0, strikes: 0 };
  }

  #settleOldest(): void {
    const { cursor, attempts } = this.#p;
    const done: Held[] = [];
    while (this.#held[0]?.left === 0) done.push(...this.#held.splice(0, 1));
    for (const { delivery, refused } of done) {
      refuse(this.#p, delivery, refused);
      attempts.forget(delivery.position);
    }
    const last = done.at(-1);
    if (last !== undefined) cursor.deliveredThrough(last.delivery.position);
  }

  #heldOf(delivery: Delivery): Held {
    const held = this.#held.find((each) => each.delivery === delivery);
    if (held === undefined) throw new Error(`position ${delivery.position} is not being sent`);
    return held;
  }
}

function refusedBy({ unit, reason }: Verdict): Refused {
  const { attempts } = unit;
  const records = indexesOf(unit);
  if (reason === 'retries_exhausted') return exhausted(records, attempts);
  const detail = `the connection ended each of the ${attempts} times that it was sent, while other records were acknowledged`;
  return { records, reason, detail, attempts };
}

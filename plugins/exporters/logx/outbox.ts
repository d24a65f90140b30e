/**
 * What a destination has to send, over whichever link. As a rule in a stream; one by one where connections end again and again with the same
 * delivery under way, until the record that is to blame has been found or none is.
 */
import { Attempts } from './attempts.ts';
import { OneByOne } from './one_by_one.ts';
import type { Parcel, Refused } from './parcels.ts';
import { type SendingParts, Stream } from './stream.ts';
import type { Terms } from './terms.ts';
import type { SentFrame } from './window.ts';

/** Connections in a row that must end with the same delivery as the oldest one under way before records are sent one by one. */
const SUSPICIOUS_ENDS = 3;

export interface OutboxParts extends Omit<SendingParts, 'attempts' | 'refused'> {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly events: OutboxEvents;
}

export interface OutboxEvents {
  /** These records go to the dead letters. */
  refused(refused: Refused): void;
  /** Whether records are sent one by one has changed. */
  isolating(isIsolating: boolean): void;
}

export class Outbox {
  readonly #p: SendingParts;
  readonly #random: () => number;
  readonly #events: OutboxEvents;
  readonly #stream: Stream;
  #oneByOne: OneByOne | undefined;
  /** The oldest delivery that was under way when the last connection ended, and how many have ended so in a row. */
  #oldest = NaN;
  #ends = 0;

  constructor({ random, events, ...parts }: OutboxParts) {
    this.#p = { ...parts, attempts: new Attempts(), refused: (refused) => events.refused(refused) };
    this.#random = random;
    this.#events = events;
    this.#stream = new Stream(this.#p);
  }

  /** True when everything has been settled. */
  get isEmpty(): boolean {
    return this.#p.cursor.isEmpty;
  }

  get isIsolating(): boolean {
    return this.#oneByOne !== undefined;
  }

  /**
   * What to send next, one parcel or more; undefined where there is nothing now, `anew` where it must not go over this connection.
   * `isFirst` where nothing was sent over it yet.
   */
  next(mark: string | undefined, terms: Terms, isFirst: boolean): Parcel[] | 'anew' | undefined {
    if (this.#oneByOne !== undefined) {
      const next = this.#oneByOne.next(mark, terms, isFirst);
      if (next !== 'over') return next;
      this.#oneByOne = undefined;
      this.#events.isolating(false);
    }
    return this.#stream.next(mark, terms);
  }

  /** These have been acked, in the order in which they were sent. */
  settled(mark: string | undefined, frames: readonly SentFrame[]): void {
    this.#ends = 0;
    (this.#oneByOne ?? this.#stream).settled(mark, frames);
  }

  /**
   * The connection has ended with these unacked. `isBlamed` where it was the receiver that ended it, or something between, after it had said
   * that it takes records.
   */
  returned(mark: string | undefined, frames: readonly SentFrame[], isBlamed: boolean): void {
    if (this.#oneByOne !== undefined) {
      this.#oneByOne.returned(mark, frames, isBlamed);
      return;
    }
    this.#stream.returned(mark, frames);
    const oldest = frames[0]?.delivery.position;
    if (oldest === undefined || !isBlamed) return;
    this.#ends = oldest === this.#oldest ? this.#ends + 1 : 1;
    this.#oldest = oldest;
    if (this.#ends < SUSPICIOUS_ENDS) return;
    this.#ends = 0;
    this.#oneByOne = new OneByOne(this.#p, new Set(frames.map(({ delivery }) => delivery)).size, this.#random);
    this.#events.isolating(true);
  }
}

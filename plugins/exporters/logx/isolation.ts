/**
 * Finds the record for which connections end. A receiver, or something in front of it, may break at one record and not be able to say so: all
 * that is seen is a connection that ends each time the same records are under way. From an outage that looks the same, a receiver that
 * crashes for reasons of its own, it differs in one thing only: **other records get through**. So nothing is condemned but by comparison.
 *
 *     walk: each delivery alone, in order ──▶ (all acked: over)
 *              │ the connection ended at it, three times
 *              ▼
 *           suspect ◀─────────────────────────────────────────────────┐
 *              │ other records are acked on a connection of their own │
 *              ▼                                                      │
 *           proven: the suspect, on a connection of its own           │
 *              │            │ the connection ends: of several records, each half is a suspect; one record has a strike
 *              │ ack        └─────────────────────────────────────────┘
 *              ▼                            │ the fourth strike
 *           cleared                         ▼
 *                                       condemned
 *
 * - While there are suspects, each connection carries one unit and no more, so that a receiver that ends connections after a while, or
 *   after so many batches, condemns nothing.
 * - A strike counts only if other records have been acked since the strike before.
 * - Whether a suspect or another unit comes next is drawn by lot, so that a balancer which gives every second connection to a broken receiver
 *   does not always give it the same one.
 * - Other records for which the connection ends as well speak for the suspects: their strikes are forgotten.
 * - Where there are no others left, one that has been acked already is sent again: a copy with the same id harms less than a guess.
 */
import type { Delivery } from '../../../src/core/component.ts';
import type { Range } from './parcels.ts';

/** How often a connection must end at a unit that walks before it is a suspect. */
const DOUBTS = 3;

/** How often a single record must end a connection, others having got through each time before, until it is condemned. */
const STRIKES = 4;

/** Records of one delivery that are sent together, in a frame of their own. */
export interface Unit extends Range {
  readonly delivery: Delivery;
  /** How often its records were sent in vain. */
  attempts: number;
  /** How often as this unit. */
  tries: number;
  strikes: number;
  /** True for a record that has been acked before, and is sent again to be compared with. */
  readonly isCopy?: boolean;
}

export interface Verdict {
  readonly unit: Unit;
  readonly reason: 'refused' | 'retries_exhausted';
}

export interface IsolationParts {
  /** The next delivery, all of it; undefined where there is none now. */
  readonly read: () => Unit | undefined;
  /** False while as much has been read and not settled as may be kept. */
  readonly hasRoom: () => boolean;
  /** Whether a delivery has not been settled yet, so that a record of it can be sent again. */
  readonly isHeld: (delivery: Delivery) => boolean;
  /** Deliveries that were under way when it began: so many are sent alone at least. */
  readonly scope: number;
  /** How often a unit is sent at most. */
  readonly maxAttempts: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export class Isolation {
  readonly #p: IsolationParts;
  /** In order, but for others that have become suspects. */
  readonly #suspects: Unit[] = [];
  /** In order. */
  readonly #others: Unit[] = [];
  #sent: Unit | undefined;
  /** A record that was acked. */
  #copy: Unit | undefined;
  #deliveries = 0;
  #failuresInRow = 0;
  /** Whether other records have got through since a connection ended. */
  #isProven = false;

  constructor(parts: IsolationParts) {
    this.#p = parts;
  }

  /**
   * What to send now. `wait`: for what was sent. `anew`: nothing more over this connection. `over`: nothing is suspected any more, and all
   * that was read is acked or condemned.
   * `isFirst` where nothing was sent over the connection yet.
   */
  next(isFirst: boolean): Unit | 'wait' | 'anew' | 'over' {
    if (this.#sent !== undefined) return 'wait';
    if (this.#suspects.length === 0) this.#sent = this.#take(this.#deliveries < this.#p.scope);
    else if (isFirst) this.#sent = this.#pick();
    else return 'anew';
    return this.#sent ?? 'over';
  }

  /** What was sent has been acked. `isProof` is false where none of it could be sent, since it is too large. */
  acked(isProof: boolean): Unit {
    const unit = this.#takeSent();
    remove(this.#suspects, unit);
    if (!isProof) return unit;
    this.#copy = { ...unit, count: 1, isCopy: true };
    this.#failuresInRow = 0;
    this.#isProven = true;
    return unit;
  }

  /** The connection ended while a unit was under way, for no reason of this side's. */
  failed(): Verdict | undefined {
    const unit = this.#takeSent();
    const isAlone = this.#suspects.length === 1 && this.#others.length === 0;
    const isProven = this.#isProven;
    unit.tries += 1;
    unit.attempts += 1;
    this.#failuresInRow += 1;
    this.#isProven = false;
    if (unit.isCopy === true) this.#acquit();
    else if (unit.attempts >= this.#p.maxAttempts) return this.#condemn(unit, 'retries_exhausted');
    else if (!this.#suspects.includes(unit)) this.#doubt(unit);
    else if (unit.count > 1 && (isProven || isAlone)) this.#halve(unit);
    else if (unit.count === 1 && isProven) {
      unit.strikes += 1;
      if (unit.strikes >= STRIKES) return this.#condemn(unit, 'refused');
    }
    return undefined;
  }

  /** The connection ended for a reason that says nothing about what was under way. */
  withdrawn(): void {
    if (this.#sent === undefined) return;
    const unit = this.#takeSent();
    if (unit.isCopy !== true && !this.#suspects.includes(unit)) this.#others.unshift(unit);
  }

  /** It is another receiver from now on, which has acked nothing yet. */
  moved(): void {
    this.#isProven = false;
  }

  get #hasCopy(): boolean {
    return this.#copy !== undefined && this.#p.isHeld(this.#copy.delivery);
  }

  /** A suspect, or another unit to compare it with. */
  #pick(): Unit | undefined {
    const failures = this.#failuresInRow;
    // In an outage few connections go to others: what is sent after it comes out of order.
    const share = this.#isProven ? 1 / 2 : failures <= DOUBTS ? 2 / 3 : 1 / 4;
    const wantsOther = this.#p.random() < share || (failures > 0 && failures % 6 === 0);
    const other = wantsOther ? this.#takeRecord() : undefined;
    if (other !== undefined) return other;
    if (this.#isProven) return this.#suspects[0];
    if (wantsOther && this.#hasCopy) return this.#copy;
    return this.#suspects.reduce((least, unit) => (unit.tries < least.tries ? unit : least));
  }

  #take(mayRead: boolean): Unit | undefined {
    if (this.#others.length > 0 || !mayRead) return this.#others.shift();
    const unit = this.#p.read();
    if (unit !== undefined) this.#deliveries += 1;
    return unit;
  }

  /** A single record, so that many comparisons are to be had. */
  #takeRecord(): Unit | undefined {
    const unit = this.#take(this.#p.hasRoom());
    if (unit === undefined || unit.count === 1) return unit;
    this.#others.unshift({ ...unit, first: unit.first + 1, count: unit.count - 1 });
    return { ...unit, count: 1 };
  }

  /** Others have failed as well. */
  #acquit(): void {
    for (const suspect of this.#suspects) suspect.strikes = 0;
  }

  #doubt(unit: Unit): void {
    this.#acquit();
    if (unit.tries < DOUBTS) this.#others.unshift(unit);
    else this.#suspects.push(unit);
  }

  #halve(unit: Unit): void {
    const { delivery, attempts, first } = unit;
    const count = unit.count >> 1;
    const part = { delivery, attempts, tries: 0, strikes: 0 };
    const halves = [
      { ...part, first, count },
      { ...part, first: first + count, count: unit.count - count },
    ];
    this.#suspects.splice(this.#suspects.indexOf(unit), 1, ...halves);
  }

  #condemn(unit: Unit, reason: Verdict['reason']): Verdict {
    remove(this.#suspects, unit);
    return { unit, reason };
  }

  #takeSent(): Unit {
    const unit = this.#sent;
    if (unit === undefined) throw new Error('nothing is under way');
    this.#sent = undefined;
    return unit;
  }
}

function remove(units: Unit[], unit: Unit): void {
  const at = units.indexOf(unit);
  if (at !== -1) units.splice(at, 1);
}

import { DELIVERED, type Outcome } from '../../src/core/ack.ts';
import type { Batch } from '../../src/core/batch.ts';
import type { Cursor, Delivery, Refusal } from '../../src/core/component.ts';

export interface Refused extends Refusal {
  readonly position: number;
  readonly records: readonly number[];
}

/** What stands in the place of a settled batch's bytes, so that an exporter that still reads them is found out. */
const POISON = 0xdd;

/**
 * An in-memory spool for tests of exporters: every cursor gets every batch, and a batch is settled, and its bytes are spoiled, when
 * the last cursor has settled it. The cursors hold their exporter to the contract and throw where it is broken; since an exporter may
 * catch what is thrown at it, they keep a list as well.
 */
export class MemorySpool {
  readonly cursors: readonly MemoryCursor[];
  #nextPosition = 0;

  constructor(destinations: readonly string[]) {
    this.cursors = destinations.map((destination) => new MemoryCursor(destination));
  }

  /** True when every cursor has settled every batch. */
  get isEmpty(): boolean {
    return this.cursors.every((cursor) => cursor.isEmpty);
  }

  /** Offers a batch, whose arena must be its own, to every cursor. Returns its position. */
  push(batch: Batch): number {
    const position = this.#nextPosition++;
    const refused = new Set<string>();
    let open = this.cursors.length;
    const settleOne = (reason: string | undefined): void => {
      if (reason !== undefined) refused.add(reason);
      open -= 1;
      if (open > 0) return;
      batch.settle(outcomeOf(refused));
      batch.arena.fill(POISON);
    };
    for (const cursor of this.cursors) cursor.accept({ position, batch }, settleOne);
    return position;
  }
}

function outcomeOf(refused: ReadonlySet<string>): Outcome {
  const [reason] = refused;
  return reason === undefined ? DELIVERED : { kind: 'rejected', reason };
}

interface Held {
  readonly delivery: Delivery;
  readonly settle: (refusedBecause: string | undefined) => void;
  readonly refusedRecords: Set<number>;
  refusedBecause: string | undefined;
}

export class MemoryCursor implements Cursor {
  readonly destination: string;
  /** Positions in the order in which they were settled. */
  readonly settled: number[] = [];
  /** Records refused for good, in the order in which they were reported. */
  readonly refusals: Refused[] = [];
  /** Positions in the order in which `next` gave them, again after a rewind included. */
  readonly given: number[] = [];
  /** Breaches of the contract, each of which was thrown at the exporter too. */
  readonly violations: string[] = [];
  rewinds = 0;
  /** Not settled, oldest first; the first `#read` of them have been given out. */
  readonly #held: Held[] = [];
  #read = 0;
  #listener: (() => void) | undefined;
  #ranDry = false;

  constructor(destination: string) {
    this.destination = destination;
  }

  get hasNext(): boolean {
    return this.#read < this.#held.length;
  }

  get isEmpty(): boolean {
    return this.#held.length === 0;
  }

  next(): Delivery | undefined {
    const held = this.#held[this.#read];
    if (held === undefined) {
      this.#ranDry = true;
      return undefined;
    }
    this.#read += 1;
    this.given.push(held.delivery.position);
    return held.delivery;
  }

  deliveredThrough(position: number): void {
    const count = this.#held.findIndex(({ delivery }) => delivery.position === position) + 1;
    if (count === 0) throw this.#violation(`position ${position} was settled before, or was never in the spool`);
    if (count > this.#read) throw this.#violation(`position ${position} was settled without having been read`);
    this.#read -= count;
    for (const { delivery, settle, refusedBecause } of this.#held.splice(0, count)) {
      this.settled.push(delivery.position);
      settle(refusedBecause);
    }
  }

  refused(delivery: Delivery, records: readonly number[], refusal: Refusal): void {
    const held = this.#held.slice(0, this.#read).find((one) => one.delivery.position === delivery.position);
    if (held === undefined) throw this.#violation(`position ${delivery.position} was refused but is not being delivered`);
    const { count } = delivery.batch;
    const before = held.refusedRecords.size;
    for (const record of records) held.refusedRecords.add(record);
    held.refusedBecause = refusal.detail;
    const areIndexes = records.every((record) => Number.isInteger(record) && record >= 0 && record < count);
    if (!areIndexes || records.length === 0 || held.refusedRecords.size !== before + records.length)
      throw this.#violation(`records ${records.join(', ')} of a delivery of ${count} were refused, or some of them twice`);
    this.refusals.push({ position: delivery.position, records, ...refusal });
  }

  rewind(): void {
    this.rewinds += 1;
    const hadNext = this.hasNext;
    this.#read = 0;
    for (const held of this.#held) {
      held.refusedRecords.clear();
      held.refusedBecause = undefined;
    }
    if (!hadNext) this.#wake();
  }

  onReadable(listener: () => void): void {
    if (this.#listener !== undefined) throw this.#violation('a cursor has one listener');
    this.#listener = listener;
  }

  /** For the spool: a batch to deliver, and what to call when it is settled. */
  accept(delivery: Delivery, settle: (refusedBecause: string | undefined) => void): void {
    this.#held.push({ delivery, settle, refusedRecords: new Set(), refusedBecause: undefined });
    this.#wake();
  }

  #violation(what: string): Error {
    this.violations.push(what);
    return new Error(`${this.destination}: ${what}`);
  }

  #wake(): void {
    if (!this.#ranDry || !this.hasNext) return;
    this.#ranDry = false;
    setImmediate(() => this.#listener?.());
  }
}

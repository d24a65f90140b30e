import type { Cursor, Delivery, Refusal } from '../core/component.ts';
import type { Entry } from './entry.ts';
import type { Lane } from './lane.ts';
import type { Place } from './place.ts';
import type { Refused, RefusedRecords } from './refusals.ts';

/** No more is read while so much is held that is settled but for dead letters that are being written. */
const MAX_SETTLING_BYTES = 8 * 1024 * 1024;

/** Puts what was refused of a delivery where it is kept; resolves, whatever comes of that, with what came of it. Never rejects. */
export type PutDeadLetters = (delivery: Delivery, refused: readonly Refused[]) => Promise<RefusedRecords>;

/** A lane, and how far the destination has come in it. */
export interface Station {
  readonly lane: Lane;
  readonly place: Place;
}

interface Item extends Station {
  readonly entry: Entry;
  refused: Refused[] | undefined;
  /** Whether the exporter has nothing to do with it. */
  readonly isForOthers: boolean;
  /** Set once the exporter has settled it and its dead letters are written. */
  deadLetters: RefusedRecords | undefined;
  isDone: boolean;
}

export interface SpoolCursorOptions {
  readonly destination: string;
  readonly stations: readonly Station[];
  readonly putDeadLetters: PutDeadLetters;
  /** Called when something has been settled for good. */
  readonly settled: () => void;
}

/** A destination's place in the spool: one in each lane, which take turns. */
export class SpoolCursor implements Cursor {
  readonly destination: string;
  readonly #o: SpoolCursorOptions;
  /** Read and not settled by the exporter, in the order of reading. */
  #window: Item[] = [];
  /** Settled by the exporter; the first of them waits for its dead letters to be written. */
  readonly #settling: Item[] = [];
  #settlingBytes = 0;
  #turn = 0;
  #listener: (() => void) | undefined;
  #ranDry = true;

  constructor(options: SpoolCursorOptions) {
    this.#o = options;
    this.destination = options.destination;
  }

  get hasNext(): boolean {
    return this.#mayRead && this.#o.stations.some(({ place }) => place.hasNext);
  }

  get isEmpty(): boolean {
    return this.#o.stations.every(({ place }) => place.isEmpty);
  }

  /** What is being delivered, or waits for its dead letters. */
  *reading(): Iterable<Delivery> {
    for (const { entry } of this.#settling) yield entry;
    for (const { entry } of this.#window) yield entry;
  }

  next(): Delivery | undefined {
    for (let item = this.#read(); item !== undefined; item = this.#read()) {
      this.#window.push(item);
      if (!item.isForOthers) return item.entry;
      this.#settleForOthers();
    }
    this.#ranDry = true;
    return undefined;
  }

  deliveredThrough(position: number): void {
    const index = this.#indexOf(position);
    const items = this.#window.splice(0, index + 1);
    for (const item of items) this.#take(item);
    this.#settleForOthers();
    this.#settleTaken();
  }

  refused(delivery: Delivery, records: readonly number[], refusal: Refusal): void {
    const item = this.#window[this.#indexOf(delivery.position)]!; // the index of something in the window
    item.refused ??= [];
    item.refused.push({ records, ...refusal });
  }

  rewind(): void {
    for (const { place } of this.#o.stations) place.rewind();
    for (const { entry } of this.#window.splice(0)) entry.letGo();
    this.wake();
  }

  onReadable(listener: () => void): void {
    this.#listener = listener;
  }

  /** Calls the listener, once, if it has found nothing to read before. */
  wake(): void {
    if (!this.#ranDry || this.#listener === undefined) return;
    this.#ranDry = false;
    queueMicrotask(this.#listener);
  }

  /** Lets go of what it has read and fetched. It must not be used after that. */
  close(): void {
    this.#listener = undefined;
    for (const { entry } of this.#window.splice(0)) entry.letGo();
    for (const { place } of this.#o.stations) place.close();
  }

  /** The next batch of the lane whose turn it is, or of another one where that has none. */
  #read(): Item | undefined {
    if (!this.#mayRead) return undefined;
    const { stations } = this.#o;
    for (let tried = 0; tried < stations.length; tried++) {
      const station = stations[this.#turn]!; // a turn is an index
      this.#turn = (this.#turn + 1) % stations.length;
      const entry = station.place.next();
      if (entry === undefined) continue;
      const { onlyFor } = entry.batch;
      const isForOthers = onlyFor !== undefined && onlyFor !== this.destination;
      return { ...station, entry, refused: undefined, isForOthers, deadLetters: undefined, isDone: false };
    }
    return undefined;
  }

  get #mayRead(): boolean {
    return this.#settlingBytes < MAX_SETTLING_BYTES;
  }

  #indexOf(position: number): number {
    const index = this.#window.findIndex(({ entry }) => entry.position === position);
    if (index < 0) throw new RangeError(`${this.destination}: position ${position} is not being delivered`);
    return index;
  }

  /** Settles what the exporter has nothing to do with, where nothing else was read before it. */
  #settleForOthers(): void {
    while (this.#window[0]?.isForOthers === true) this.#take(this.#window.shift()!); // there is a first one
    this.#settleTaken();
  }

  #take(item: Item): void {
    const { place, entry, refused } = item;
    place.take(entry.position);
    this.#settling.push(item);
    this.#settlingBytes += entry.bytes;
    if (refused === undefined) {
      item.isDone = true;
      return;
    }
    void this.#o.putDeadLetters(entry, refused).then((deadLetters) => {
      item.deadLetters = deadLetters;
      item.isDone = true;
      this.#settleTaken();
    });
  }

  /** Settles what has been taken, in order, as far as its dead letters are written. */
  #settleTaken(): void {
    const couldRead = this.#mayRead;
    let isSettled = false;
    for (let item = this.#settling[0]; item?.isDone === true; item = this.#settling[0]) {
      this.#settling.shift();
      this.#settlingBytes -= item.entry.bytes;
      const { lane, place, entry, deadLetters } = item;
      place.settle(entry.position);
      lane.settle(entry, deadLetters);
      entry.letGo();
      isSettled = true;
    }
    if (!isSettled) return;
    this.#o.settled();
    if (!couldRead && this.#mayRead) this.wake();
  }
}

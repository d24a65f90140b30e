/**
 * How far one destination has come in one lane:
 *
 *     … settled │ handed over │ being delivered │ waits …
 *               settled       taken             read
 *
 * What is no longer in memory is fetched from the disk ahead of being read.
 */
import type { Clock, Timer } from '../core/clock.ts';
import { BackOff } from '../kit/back_off.ts';
import { isDone } from './disk/segment_file.ts';
import type { SegmentReader } from './disk/segment_reader.ts';
import type { StoredBatch } from './disk/types.ts';
import type { Entry } from './entry.ts';
import type { Lane } from './lane.ts';

/** What is fetched ahead, for each place. */
const AHEAD_BYTES = 4 * 1024 * 1024;

/** A segment that cannot be read for so long is given up. Long, since the disk may come back, and short of for ever, since it may not. */
const GIVE_UP_AFTER_MS = 300_000;

export interface PlaceEvents {
  /** There may be something to read now. */
  fetched(): void;
  readFailed(error: unknown): void;
  /** The rest of a segment has been given up. */
  skipped(): void;
}

export class Place {
  #settled = 0;
  #taken = 0;
  readonly #lane: Lane;
  readonly #clock: Clock;
  readonly #events: PlaceEvents;
  readonly #backOff: BackOff;
  #read = 0;
  /** Behind what was read last; what lies between it and `#read` is not there any more. */
  #handedOut = 0;
  #ahead: Entry[] = [];
  #aheadBytes = 0;
  /** Behind what was fetched last. */
  #fetchFrom = 0;
  #reader: SegmentReader | undefined;
  /** What the reader is reading; settles when it is done, whatever comes of it. */
  #reading: Promise<unknown> = Promise.resolve();
  /** Up to here the disk has been read through. */
  #readThrough = -1;
  #isFetching = false;
  /** Since when the disk cannot be read. */
  #failingSinceMs: number | undefined;
  #retry: Timer | undefined;
  #isClosed = false;
  /** Grows with each rewind, so that a fetch that is under way then is of no effect. */
  #generation = 0;

  constructor(lane: Lane, clock: Clock, random: () => number, events: PlaceEvents) {
    this.#lane = lane;
    this.#clock = clock;
    this.#events = events;
    this.#backOff = new BackOff({ minMs: 50, maxMs: 15_000, random });
  }

  /** Goes on where the destination was left; before anything is read. */
  open(settled: number): void {
    this.#settled = settled;
    this.#taken = settled;
    this.#read = settled;
    this.#handedOut = settled;
  }

  /** Every batch before this position is settled, and its dead letters are written. */
  get settled(): number {
    return this.#settled;
  }

  /** The exporter has settled the batch at this position, and everything before it. */
  take(position: number): void {
    this.#taken = position + 1;
    this.#passWhatIsGone();
  }

  /** What the exporter has settled up to this position is settled for good. */
  settle(position: number): void {
    this.#settled = position + 1;
    this.#passWhatIsGone();
  }

  /** True when the destination has settled everything that the lane holds. */
  get isEmpty(): boolean {
    return !this.#lane.hasFrom(this.#taken);
  }

  get hasNext(): boolean {
    return (
      this.#ahead.length > 0 || (this.#read > this.#lane.evictedThrough && this.#lane.tail.firstFrom(this.#read) !== undefined)
    );
  }

  /** Whether the batch at this position is being delivered, or its dead letters are being written. */
  isReading(position: number): boolean {
    return position >= this.#settled && position < this.#read;
  }

  /** Whether something between these positions is being delivered, or has been fetched for it. */
  isUsing(first: number, last: number): boolean {
    const end = this.#isFetching ? Infinity : Math.max(this.#read, (this.#ahead.at(-1)?.position ?? -1) + 1);
    return last >= this.#settled && first < end && end > this.#settled;
  }

  /** The next batch, for the caller to let go of; undefined where there is none, or none yet. */
  next(): Entry | undefined {
    if (this.#read <= this.#lane.evictedThrough) {
      const entry = this.#nextFromDisk();
      if (entry !== undefined) return entry;
      if (this.#read <= this.#lane.evictedThrough) return undefined;
    }
    if (this.#reader !== undefined || this.#ahead.length > 0 || this.#isFetching) this.#forgetAhead();
    const entry = this.#lane.tail.firstFrom(this.#read);
    if (entry !== undefined) this.#hasRead(entry);
    return entry?.hold();
  }

  /** Goes back to what the exporter has not settled. */
  rewind(): void {
    this.#read = this.#taken;
    this.#handedOut = this.#taken;
    this.#forgetAhead();
  }

  /** To be called when there may be something to fetch again. */
  goOn(): void {
    if (this.#read <= this.#lane.evictedThrough) this.#events.fetched();
  }

  /** Lets go of what was fetched, and fetches nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#forgetAhead();
  }

  #hasRead({ position }: Entry): void {
    this.#read = position + 1;
    this.#handedOut = this.#read;
  }

  /** What could not be read back must not keep the destination from having settled everything. */
  #passWhatIsGone(): void {
    if (this.#taken === this.#handedOut) this.#taken = this.#read;
    if (this.#settled === this.#handedOut) this.#settled = this.#taken;
  }

  #nextFromDisk(): Entry | undefined {
    const entry = this.#ahead[0];
    // What is in memory as well is read from there.
    if (entry !== undefined && entry.position <= this.#lane.evictedThrough) {
      this.#ahead.shift();
      this.#aheadBytes -= entry.bytes;
      this.#hasRead(entry); // before it is looked what comes next
      if (this.#aheadBytes < AHEAD_BYTES / 2) void this.#fetch();
      return entry;
    }
    if (entry === undefined && this.#readThrough < this.#lane.evictedThrough) void this.#fetch();
    else {
      this.#read = this.#lane.evictedThrough + 1;
      this.#passWhatIsGone();
    }
    return undefined;
  }

  async #fetch(): Promise<void> {
    if (this.#isFetching || this.#retry !== undefined || this.#isClosed || this.#lane.isDropping) return;
    this.#isFetching = true;
    const generation = this.#generation;
    try {
      while (this.#mayFetch(generation) && (await this.#fetchNext(generation)));
    } catch (error) {
      if (generation === this.#generation) await this.#failed(error, generation);
    }
    this.#isFetching = false;
    if (generation === this.#generation) this.#events.fetched();
    else if (this.#read <= this.#lane.evictedThrough) void this.#fetch();
  }

  #mayFetch(generation: number): boolean {
    return this.#aheadBytes < AHEAD_BYTES && generation === this.#generation && !this.#lane.isDropping;
  }

  /** False at the end of what is on disk. */
  async #fetchNext(generation: number): Promise<boolean> {
    const { evictedThrough, fetched } = this.#lane;
    const from = Math.max(this.#fetchFrom, this.#read);
    const entry = await fetched.fetch(from, () => this.#readFrom(from));
    if (generation !== this.#generation) {
      entry?.letGo();
      return false;
    }
    this.#failingSinceMs = undefined;
    this.#backOff.reset();
    if (entry === undefined) {
      this.#readThrough = evictedThrough;
      return false;
    }
    this.#fetchFrom = entry.position + 1;
    this.#ahead.push(entry);
    this.#aheadBytes += entry.bytes;
    if (this.#ahead.length === 1) this.#events.fetched();
    return true;
  }

  #readFrom(from: number): Promise<StoredBatch | undefined> {
    const reading = this.#readerAt(from).next();
    this.#reading = isDone(reading.then(() => {}));
    return reading;
  }

  #readerAt(from: number): SegmentReader {
    this.#reader ??= this.#lane.openReader(from);
    this.#reader.skipTo(from);
    return this.#reader;
  }

  async #failed(error: unknown, generation: number): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    this.#failingSinceMs ??= nowMs;
    this.#events.readFailed(error);
    if (nowMs - this.#failingSinceMs >= GIVE_UP_AFTER_MS) {
      this.#failingSinceMs = undefined;
      const reader = this.#readerAt(Math.max(this.#fetchFrom, this.#read));
      await reader.skipSegment();
      this.#events.skipped();
      if (generation !== this.#generation) return;
    }
    this.#retry = this.#clock.after(this.#backOff.nextMs(), () => {
      this.#retry = undefined;
      void this.#fetch();
    });
  }

  #forgetAhead(): void {
    this.#generation += 1;
    this.#retry?.cancel();
    this.#retry = undefined;
    for (const entry of this.#ahead.splice(0)) entry.letGo();
    this.#aheadBytes = 0;
    this.#fetchFrom = 0;
    this.#readThrough = -1;
    if (this.#reader !== undefined) void this.#close(this.#reader);
    this.#reader = undefined;
  }

  /** When it has read what it is reading, for which another place may be waiting too. */
  async #close(reader: SegmentReader): Promise<void> {
    await this.#reading;
    await isDone(reader.close());
  }
}

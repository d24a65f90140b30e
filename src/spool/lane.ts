/**
 * One of a spool's sequences: the batches of all receivers that have the same rule for a full spool. The newest are in memory, older
 * ones may be on disk:
 *
 *     oldest                                                                newest
 *     ├────────── segments on disk ──────────┤
 *                                   ├─────────────── memory ──────────────┤ ◀── append
 *     … on disk only …  evictedThrough │ in both   lastPosition │ in memory only
 */
import { DELIVERED, type Outcome } from '../core/ack.ts';
import type { Batch } from '../core/batch.ts';
import type { OnFull } from '../core/component.ts';
import type { SegmentLog } from './disk/segment_log.ts';
import type { SegmentReader } from './disk/segment_reader.ts';
import type { ReceiverRecords } from './disk/types.ts';
import type { Entry } from './entry.ts';
import { FetchedBatches } from './fetched.ts';
import type { Place } from './place.ts';
import type { RefusedRecord, RefusedRecords } from './refusals.ts';
import { Tail } from './tail.ts';

/** What happens to a receiver's records when the spool is full; `push_back` where their source keeps them. */
export type OverflowRule = OnFull | 'push_back';

export const OVERFLOW_RULES: readonly OverflowRule[] = ['push_back', 'drop_oldest', 'drop_newest', 'block'];

/** How a batch left the spool: all of its records were delivered but those that a destination refused. */
export type Finished = (batch: Batch, refused: RefusedRecords) => void;

const NONE_REFUSED: RefusedRecords = new Map();

/** How the records of a lane are numbered that their source has not numbered. */
export interface Numbering {
  readonly epoch: string;
  readonly nextSequence: number;
}

export class Lane {
  readonly rule: OverflowRule;
  readonly tail = new Tail();
  readonly fetched = new FetchedBatches();
  /** One a destination. */
  readonly places: Place[] = [];
  #log: SegmentLog | undefined;
  #epoch: string;
  #nextSequence = 1;
  #evictedThrough = -1;
  #isDropping = false;
  readonly #finished: Finished;
  /** What destinations have refused of batches that others have not settled, by position and index. */
  readonly #refused = new Map<number, Map<number, RefusedRecord>>();

  constructor(rule: OverflowRule, epoch: string, finished: Finished) {
    this.rule = rule;
    this.#epoch = epoch;
    this.#finished = finished;
  }

  /** Goes on where a disk was left; before anything is appended. */
  open(log: SegmentLog, { epoch, nextSequence }: Numbering): void {
    this.#log = log;
    this.#epoch = epoch;
    this.#nextSequence = nextSequence;
    this.#evictedThrough = log.lastPosition;
  }

  /** Undefined where everything stays in memory. */
  get log(): SegmentLog | undefined {
    return this.#log;
  }

  get numbering(): Numbering {
    return { epoch: this.#epoch, nextSequence: this.#nextSequence };
  }

  /** What is at or below this position is on disk, if anywhere. */
  get evictedThrough(): number {
    return this.#evictedThrough;
  }

  /** Every destination has settled what is below this position. */
  get settled(): number {
    return Math.min(...this.places.map(({ settled }) => settled));
  }

  /** Gives records their ids, where they have none. */
  number(batch: Batch): void {
    if (batch.epoch !== undefined) return;
    batch.epoch = this.#epoch;
    const { sequence } = batch.columns;
    for (let index = 0; index < batch.count; index++) sequence[index] = this.#nextSequence++;
  }

  /** What is on disk below this position is done with; what is just being written counts only then. */
  get doneBelow(): number {
    return Math.min(this.settled, this.tail.first?.position ?? Infinity);
  }

  /** Whether anything is held at or above a position. */
  hasFrom(position: number): boolean {
    if ((this.tail.last?.position ?? -1) >= position) return true;
    return this.log !== undefined && !this.log.isEmpty && this.#evictedThrough >= position;
  }

  /** Reads what is on disk; only for what is not in memory. */
  openReader(from: number): SegmentReader {
    if (this.log === undefined) throw new Error('nothing of this lane is on disk');
    return this.log.openReader(from);
  }

  /** The oldest batches in memory that are not on disk and may go there, up to `maxBytes` of them or one. */
  writable(maxBytes: number, mayLeave: (entry: Entry) => boolean): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    for (const entry of this.tail.from((this.log?.lastPosition ?? -1) + 1)) {
      if ((bytes > 0 && bytes + entry.bytes > maxBytes) || !mayLeave(entry)) break;
      entries.push(entry);
      bytes += entry.bytes;
    }
    return entries;
  }

  /** Keeps batches that `writable` gave in memory, whatever becomes of them meanwhile, for as long as `write` runs. */
  async whileWriting<T>(entries: readonly Entry[], write: () => Promise<T>): Promise<T> {
    for (const entry of entries) entry.isWriting = true;
    try {
      return await write();
    } finally {
      for (const entry of entries) entry.isWriting = false;
      this.finishSettled();
    }
  }

  /** Puts batches on the disk, synced, and tells their sources. Where it throws, they are in memory only, as before. */
  async write(entries: readonly Entry[]): Promise<void> {
    const { log } = this;
    if (log === undefined) throw new Error('this lane has no disk');
    await log.append(entries);
    await log.sync();
    for (const entry of entries) {
      entry.isSafe = true;
      entry.acknowledge(DELIVERED);
    }
  }

  /** Lets go of what the disk has, the oldest first, until `isEnough`. */
  evict(isEnough: () => boolean): void {
    for (let { first } = this.tail; first?.isSafe === true && !isEnough(); { first } = this.tail) {
      this.tail.removeFirst();
      this.#evictedThrough = first.position;
      first.letGo();
    }
  }

  /** Takes the oldest batch that is in memory only, and not on its way anywhere, out of the lane. */
  takeOldest(): Entry | undefined {
    for (const entry of this.tail.from((this.log?.lastPosition ?? -1) + 1)) {
      if (entry.isWriting || this.places.some((place) => place.isReading(entry.position))) continue;
      this.tail.remove(entry);
      this.#forgetRefused(entry.position, entry.position);
      return entry;
    }
    return undefined;
  }

  /** Whether a part of what is on disk is being given up; nothing is to be fetched meanwhile, since it might be that. */
  get isDropping(): boolean {
    return this.#isDropping;
  }

  /**
   * Removes the oldest segment that no destination uses and of which nothing is in memory, and gives back what it held; undefined where there
   * is none. Throws the system's error.
   */
  async dropOldest(): Promise<readonly ReceiverRecords[] | undefined> {
    this.#isDropping = true;
    try {
      return await this.log?.dropOldest((first, last) => {
        const isUsed = this.places.some((place) => place.isUsing(first, last));
        const isBusy = isUsed || last > this.#evictedThrough;
        if (!isBusy) this.#forgetRefused(first, last);
        return isBusy;
      });
    } finally {
      this.#isDropping = false;
      for (const place of this.places) place.goOn();
    }
  }

  /** Takes everything out of memory. */
  takeAll(): Entry[] {
    const entries = [...this.tail.from(0)];
    for (const entry of entries) this.tail.remove(entry);
    return entries;
  }

  /** Books what one more destination, whose place is behind it already, has made of a batch, and finishes it where that was the last. */
  settle(entry: Entry, refused: RefusedRecords | undefined): void {
    const { position } = entry;
    if (refused !== undefined) this.#addRefused(position, refused);
    const isLast = this.settled > position;
    if (position > this.#evictedThrough) {
      entry.isTaken = true;
      if (isLast) this.finishSettled();
    } else if (isLast) this.#finish(entry);
  }

  /** Finishes what is in memory and every destination has settled. */
  finishSettled(): void {
    const { settled } = this;
    for (let { first } = this.tail; first !== undefined && first.position < settled; { first } = this.tail) {
      if (first.isWriting) return; // until it is known whether the disk has it
      this.tail.removeFirst();
      this.#finish(first);
      first.letGo();
    }
  }

  /** Records that are held, by receiver, wherever they are; `isSafe` where a crash cannot take them. */
  *held(): Iterable<ReceiverRecords & { readonly isSafe: boolean }> {
    const isSafe = this.rule === 'push_back'; // their source has them
    for (const { batch } of this.tail.from((this.log?.lastPosition ?? -1) + 1))
      yield { receiver: batch.receiver, records: batch.count, isSafe };
    for (const held of this.log?.held() ?? []) yield { ...held, isSafe: true };
  }

  /** For batches that are given up: what some have refused of them is lost like the rest. */
  #forgetRefused(first: number, last: number): void {
    for (const position of this.#refused.keys()) if (position >= first && position <= last) this.#refused.delete(position);
  }

  #addRefused(position: number, refused: RefusedRecords): void {
    const all = this.#refused.get(position) ?? new Map<number, RefusedRecord>();
    // What is lost for one destination is not made good by another one's dead letter.
    for (const [index, record] of refused) if (all.get(index)?.isKept !== false) all.set(index, record);
    this.#refused.set(position, all);
  }

  #finish(entry: Entry): void {
    const { position, batch } = entry;
    const refused = this.#refused.get(position) ?? NONE_REFUSED;
    this.#refused.delete(position);
    if (this.log !== undefined && position <= this.log.lastPosition) this.log.finished(position, batch.receiver, batch.count);
    this.#finished(batch, refused);
    entry.acknowledge(outcomeOf(refused));
  }
}

/** What a source hears that waits for it: a record that was refused and could not be kept is lost, unless the source offers it again. */
function outcomeOf(refused: RefusedRecords): Outcome {
  const records = [...refused.values()];
  const worst = records.find(({ isKept }) => !isKept) ?? records[0];
  if (worst === undefined) return DELIVERED;
  return { kind: worst.isKept ? 'rejected' : 'dropped', reason: worst.reason };
}

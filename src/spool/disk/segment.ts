/** What is known in memory of one segment. */
import type { File } from '../../core/files.ts';
import type { ReceiverRecords } from './types.ts';

type Counts = Map<string, number>;

export interface SegmentFacts {
  readonly path: string;
  readonly firstPosition: number;
  readonly mark: number | undefined;
  /** Length of the file. */
  readonly bytes: number;
}

export class Segment {
  readonly path: string;
  readonly firstPosition: number;
  /** Undefined where it is not known: that of the first frame will do. */
  mark: number | undefined;
  /** Length of the file. */
  bytes: number;
  /** Where the last good frame ends. */
  end: number;
  /** Position of the last good frame. */
  lastPosition: number;
  /** The file has gone, or is about to. */
  isRemoved = false;
  /** Offsets of damaged places that were told already. */
  readonly damaged = new Set<number>();
  /** Open while there is something in it that is not synced, or while it is appended to. */
  file: File | undefined;
  /** `end` and `lastPosition` as of the last good sync; 0 and -1 where there was none. */
  #syncedEnd = 0;
  #syncedPosition = -1;
  readonly #held: Counts = new Map();
  /** The part of what is held that is not synced. */
  readonly #unsynced: Counts = new Map();

  constructor({ path, firstPosition, mark, bytes }: SegmentFacts) {
    this.path = path;
    this.firstPosition = firstPosition;
    this.mark = mark;
    this.bytes = bytes;
    this.end = 0;
    this.lastPosition = -1;
  }

  get isSynced(): boolean {
    return this.end === this.#syncedEnd;
  }

  get syncedPosition(): number {
    return this.#syncedPosition;
  }

  /** True where nothing in it is unfinished. */
  get isFinished(): boolean {
    return this.#held.size === 0;
  }

  /** What is unfinished in it. */
  held(): ReceiverRecords[] {
    return Array.from(this.#held, ([receiver, records]) => ({ receiver, records }));
  }

  /** Books a frame that ends at `end`. */
  add(position: number, end: number, receiver: string, records: number): void {
    this.lastPosition = position;
    this.end = end;
    count(this.#held, receiver, records);
    count(this.#unsynced, receiver, records);
  }

  finished(position: number, receiver: string, records: number): void {
    count(this.#held, receiver, -records);
    if (position > this.#syncedPosition) count(this.#unsynced, receiver, -records);
  }

  /** All that is in it is safe now. */
  synced(): void {
    this.#syncedEnd = this.end;
    this.#syncedPosition = this.lastPosition;
    this.#unsynced.clear();
  }

  /** Forgets what was added since the last good sync. */
  takeBack(): void {
    for (const [receiver, records] of this.#unsynced) count(this.#held, receiver, -records);
    this.#unsynced.clear();
    this.end = this.#syncedEnd;
    this.lastPosition = this.#syncedPosition;
  }
}

function count(counts: Counts, receiver: string, records: number): void {
  const sum = (counts.get(receiver) ?? 0) + records;
  if (sum === 0) counts.delete(receiver);
  else counts.set(receiver, sum);
}

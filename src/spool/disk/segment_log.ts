import type { Recovered, ReceiverRecords, SegmentLogOptions, StoredBatch } from './types.ts';

/**
 * One lane's batches on disk: an append-only sequence of segments. `recover` is called first, once. Calls that change something
 * (`append`, `sync`, `removeBelow`, `dropOldest`, `close`) may be made at any time and take turns; readers go on meanwhile.
 */
export declare class SegmentLog {
  constructor(options: SegmentLogOptions);

  /** Bytes of all segments. */
  get bytes(): number;
  /** The highest position appended and not taken back by a failed `sync`; -1 where there was none. */
  get lastPosition(): number;
  /** Every batch at or below this position that was appended is safe; -1 where there is none. */
  get syncedPosition(): number;
  /** True when it holds no record that is not finished. */
  get isEmpty(): boolean;

  /**
   * Walks over the segments, cuts a torn tail and sets aside what is damaged. Batches below `from` are done with: they are not counted, and
   * segments that hold nothing else are removed. Throws a `SluiceError` for a segment of an unknown version, and the system's error.
   */
  recover(from: number): Promise<Recovered>;

  /**
   * Appends batches, positions ascending from above `lastPosition`, to one segment, and resolves when they are written (not synced). Where
   * it throws (the system's error, with its `code`) none of them counts, and the same ones may be appended again later. The batches
   * must not change meanwhile; they can be released after it.
   */
  append(batches: readonly StoredBatch[]): Promise<void>;

  /**
   * Resolves once all that was appended before is safe. Where it throws (the system's error), everything above `syncedPosition` is taken
   * back, as if it had never been appended: the caller still has it in memory and appends it again.
   */
  sync(): Promise<void>;

  /** Reads from the oldest batch at or above `from` on. Several readers can be open; each is to be closed. */
  openReader(from: number): SegmentReader;

  /** Every destination is done with `records` of a batch which was appended or recovered. */
  finished(position: number, receiver: string, records: number): void;

  /**
   * Removes the segments all of whose positions are below `position`; gives back what they held that was never `finished`, because it was
   * damaged. A small newest segment that holds nothing unfinished is kept, for more to come. Throws the system's error; call it again.
   */
  removeBelow(position: number): Promise<readonly ReceiverRecords[]>;

  /**
   * Removes the oldest segment for which `isBusy`, asked with its first and last position, is false, and gives back what it held that was
   * not `finished`; undefined when there is none. Readers go on with the next segment.
   */
  dropOldest(isBusy: (first: number, last: number) => boolean): Promise<readonly ReceiverRecords[] | undefined>;

  /** Records that are not finished. */
  held(): Iterable<ReceiverRecords>;

  /** Closes the files; removes the newest segment where nothing in it is unfinished. Does not sync. */
  close(): Promise<void>;
}

export interface SegmentReader {
  /**
   * The next batch, positions ascending; undefined at the end of what was appended, after which it can be called again. The batch has
   * an ack of its own, and its buffer is used again once it is released. What is damaged is set aside, told and passed over. Where it throws
   * (the system's error, such as EIO) the same call may be made again. One call at a time.
   */
  next(): Promise<StoredBatch | undefined>;
  /** Gives up on the rest of the segment that cannot be read; its records stay unfinished until it is removed. */
  skipSegment(): void;
  close(): Promise<void>;
}

import { randomBytes } from 'node:crypto';
import type { FileSystem } from '../../core/files.ts';
import { firstNotBefore } from '../../kit/binary_search.ts';
import { FrameDecoder } from './frame_decoder.ts';
import { type EncodedFrame, FrameEncoder } from './frame_encoder.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentName } from './layout.ts';
import { Quarantine } from './quarantine.ts';
import { recoverSegments } from './recovery.ts';
import { Segment } from './segment.ts';
import { SegmentDirectory } from './segment_directory.ts';
import { closeFile, cutFile, isDone } from './segment_file.ts';
import { SegmentReader } from './segment_reader.ts';
import type { ReceiverRecords, Recovered, SegmentLogOptions, StoredBatch } from './types.ts';

/** The newest segment is not removed when all in it is finished, but used on, until it has this share of its bound. */
const KEEP_BELOW_SHARE = 1 / 16;

/**
 * One lane's batches on disk: an append-only sequence of segments. `recover` is called first, once. Calls that change something
 * (`append`, `sync`, `removeBelow`, `dropOldest`, `close`) may be made at any time and take turns; readers go on meanwhile.
 *
 * Segments ascend. Only the last can be appended to, and only if it was begun by this object: the `#active` one.
 */
export class SegmentLog {
  readonly #options: SegmentLogOptions;
  readonly #files: FileSystem;
  readonly #encoder = new FrameEncoder();
  readonly #decoder = new FrameDecoder();
  readonly #quarantine: Quarantine;
  readonly #mark = randomBytes(4).readUInt32LE();
  #directory: SegmentDirectory;
  readonly #segments: Segment[] = [];
  /** What removed segments held that was not finished, until the caller has been told and books it. */
  readonly #gone: ReceiverRecords[] = [];
  #active: Segment | undefined;
  /** Segments that a killed process may have left unsynced. */
  #recovered: Segment[] = [];
  #lastPosition = -1;
  #syncedPosition = -1;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: SegmentLogOptions) {
    this.#options = options;
    this.#files = options.files;
    this.#directory = new SegmentDirectory(options.directory, options.files, []);
    this.#quarantine = new Quarantine(options);
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#segments.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** The highest position appended and not taken back by a failed `sync`; -1 where there was none. */
  get lastPosition(): number {
    return this.#lastPosition;
  }

  /** Every batch at or below this position that was appended is safe; -1 where there is none. What was recovered is so from the first `sync` on. */
  get syncedPosition(): number {
    return this.#syncedPosition;
  }

  /** True when it holds no record that is not finished. */
  get isEmpty(): boolean {
    return this.#segments.every((segment) => segment.isFinished);
  }

  /**
   * Walks over the segments, cuts a torn tail and sets aside what is damaged. Batches below `from` are done with: they are not counted, and
   * segments that hold nothing else are removed; those from `newerFrom` on are told apart. Throws a `SluiceError` for an unknown version.
   */
  async recover(from: number, newerFrom = Infinity): Promise<Recovered> {
    const options = { ...this.#options, quarantine: this.#quarantine, from, newerFrom };
    const { segments, leftovers, lost, newer, hasDamage } = await recoverSegments(options);
    this.#gone.push(...lost);
    this.#segments.push(...segments);
    this.#recovered = segments;
    this.#directory = new SegmentDirectory(this.#options.directory, this.#files, leftovers);
    this.#lastPosition = this.#segments.at(-1)?.lastPosition ?? -1;
    this.#syncedPosition = this.#lastPosition;
    return { lastPosition: this.#lastPosition, newer, hasDamage };
  }

  /**
   * Appends batches, positions ascending from above `lastPosition`, to one segment, and resolves when they are written (not synced). Where
   * it throws (the system's error, with its `code`) none of them counts, and the same ones may be appended again later. The batches
   * must not change meanwhile; they can be released after it.
   */
  append(batches: readonly StoredBatch[]): Promise<void> {
    return this.#inTurn(async () => {
      this.#checkOrder(batches);
      if (batches.length === 0) return;
      const frames = batches.map((stored) => this.#encoder.encode(stored, this.#mark));
      const bytes = frames.reduce((sum, frame) => sum + frame.bytes, 0);
      if (this.#active !== undefined && this.#active.end + bytes > this.#options.segmentBytes) this.#active = undefined;
      const segment = await this.#write(batches[0]!.position, frames, bytes); // there is one, see above
      let { end } = segment;
      for (const [at, { position, batch }] of batches.entries()) {
        end += frames[at]!.bytes; // a frame was made of each
        segment.add(position, end, batch.receiver, batch.count);
      }
      segment.bytes = end;
      this.#lastPosition = segment.lastPosition;
    });
  }

  /**
   * Resolves once all that was appended before is safe. Where it throws (the system's error), everything above `syncedPosition` is taken
   * back, as if it had never been appended: the caller still has it in memory and appends it again.
   */
  sync(): Promise<void> {
    return this.#inTurn(async () => {
      try {
        await this.#syncRecovered();
        for (const { file, isSynced } of this.#segments) if (!isSynced) await file?.sync();
        await this.#directory.sync();
      } catch (error) {
        await this.#takeBack();
        throw error;
      }
      this.#syncedPosition = this.#lastPosition;
      for (const segment of this.#segments) {
        segment.synced();
        if (segment !== this.#active) await closeFile(segment);
      }
    });
  }

  /** Reads from the oldest batch at or above `from` on. Several readers can be open; each is to be closed. */
  openReader(from: number): SegmentReader {
    return new SegmentReader(from, {
      files: this.#files,
      decoder: this.#decoder,
      quarantine: this.#quarantine,
      segmentFrom: (position) => this.#segments[this.#indexFrom(position)],
    });
  }

  /** Every destination is done with `records` of a batch which was appended or recovered. */
  finished(position: number, receiver: string, records: number): void {
    const segment = this.#segments[this.#indexFrom(position)];
    if (segment !== undefined && position >= segment.firstPosition) segment.finished(position, receiver, records);
  }

  /**
   * Removes the segments all of whose positions are below `position`; gives back what they held that was never `finished`, because it was
   * damaged. A small newest segment that holds nothing unfinished is kept, for more to come. Throws the system's error; call it again.
   */
  removeBelow(position: number): Promise<readonly ReceiverRecords[]> {
    return this.#inTurn(async () => {
      for (let oldest = this.#segments[0]; oldest !== undefined && oldest.lastPosition < position; oldest = this.#segments[0]) {
        const isSmall = oldest.bytes < this.#options.segmentBytes * KEEP_BELOW_SHARE;
        if (oldest === this.#active && isSmall && oldest.isFinished) break;
        try {
          await this.#remove(oldest);
        } catch (error) {
          if (this.#gone.length === 0) throw error;
          break; // what was removed must be told; the next call will throw
        }
      }
      return this.#gone.splice(0);
    });
  }

  /**
   * Removes the oldest segment for which `isBusy`, asked with its first and last position, is false, and gives back what it held that was
   * not `finished`; undefined when there is none. Readers go on with the next segment. Throws the system's error.
   */
  dropOldest(isBusy: (first: number, last: number) => boolean): Promise<readonly ReceiverRecords[] | undefined> {
    return this.#inTurn(async () => {
      const oldest = this.#segments.find(({ firstPosition, lastPosition }) => !isBusy(firstPosition, lastPosition));
      if (oldest === undefined) return undefined;
      await this.#remove(oldest);
      return this.#gone.splice(0);
    });
  }

  /** Appends to a new file from now on, since the one that was appended to is no longer where it was. */
  startAnew(): Promise<void> {
    return this.#inTurn(async () => {
      this.#active = undefined;
    });
  }

  /** Records that are not finished. */
  *held(): Iterable<ReceiverRecords> {
    const sums = new Map<string, number>();
    for (const { receiver, records } of [...this.#segments.flatMap((segment) => segment.held()), ...this.#gone])
      sums.set(receiver, (sums.get(receiver) ?? 0) + records);
    for (const [receiver, records] of sums) yield { receiver, records };
  }

  /** Closes the files; removes the newest segment where nothing in it is unfinished. Does not sync. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#active?.isFinished === true) await isDone(this.#remove(this.#active));
      await isDone(this.#directory.clear());
      for (const segment of this.#segments) await closeFile(segment);
      this.#active = undefined;
    });
  }

  /** Index of the oldest segment that has a position at or above this one. */
  #indexFrom(position: number): number {
    return firstNotBefore(this.#segments.length, (index) => this.#segments[index]!.lastPosition < position); // below the length
  }

  #checkOrder(batches: readonly StoredBatch[]): void {
    let last = this.#lastPosition;
    for (const { position } of batches) {
      if (position <= last) throw new RangeError(`position ${position} of lane ${this.#options.lane} does not follow ${last}`);
      last = position;
    }
  }

  /** Writes frames to the active segment, or to a new one. Where it throws there is nothing of them, or nothing that is read. */
  async #write(firstPosition: number, frames: readonly EncodedFrame[], bytes: number): Promise<Segment> {
    const pieces = frames.flatMap((frame) => frame.pieces);
    const active = this.#active;
    if (active?.file === undefined) return this.#begin(firstPosition, pieces, bytes);
    try {
      await active.file.write(pieces, active.end);
    } catch (error) {
      if (!(await cutFile(active))) this.#active = undefined;
      throw error;
    }
    return active;
  }

  async #begin(firstPosition: number, pieces: readonly Uint8Array[], bytes: number): Promise<Segment> {
    const { lane } = this.#options;
    const mark = this.#mark;
    const header = encodeSegmentHeader({ mark, firstPosition, lane });
    const { path, file } = await this.#directory.create(segmentName(lane, firstPosition), [header, ...pieces]);
    const segment = new Segment({ path, firstPosition, mark, bytes: SEGMENT_HEADER_BYTES + bytes });
    segment.file = file;
    segment.end = SEGMENT_HEADER_BYTES;
    this.#segments.push(segment);
    this.#active = segment;
    return segment;
  }

  /** Once: the system tells only one time that it could not write, and there is no other copy of what was recovered. */
  async #syncRecovered(): Promise<void> {
    for (const { path } of this.#recovered.splice(0).filter(({ isRemoved }) => !isRemoved)) {
      const file = await this.#files.open(path, 'read');
      try {
        await file.sync();
      } finally {
        await isDone(file.close());
      }
    }
  }

  async #takeBack(): Promise<void> {
    this.#active = undefined;
    this.#lastPosition = this.#syncedPosition;
    for (const segment of this.#segments.filter(({ isSynced }) => !isSynced)) {
      segment.takeBack();
      if (segment.lastPosition !== -1) {
        await cutFile(segment);
      } else {
        this.#forget(segment);
        await this.#directory.discard(segment.path);
      }
      await closeFile(segment);
    }
  }

  async #remove(segment: Segment): Promise<void> {
    segment.isRemoved = true;
    try {
      await this.#directory.remove(segment.path);
    } catch (error) {
      segment.isRemoved = false;
      throw error;
    }
    this.#forget(segment);
    this.#gone.push(...segment.held());
    await closeFile(segment);
  }

  #forget(segment: Segment): void {
    segment.isRemoved = true;
    this.#segments.splice(this.#segments.indexOf(segment), 1);
    if (segment === this.#active) this.#active = undefined;
  }

  /** Runs `change` when those before it are done. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(change);
    this.#turn = result.catch(() => {});
    return result;
  }
}

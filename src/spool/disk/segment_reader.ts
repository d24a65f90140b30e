import { errnoOf } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/files.ts';
import type { FrameDecoder } from './frame_decoder.ts';
import { FrameWalk, type Step } from './frame_walk.ts';
import { frameBytes } from './layout.ts';
import type { Quarantine } from './quarantine.ts';
import type { Segment } from './segment.ts';
import type { StoredBatch } from './types.ts';

export interface SegmentReaderOptions {
  readonly files: FileSystem;
  readonly decoder: FrameDecoder;
  readonly quarantine: Quarantine;
  /** The oldest segment that has a position at or above this one. */
  readonly segmentFrom: (position: number) => Segment | undefined;
}

interface Open {
  readonly segment: Segment;
  readonly file: File;
  readonly walk: FrameWalk;
  /** The frame that is to be read next, where the walk has passed it already. */
  step: Step | undefined;
}

/** A place in a lane's batches on disk. */
export class SegmentReader {
  readonly #options: SegmentReaderOptions;
  /** Lowest position that has not been read. */
  #from: number;
  #open: Open | undefined;

  constructor(from: number, options: SegmentReaderOptions) {
    this.#from = from;
    this.#options = options;
  }

  /**
   * The next batch, positions ascending; undefined at the end of what was appended, after which it can be called again. The batch has
   * an ack of its own, and its buffer is used again once it is released. What is damaged is set aside, told and passed over. Where it throws
   * (the system's error, such as EIO) the same call may be made again. One call at a time.
   */
  async next(): Promise<StoredBatch | undefined> {
    for (;;) {
      const open = await this.#current();
      if (open === undefined) return undefined;
      const { segment, walk } = open;
      const { end, lastPosition } = segment; // more may be appended meanwhile
      open.step ??= await walk.next(end);
      if (open.step === undefined) {
        // All that was in it has been read: go on with the one that has more, or wait.
        this.#from = Math.max(this.#from, lastPosition + 1);
      } else {
        const stored = await this.#take(open, open.step);
        open.step = undefined;
        if (stored !== undefined) return stored;
      }
    }
  }

  /** Passes over what is below a position, without reading it. */
  skipTo(position: number): void {
    this.#from = Math.max(this.#from, position);
  }

  /** Gives up on the rest of the segment that is to be read next and cannot be; its records stay unfinished until it is removed. */
  async skipSegment(): Promise<void> {
    const segment = this.#options.segmentFrom(this.#from);
    if (segment === undefined) return;
    const open = this.#open?.segment === segment ? this.#open : undefined;
    const offset = open?.step?.offset ?? open?.walk.offset ?? 0;
    await this.#options.quarantine.add(segment, undefined, offset, segment.end - offset);
    this.#from = segment.lastPosition + 1;
    if (open === undefined) return;
    open.step = undefined;
    open.walk.skipTo(segment.end);
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.file.close();
  }

  /** What is at a step, where it is a batch that has not been read before. */
  async #take({ segment, file, walk }: Open, step: Step): Promise<StoredBatch | undefined> {
    const { decoder, quarantine } = this.#options;
    if (step.kind === 'damage') {
      await quarantine.add(segment, file, step.offset, step.bytes);
      return undefined;
    }
    const { offset, prefix } = step;
    const { position } = prefix;
    if (position < this.#from) return undefined;
    const batch = decoder.decode(prefix, await walk.read(offset, prefix, segment.end, (bytes) => decoder.take(bytes)));
    if (batch === undefined) {
      await quarantine.add(segment, file, offset, frameBytes(prefix));
      return undefined;
    }
    this.#from = position + 1;
    return { position, batch };
  }

  /** The segment to read in, opened; undefined where there is nothing more to read. */
  async #current(): Promise<Open | undefined> {
    for (;;) {
      const segment = this.#options.segmentFrom(this.#from);
      if (segment === undefined) return undefined;
      if (this.#open?.segment === segment) return this.#open;
      await this.close();
      const file = await this.#openFile(segment);
      if (file !== undefined) return (this.#open = { segment, file, walk: new FrameWalk(file, segment.mark), step: undefined });
      this.#from = Math.max(this.#from, segment.lastPosition + 1);
    }
  }

  /** Undefined where the file has gone. */
  async #openFile(segment: Segment): Promise<File | undefined> {
    try {
      return await this.#options.files.open(segment.path, 'read');
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      if (!segment.isRemoved) await this.#options.quarantine.add(segment, undefined, 0, segment.end);
      return undefined;
    }
  }
}

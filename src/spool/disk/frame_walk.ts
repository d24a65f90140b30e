/** Walks a segment from frame to frame, and over what is damaged to the next frame behind it. */
import type { File } from '../../core/files.ts';
import { checkedHeader } from './frame_decoder.ts';
import type { FrameHeader } from './frame_header.ts';
import { decodePrefix, findMagic, frameBytes, type FramePrefix, markOf, PREFIX_BYTES, SEGMENT_HEADER_BYTES } from './layout.ts';

/** Frames smaller than this are read many at a time, larger ones one by one. */
const LARGE_FRAME_BYTES = 32 * 1024;
const READ_AHEAD_BYTES = 256 * 1024;

/** What is read of a large frame before it is known that the rest is wanted; prefix and header are mostly in it. */
const PEEK_BYTES = 4096;

export type Step =
  | { readonly kind: 'frame'; readonly offset: number; readonly prefix: FramePrefix }
  /** Nothing that was written in this format; a frame, or the end, is behind it. */
  | { readonly kind: 'damage'; readonly offset: number; readonly bytes: number };

/** Where a call throws (the system's error), the same one can be made again. */
export class FrameWalk {
  readonly #file: File;
  #mark: number | undefined;
  /** Where the next step begins. */
  #offset: number;
  /** Bytes of the file from `#windowStart` on. */
  #window = Buffer.alloc(0);
  #windowStart = 0;
  #buffer = Buffer.alloc(0);
  #lastFrameBytes = 0;

  /** The mark is that of the segment; undefined where it is not known, and then that of the first frame found. */
  constructor(file: File, mark: number | undefined, offset = SEGMENT_HEADER_BYTES) {
    this.#file = file;
    this.#mark = mark;
    this.#offset = offset;
  }

  get offset(): number {
    return this.#offset;
  }

  get mark(): number | undefined {
    return this.#mark;
  }

  /** Goes on from `offset`. */
  skipTo(offset: number): void {
    this.#offset = offset;
  }

  /** What is at the current offset, which then moves behind it; undefined at `end`, behind which nothing is looked at. */
  async next(end: number): Promise<Step | undefined> {
    const offset = this.#offset;
    if (offset >= end) return undefined;
    const prefix = await this.#prefixAt(offset, end);
    if (prefix !== undefined) {
      this.#lastFrameBytes = frameBytes(prefix);
      this.#offset = offset + this.#lastFrameBytes;
      return { kind: 'frame', offset, prefix };
    }
    const found = await this.#search(offset + 8, end);
    this.#offset = found;
    return { kind: 'damage', offset, bytes: found - offset };
  }

  /** The header of a frame that `next` gave; undefined where it is damaged. */
  async header(offset: number, prefix: FramePrefix): Promise<FrameHeader | undefined> {
    await this.#need(offset, PREFIX_BYTES + prefix.headerBytes, offset + frameBytes(prefix));
    return checkedHeader(prefix, this.#window, offset - this.#windowStart);
  }

  /**
   * Reads the whole of a frame that `next` gave to the start of the buffer that `take` gives, which may be larger. What is behind a large
   * frame, up to `end`, is read with it.
   */
  async read(offset: number, prefix: FramePrefix, end: number, take: (bytes: number) => Buffer): Promise<Buffer> {
    const bytes = frameBytes(prefix);
    if (bytes < LARGE_FRAME_BYTES) await this.#need(offset, bytes, end);
    const start = offset - this.#windowStart;
    const known = start < 0 ? this.#buffer.subarray(0, 0) : this.#window.subarray(start, start + bytes);
    if (known.length === bytes) {
      const buffer = take(bytes);
      known.copy(buffer);
      return buffer;
    }
    const peek = Math.min(PEEK_BYTES, end - offset - bytes);
    const buffer = take(bytes + peek);
    known.copy(buffer);
    const read = await this.#file.read(buffer.subarray(known.length, bytes + peek), offset + known.length);
    if (known.length + read < bytes + peek) buffer.fill(0, known.length + read, bytes + peek);
    this.#show(buffer.subarray(bytes, bytes + peek), offset + bytes);
    return buffer;
  }

  async #prefixAt(offset: number, end: number): Promise<FramePrefix | undefined> {
    await this.#need(offset, PREFIX_BYTES, end);
    const prefix = decodePrefix(this.#window, offset - this.#windowStart, this.#mark);
    if (prefix === undefined || offset + frameBytes(prefix) > end) return undefined;
    this.#mark ??= markOf(this.#window, offset - this.#windowStart);
    return prefix;
  }

  /** The offset of the first frame at or behind `from`; `end` where there is none. */
  async #search(from: number, end: number): Promise<number> {
    this.#lastFrameBytes = 0;
    for (let at = from; at + PREFIX_BYTES <= end;) {
      await this.#need(at, PREFIX_BYTES, end);
      const found = findMagic(this.#window, at - this.#windowStart, this.#windowStart);
      const windowEnd = this.#windowStart + this.#window.length;
      if (windowEnd < at + PREFIX_BYTES) break; // the file is shorter than it was
      // The last bytes of a window may be the first of a prefix.
      at = found === -1 ? Math.max(at + 1, windowEnd - PREFIX_BYTES + 1) : this.#windowStart + found;
      if (found === -1) continue;
      if ((await this.#prefixAt(at, end)) !== undefined) return at;
      at += 8;
    }
    return end;
  }

  /** Sees to it that `bytes` from `offset` on are in the window, as far as they are in the file and before `end`. */
  async #need(offset: number, bytes: number, end: number): Promise<void> {
    const start = offset - this.#windowStart;
    if (start >= 0 && start + bytes <= this.#window.length) return;
    const wanted = Math.min(
      Math.max(bytes, this.#lastFrameBytes > LARGE_FRAME_BYTES ? PEEK_BYTES : READ_AHEAD_BYTES),
      end - offset,
    );
    this.#window = this.#buffer.subarray(0, 0);
    if (this.#buffer.length < wanted) this.#buffer = Buffer.allocUnsafeSlow(wanted);
    const read = await this.#file.read(this.#buffer.subarray(0, wanted), offset);
    this.#window = this.#buffer.subarray(0, read);
    this.#windowStart = offset;
  }

  /** Makes `bytes`, which are copied, the window. */
  #show(bytes: Buffer, start: number): void {
    if (this.#buffer.length < bytes.length) this.#buffer = Buffer.allocUnsafeSlow(PEEK_BYTES);
    bytes.copy(this.#buffer);
    this.#window = this.#buffer.subarray(0, bytes.length);
    this.#windowStart = start;
  }
}

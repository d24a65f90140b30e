/**
 * Bytes of one journal file, read by `pread` into windows of bounded size, never the whole file. Entries are read front to back
 * and drive one main window ahead of them. Data objects of an entry lie either just before it, in the main window, or far back,
 * because an earlier entry had the same value; those go through a few small side windows and leave the main one alone. What is
 * larger than such a window is read as a whole, into a buffer of its own; how large that may be is for the caller to bound.
 *
 * So a file takes less than two thirds of a MiB while it is read, and the largest object asked for, whatever its size; and nothing
 * when all of it has been read. Where very many files are read at once, each takes less.
 *
 * Reads are synchronous: the bytes are in the page cache for whoever follows a journal, and a window is read in a fraction of a
 * millisecond. A read that fails or ends early only makes a window shorter; what lies behind it counts as absent.
 */
import { readSync } from 'node:fs';
import { type Block, giveBack, isScarce, NO_BLOCK, takeBlock } from './blocks.ts';

interface Window {
  block: Block;
  /** Offset in the file of the first byte, and behind the last. */
  start: number;
  end: number;
}

const FIRST_MAIN_BYTES = 16 * 1024;
const MAX_MAIN_BYTES = 256 * 1024;
const SIDE_BYTES = 16 * 1024;
const SIDES = 4;
/** Larger objects have a window that is not kept for the next one. */
const MAX_KEPT_BYTES = 256 * 1024;

export class Windows {
  readonly #fd: number;
  readonly #main: Window = emptyWindow();
  readonly #sides: readonly Window[] = Array.from({ length: SIDES }, emptyWindow);
  #nextSide = 0;
  readonly #large: Window = emptyWindow();
  #limit = 0;
  #readTo = 0;
  /** The window that the last `find` chose, and that its result is an index in; valid until the next `find`. */
  bytes: Buffer = NO_BLOCK.bytes;
  view: DataView = NO_BLOCK.view;

  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Tells how far the file reaches (`limit`), how far it makes sense to read ahead (`readTo`, soft), and that what lies behind
   * `settled` may have changed since it was read.
   */
  grow(limit: number, readTo: number, settled: number): void {
    this.#limit = limit;
    this.#readTo = readTo;
    for (const window of [this.#main, this.#large, ...this.#sides])
      window.end = Math.max(window.start, Math.min(window.end, settled));
  }

  /** Index of the `length` bytes at `offset` in `bytes` and `view`, or -1 where the file does not have them. */
  find(offset: number, length: number): number {
    const main = this.#main;
    if (offset >= main.start && offset + length <= main.end) {
      ({ bytes: this.bytes, view: this.view } = main.block);
      return offset - main.start;
    }
    return this.#findAside(offset, length);
  }

  /** Whether what `find` chose stays as it is until the next `findAhead`, and not only until the next `find`. */
  get isLasting(): boolean {
    return this.bytes === this.#main.block.bytes;
  }

  /**
   * As `find`, for an entry: the main window moves on to where it covers the entry and, if it can, what lies behind `from`, the
   * entry before it. It never moves back, which only a damaged file asks for.
   */
  findAhead(offset: number, length: number, from: number): number {
    const main = this.#main;
    if (offset + length > main.end && offset >= main.start && offset + length <= this.#limit) {
      const { length: had } = main.block.bytes;
      const isFull = main.end - main.start >= had && !isScarce();
      const size = Math.min(Math.max(isFull ? had * 2 : had, FIRST_MAIN_BYTES), MAX_MAIN_BYTES);
      const start = from <= offset && offset - from < size / 2 ? from : offset;
      this.#load(main, start, Math.max(size, offset + length - start), offset + length);
    }
    return this.find(offset, length);
  }

  /** Gives back all memory, until something is asked for again. */
  release(): void {
    for (const window of [this.#main, this.#large, ...this.#sides]) {
      giveBack(window.block);
      Object.assign(window, emptyWindow());
    }
    ({ bytes: this.bytes, view: this.view } = NO_BLOCK);
  }

  #findAside(offset: number, length: number): number {
    if (offset + length > this.#limit) return -1;
    const window = length > SIDE_BYTES ? this.#loadLarge(offset, length) : this.#loadSide(offset, length);
    if (offset + length > window.end) return -1;
    ({ bytes: this.bytes, view: this.view } = window.block);
    return offset - window.start;
  }

  #loadSide(offset: number, length: number): Window {
    const known = this.#sides.find((side) => offset >= side.start && offset + length <= side.end);
    if (known !== undefined) return known;
    const sides = isScarce() ? 1 : SIDES;
    const window = this.#sides[this.#nextSide++ % sides]!; // the remainder is below the number of sides
    this.#load(window, offset, SIDE_BYTES, offset + length);
    return window;
  }

  #loadLarge(offset: number, length: number): Window {
    const window = length > MAX_KEPT_BYTES ? emptyWindow() : this.#large;
    this.#load(window, offset, length, offset + length);
    return window;
  }

  /** Reads `bytes` bytes at `start` into `window`, or fewer where the file ends or only `needed` is known to be worth reading. */
  #load(window: Window, start: number, bytes: number, needed: number): void {
    const end = Math.min(start + bytes, this.#limit, Math.max(needed, this.#readTo));
    if (window.block.bytes.length < end - start) {
      giveBack(window.block);
      window.block = takeBlock(end - start);
    }
    window.start = start;
    window.end = start + readFully(this.#fd, window.block.bytes, end - start, start);
  }
}

function emptyWindow(): Window {
  return { block: NO_BLOCK, start: 0, end: 0 };
}

/** Reads up to `length` bytes at `position` into the beginning of `target`; returns how many there were. */
export function readFully(fd: number, target: Buffer, length: number, position: number): number {
  let read = 0;
  try {
    while (read < length) {
      const more = readSync(fd, target, read, length - read, position + read);
      if (more === 0) break;
      read += more;
    }
  } catch {
    // An I/O error: what was read so far counts, the rest is as absent as behind the end of the file.
  }
  return read;
}

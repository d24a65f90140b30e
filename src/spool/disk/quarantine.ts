/** Sets aside copies of what is damaged, so that somebody can look at it after the segment has gone. */
import { basename, join } from 'node:path';
import { errnoOf } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/files.ts';
import type { Segment } from './segment.ts';
import type { SegmentLogEvents } from './types.ts';

/** Bound on all copies of a lane. */
const MAX_COPIED_BYTES = 64 * 1024 * 1024;
const COPY_BYTES = 1024 * 1024;

/** Part of the names of copies, and of no other. */
export const COPY_INFIX = '.segment.damaged-';

/** Path of the copy of a damaged place. */
export function copyPath(segmentPath: string, offset: number): string {
  return `${segmentPath}.damaged-${offset}`;
}

export interface QuarantineOptions {
  readonly directory: string;
  readonly lane: string;
  readonly files: FileSystem;
  readonly events: SegmentLogEvents;
}

export class Quarantine {
  readonly #directory: string;
  readonly #lane: string;
  readonly #files: FileSystem;
  readonly #events: SegmentLogEvents;
  #bytes = 0;

  constructor({ directory, lane, files, events }: QuarantineOptions) {
    this.#directory = directory;
    this.#lane = lane;
    this.#files = files;
    this.#events = events;
  }

  /** Counts the copies that are there already among the names in the directory. */
  async load(names: readonly string[]): Promise<void> {
    for (const name of names) {
      if (!name.startsWith(`${this.#lane}-`) || !name.includes(COPY_INFIX)) continue;
      this.#bytes += (await this.#files.stat(join(this.#directory, name))).bytes;
    }
  }

  /** Copies a damaged place of a segment and tells of it, once. Never throws: what cannot be copied is told all the same. */
  async add(segment: Segment, file: File | undefined, offset: number, bytes: number): Promise<void> {
    if (segment.damaged.has(offset)) return;
    segment.damaged.add(offset);
    const path = copyPath(segment.path, offset);
    let copy: string | undefined;
    try {
      if (file !== undefined && this.#bytes + bytes <= MAX_COPIED_BYTES) {
        this.#bytes += bytes;
        await this.#copy(file, offset, bytes, path);
        copy = path;
      }
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return; // told before the last restart
    }
    this.#events.damaged({ segment: basename(segment.path), offset, bytes, copy });
  }

  async #copy(file: File, offset: number, bytes: number, path: string): Promise<void> {
    const target = await this.#files.open(path, 'create');
    try {
      const piece = Buffer.allocUnsafe(Math.min(COPY_BYTES, bytes));
      for (let done = 0; done < bytes;) {
        const read = await file.read(piece.subarray(0, Math.min(piece.length, bytes - done)), offset + done);
        if (read === 0) break;
        await target.write([piece.subarray(0, read)], done);
        done += read;
      }
    } finally {
      await target.close();
    }
  }
}

/** The closed files of a store: what they hold, which is the oldest, and how they go. */
import { join } from 'node:path';
import { describeError, errnoOf } from '../core/errors.ts';
import type { FileSystem } from '../core/files.ts';
import { readLines } from './lines.ts';
import { isClosedName, timeOfName } from './names.ts';

export interface FileContents {
  readonly bytes: number;
  readonly records: number;
  /** When the last of its letters became one, in microseconds. */
  readonly newestMicros: number;
}

export class ClosedFiles {
  readonly #files: FileSystem;
  readonly #directory: string;
  /** By name, in the order of age. */
  #contents = new Map<string, FileContents>();
  #unreadable = new Set<string>();
  #bytes = 0;
  #records = 0;

  constructor(files: FileSystem, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get records(): number {
    return this.#records;
  }

  /** Name of the oldest; undefined where there is none. */
  get oldest(): string | undefined {
    return this.#contents.keys().next().value;
  }

  /** Names of the files whose last letter is from before `micros`. */
  olderThan(micros: number): string[] {
    return [...this.#contents].flatMap(([name, { newestMicros }]) => (newestMicros < micros ? [name] : []));
  }

  /** Adds a file that is younger than all others. */
  add(name: string, contents: FileContents): void {
    this.#contents.set(name, contents);
    this.#sum();
  }

  /**
   * Looks at the directory: commands may have removed files or made them shorter. Files that cannot be read are passed over, and told to
   * `onUnreadable` once.
   */
  async refresh(onUnreadable: (path: string, reason: string) => void): Promise<void> {
    const names = (await this.#list()).filter(isClosedName).sort();
    const contents = new Map<string, FileContents>();
    const unreadable = new Set<string>();
    for (const name of names) {
      const path = join(this.#directory, name);
      try {
        const known = this.#contents.get(name);
        const { bytes } = await this.#files.stat(path);
        contents.set(name, known?.bytes === bytes ? known : await this.#survey(path, name, bytes));
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') continue; // a command has taken it meanwhile
        unreadable.add(name);
        if (!this.#unreadable.has(name)) onUnreadable(path, describeError(error));
      }
    }
    this.#contents = contents;
    this.#unreadable = unreadable;
    this.#sum();
  }

  /** Removes a file; gives how many letters went with it, none where it had gone before. */
  async remove(name: string): Promise<number> {
    let removed = this.#contents.get(name)?.records ?? 0;
    try {
      await this.#files.remove(join(this.#directory, name));
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      removed = 0;
    }
    this.#contents.delete(name);
    this.#sum();
    return removed;
  }

  /** Names in the directory; none where somebody has removed it. */
  async #list(): Promise<string[]> {
    try {
      return await this.#files.list(this.#directory);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  async #survey(path: string, name: string, bytes: number): Promise<FileContents> {
    const file = await this.#files.open(path, 'read');
    try {
      let records = 0;
      let last = Buffer.alloc(0);
      for await (const piece of readLines(file)) {
        for (let at = piece.indexOf(0x0a); at >= 0; at = piece.indexOf(0x0a, at + 1)) records += 1;
        last = Buffer.from(piece.subarray(piece.lastIndexOf(0x0a, -2) + 1));
      }
      return { bytes, records, newestMicros: timeOfLetter(last) ?? timeOfName(name) };
    } finally {
      await file.close();
    }
  }

  #sum(): void {
    this.#bytes = 0;
    this.#records = 0;
    for (const { bytes, records } of this.#contents.values()) {
      this.#bytes += bytes;
      this.#records += records;
    }
  }
}

const TIME_OF_LETTER = /^\{"time":"([^"]{20,32})"/;

/** When a letter became one, in microseconds; undefined where the line is none of ours. */
function timeOfLetter(line: Buffer): number | undefined {
  const [, time = ''] = TIME_OF_LETTER.exec(line.toString('latin1', 0, 64)) ?? [];
  const millis = Date.parse(time);
  return Number.isNaN(millis) ? undefined : millis * 1000;
}

/** The file of letters that is being written, and what is done with one that was left open. */
import { join } from 'node:path';
import { errnoOf } from '../core/errors.ts';
import type { File, FileSystem } from '../core/files.ts';
import type { FileContents } from './closed_files.ts';
import { wholeLinesLength } from './lines.ts';
import { closedName, isOpenName, openName, timeOfName } from './names.ts';

export class OpenFile {
  readonly createdMicros: number;
  readonly #files: FileSystem;
  readonly #directory: string;
  readonly #file: File;
  /** What of it is on the disk for sure. */
  #contents: FileContents = { bytes: 0, records: 0, newestMicros: 0 };

  private constructor(files: FileSystem, directory: string, createdMicros: number, file: File) {
    this.#files = files;
    this.#directory = directory;
    this.createdMicros = createdMicros;
    this.#file = file;
  }

  /** Makes a file whose name is safe on the disk. Throws the system's error. */
  static async create(files: FileSystem, directory: string, micros: number): Promise<OpenFile> {
    const file = await files.open(join(directory, openName(micros)), 'create');
    try {
      await files.syncDirectory(directory);
    } catch (error) {
      await closeQuietly(file);
      throw error;
    }
    return new OpenFile(files, directory, micros, file);
  }

  get path(): string {
    return join(this.#directory, openName(this.createdMicros));
  }

  get contents(): FileContents {
    return this.#contents;
  }

  /** Whether its path still leads to what was written; false once somebody else has removed or changed it. */
  async isIntact(): Promise<boolean> {
    try {
      return (await this.#files.stat(this.path)).bytes === this.#contents.bytes;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Appends whole lines and resolves once they are on the disk. After a throw it is to be let go. */
  async append(lines: Buffer, records: number, nowMicros: number): Promise<void> {
    const before = this.#contents;
    await this.#file.write([lines], before.bytes);
    await this.#file.sync();
    this.#contents = { bytes: before.bytes + lines.length, records: before.records + records, newestMicros: nowMicros };
  }

  /**
   * Closes the file as it is, without giving it another name. After a failed write or sync it cannot be used any more: the system may have
   * forgotten what it did not write.
   */
  letGo(): Promise<void> {
    return closeQuietly(this.#file);
  }

  /** Closes it and gives it the name of a closed file, which is returned. */
  async close(): Promise<string> {
    const name = closedName(this.createdMicros);
    await this.#file.close();
    await this.#files.rename(this.path, join(this.#directory, name));
    return name;
  }
}

/**
 * Closes the files that a crash or an error left open: cuts a last line that is not whole off, whose writer was never told that it is
 * safe, and removes what is then empty. `cutBack` knows better where a file is to end, by its path. Only for the holder of agent.lock.
 */
export async function closeLeftOpen(
  files: FileSystem,
  directory: string,
  { cutBack, onTorn }: LeftOpenOptions = {},
): Promise<void> {
  for (const name of (await files.list(directory)).filter(isOpenName)) {
    const path = join(directory, name);
    const file = await files.open(path, 'update');
    let length: number;
    try {
      const size = await file.size();
      length = cutBack?.get(path) ?? (await wholeLinesLength(file));
      if (length < size) {
        onTorn?.(path, size - length);
        await file.truncate(length);
        await file.sync();
      }
    } finally {
      await file.close();
    }
    cutBack?.delete(path);
    if (length === 0) await files.remove(path);
    else await files.rename(path, join(directory, closedName(timeOfName(name))));
  }
  await files.syncDirectory(directory);
}

export interface LeftOpenOptions {
  /** Lengths of files whose end is known; those that were seen to are taken out. */
  readonly cutBack?: Map<string, number>;
  readonly onTorn?: (path: string, bytes: number) => void;
}

async function closeQuietly(file: File): Promise<void> {
  await file.close().catch(() => {}); // the error that led here is the one to tell
}

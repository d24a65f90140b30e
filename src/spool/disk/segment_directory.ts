import { join } from 'node:path';
import { errnoOf } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/files.ts';
import { isDone } from './segment_file.ts';

/** The names of a lane's segments: makes and removes files so that a crash leaves no name that matters undone. */
export class SegmentDirectory {
  readonly #directory: string;
  readonly #files: FileSystem;
  /**
   * Files that hold nothing that counts and could not be removed yet. As a segment ends where the next one begins, frames above the first
   * position of such a file would not be found after a restart: it must be gone before anything else is written.
   */
  readonly #leftovers: Set<string>;
  /** Also at the start: what was left by the process before may not be safe. */
  #hasChanged = true;

  constructor(directory: string, files: FileSystem, leftovers: readonly string[]) {
    this.#directory = directory;
    this.#files = files;
    this.#leftovers = new Set(leftovers);
  }

  /** A new file that holds `pieces`; where it throws (the system's error), none, or a leftover. Gives its path too. */
  async create(name: string, pieces: readonly Uint8Array[]): Promise<{ readonly path: string; readonly file: File }> {
    await this.clear();
    const path = join(this.#directory, name);
    this.#leftovers.add(path); // until it is made
    const file = await this.#files.open(path, 'create');
    try {
      await file.write(pieces, 0);
    } catch (error) {
      await isDone(file.close());
      await isDone(this.remove(path));
      throw error;
    }
    this.#leftovers.delete(path);
    this.#hasChanged = true;
    return { path, file };
  }

  /** Removes a file, which may have gone already. Throws the system's error. */
  async remove(path: string): Promise<void> {
    try {
      await this.#files.remove(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    this.#leftovers.delete(path);
    this.#hasChanged = true;
  }

  /** Removes a file that holds nothing that counts, now or later. */
  async discard(path: string): Promise<void> {
    this.#leftovers.add(path);
    await isDone(this.remove(path));
  }

  /** Tries again to remove what is left over. Throws the system's error. */
  async clear(): Promise<void> {
    for (const path of this.#leftovers) await this.remove(path);
  }

  /** Resolves once the names are safe. Throws the system's error. */
  async sync(): Promise<void> {
    if (this.#hasChanged) await this.#files.syncDirectory(this.#directory);
    this.#hasChanged = false;
  }
}

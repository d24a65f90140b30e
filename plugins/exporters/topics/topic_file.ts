/** One append-only file of lines. */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';
import { wholeLinesLength } from './torn_line.ts';

/** What the store asks of the file system; a parameter, so that tests can make it fail. */
export type FileSystem = Pick<typeof import('node:fs/promises'), 'access' | 'mkdir' | 'open' | 'readdir' | 'stat'>;

const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
/** Logs may hold secrets: readable for the group that the operator gives them, for nobody else. */
const FILE_MODE = 0o640;

export class TopicFile {
  readonly path: string;
  /** Bytes of a torn last line that were cut off when the file was opened. */
  readonly tornBytes: number;
  readonly #fs: FileSystem;
  readonly #handle: FileHandle;
  readonly #inode: number;
  /** Length up to which the file holds what was acked. */
  #length: number;

  private constructor(fs: FileSystem, path: string, handle: FileHandle, inode: number, length: number, tornBytes: number) {
    this.#fs = fs;
    this.path = path;
    this.#handle = handle;
    this.#inode = inode;
    this.#length = length;
    this.tornBytes = tornBytes;
  }

  /**
   * Opens or creates the file. A last line without its newline is what a crash or a full disk left of a write that was never
   * acked, so it is cut off: its sender has it still. Throws the system's error.
   */
  static async open(fs: FileSystem, path: string): Promise<TopicFile> {
    const handle = await fs.open(path, FLAGS, FILE_MODE);
    try {
      const { ino, size } = await handle.stat();
      const length = await wholeLinesLength(handle, size);
      if (length < size) await handle.truncate(length);
      return new TopicFile(fs, path, handle, ino, length, size - length);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** True of a file that was only just created, whose name is not safe before its directory has been synced. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /**
   * Whether the path still names this file; false once it was renamed or deleted by somebody else, after which what is appended
   * would not be found. To be asked before `append`, which goes by the length that was seen here.
   */
  async isCurrent(): Promise<boolean> {
    try {
      const { ino, size } = await this.#fs.stat(this.path);
      this.#length = size;
      return ino === this.#inode;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
  }

  /** Appends all of `ranges` or throws; after a throw there may be a part of them in the file until `cutBack`. */
  async append(ranges: readonly Buffer[], bytes: number): Promise<void> {
    const { bytesWritten } = await this.#handle.writev(ranges);
    if (bytesWritten === bytes) return;
    throw new SluiceError('store_unavailable', `${this.path}: only ${bytesWritten} of ${bytes} bytes could be written`, {
      hint: 'the file system is probably full; make room on it',
      transient: true,
    });
  }

  /** Resolves once all that was appended is on the disk. */
  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  /** Takes back what was appended since `isCurrent` or `open`. */
  async cutBack(): Promise<void> {
    const { size } = await this.#handle.stat();
    if (size > this.#length) await this.#handle.truncate(this.#length);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

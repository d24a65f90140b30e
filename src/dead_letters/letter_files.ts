/**
 * The files of a store as the agent sees them: one that is written, closed ones behind it, and the bounds that they are kept within. Not for
 * calls at the same time: the store makes them one after the other.
 */
import type { Clock } from '../core/clock.ts';
import { errnoOf, SluiceError } from '../core/errors.ts';
import type { FileLock, FileSystem } from '../core/files.ts';
import { ClosedFiles } from './closed_files.ts';
import type { DeadLetterEvents } from './events.ts';
import { agentLockOf, inboxOf, isClosedName, requestOf, timeOfName } from './names.ts';
import { closeLeftOpen, OpenFile } from './open_file.ts';

export interface LetterFilesOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly events: DeadLetterEvents;
}

/** Files go as a whole, so one is a small part of what may be kept, by size and by age. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const FILES_OF_SIZE = 8;
const FILES_OF_AGE = 30;

export class LetterFiles {
  /** Size from which on a file is closed. */
  readonly fileBytes: number;
  readonly #options: LetterFilesOptions;
  readonly #closed: ClosedFiles;
  /** Where files end that were let go because a write failed, by path; what is behind that was refused. */
  readonly #cutBack = new Map<string, number>();
  #lock: FileLock | undefined;
  /** Whether the directory is there, is ours, and no file in it is named as open but `#open`. */
  #isPrepared = false;
  #open: OpenFile | undefined;
  #lastFileMicros = 0;

  constructor(options: LetterFilesOptions) {
    this.#options = options;
    this.#closed = new ClosedFiles(options.files, options.directory);
    this.fileBytes = Math.min(MAX_FILE_BYTES, options.maxBytes / FILES_OF_SIZE);
  }

  get bytes(): number {
    return this.#closed.bytes + (this.#open?.contents.bytes ?? 0);
  }

  get records(): number {
    return this.#closed.records + (this.#open?.contents.records ?? 0);
  }

  /** Takes the directory and mends it, where that is not done. Throws a SluiceError where another process has it, or the system's error. */
  async prepare(): Promise<void> {
    if (this.#isPrepared) return;
    const { files, directory, events } = this.#options;
    await files.makeDirectory(inboxOf(directory));
    if (this.#lock !== undefined && !(await isThere(files, agentLockOf(directory)))) await this.#giveLockBack();
    this.#lock ??= await files.lock(agentLockOf(directory));
    if (this.#lock === undefined) {
      throw new SluiceError('path_conflict', `another process keeps its dead letters in ${directory}`, {
        hint: 'stop it, or give this pipeline another dead_letters.directory',
      });
    }
    const onTorn = (path: string, bytes: number): void => events.torn(path, bytes);
    await closeLeftOpen(files, directory, { cutBack: this.#cutBack, onTorn });
    await this.refresh();
    for (const name of await files.list(directory)) {
      if (isClosedName(name)) this.#lastFileMicros = Math.max(this.#lastFileMicros, timeOfName(name));
    }
    this.#isPrepared = true;
  }

  /**
   * Appends whole lines and resolves once they are on the disk. Throws the system's error, after which nothing of them counts; the next
   * call begins a new file.
   */
  async append(lines: Buffer, records: number): Promise<void> {
    const { files, directory, clock, maxBytes } = this.#options;
    if (lines.length > maxBytes) throw new Error(`${lines.length} bytes at once are more than dead_letters.max_bytes`);
    try {
      await this.prepare();
      await this.#seeToOpenFile();
      await this.#makeRoom(lines.length);
      this.#open ??= await OpenFile.create(files, directory, this.#newFileMicros());
      await this.#open.append(lines, records, clock.wallMicros());
    } catch (error) {
      await this.#abandonOpenFile();
      throw error;
    }
  }

  async closeOpenFile(): Promise<void> {
    const open = this.#open;
    if (open === undefined) return;
    this.#open = undefined;
    this.#isPrepared = false; // until it has its new name
    this.#closed.add(await open.close(), open.contents);
    this.#isPrepared = true;
  }

  /** Looks at what commands have done to the closed files. */
  refresh(): Promise<void> {
    return this.#closed.refresh((path, reason) => this.#options.events.unreadable(path, reason));
  }

  async removeOld(): Promise<void> {
    const { clock, maxAgeMs, events } = this.#options;
    const now = clock.wallMicros();
    if (this.#open !== undefined && this.#open.createdMicros < now - (maxAgeMs / FILES_OF_AGE) * 1000) await this.closeOpenFile();
    for (const name of this.#closed.olderThan(now - maxAgeMs * 1000)) {
      events.removed('max_age', await this.#closed.remove(name), name);
    }
  }

  /** Whether a command asks for the open file to be closed. */
  isAsked(): Promise<boolean> {
    return isThere(this.#options.files, requestOf(this.#options.directory));
  }

  /** Does what a command asks for, and tells it so. */
  async answer(): Promise<void> {
    const { files, directory } = this.#options;
    await this.closeOpenFile();
    await files.remove(requestOf(directory));
    await this.refresh();
  }

  async close(): Promise<void> {
    await this.closeOpenFile();
    await this.#giveLockBack();
  }

  async #giveLockBack(): Promise<void> {
    await this.#lock?.release();
    this.#lock = undefined;
  }

  /** Closes a file that is large enough, and lets go of one that somebody else has removed or changed. */
  async #seeToOpenFile(): Promise<void> {
    if (this.#open === undefined) return;
    if (!(await this.#open.isIntact())) {
      await this.#open.letGo();
      this.#open = undefined;
      this.#isPrepared = false;
      await this.prepare();
    } else if (this.#open.contents.bytes >= this.fileBytes) await this.closeOpenFile();
  }

  /** Names of files only grow, even where the clock is set back. */
  #newFileMicros(): number {
    this.#lastFileMicros = Math.max(this.#options.clock.wallMicros(), this.#lastFileMicros + 1);
    return this.#lastFileMicros;
  }

  /** Removes the oldest files until there is room; where nothing else is left, also what the open one holds. */
  async #makeRoom(bytes: number): Promise<void> {
    while (this.bytes + bytes > this.#options.maxBytes) {
      if (this.#closed.oldest === undefined) await this.closeOpenFile();
      const oldest = this.#closed.oldest;
      if (oldest === undefined) return;
      this.#options.events.removed('max_bytes', await this.#closed.remove(oldest), oldest);
    }
  }

  /** It is seen to when the directory is prepared anew. */
  async #abandonOpenFile(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#isPrepared = false;
    if (open === undefined) return;
    this.#cutBack.set(open.path, open.contents.bytes);
    await open.letGo();
  }
}

async function isThere(files: FileSystem, path: string): Promise<boolean> {
  try {
    await files.stat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
}

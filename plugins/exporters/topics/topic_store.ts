/**
 * A directory of topics, one append-only file each. Writes go in groups: all of a group is written and synced, or none of it stays.
 */
import { constants } from 'node:fs';
import { join } from 'node:path';
import { type ErrorCode, errnoOf, SluiceError } from '../../../src/core/errors.ts';
import { type FileSystem, TopicFile } from './topic_file.ts';

const SUFFIX = '.ndjson';
/** The directory holds what the files hold. */
const DIRECTORY_MODE = 0o750;

/** What is to be appended to one topic. */
export interface TopicWrite {
  readonly ranges: readonly Buffer[];
  /** Their length in all. */
  readonly bytes: number;
}

export interface TopicStoreOptions {
  readonly directory: string;
  /** Whether `append` waits until the disk has the bytes. */
  readonly sync: boolean;
  readonly maxOpenFiles: number;
  readonly fs: FileSystem;
  /** Called for each torn last line that was cut off. */
  readonly onTornLine: (path: string, bytes: number) => void;
  /** Called with the time that each sync took, from `now`. */
  readonly onSync: (ms: number) => void;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
}

export class TopicStore {
  readonly #options: TopicStoreOptions;
  /** Open files by topic, the least recently used first. */
  readonly #files = new Map<string, TopicFile>();
  /** Topics that there is a file of, open or not. */
  readonly #topics = new Set<string>();

  constructor(options: TopicStoreOptions) {
    this.#options = options;
  }

  get openFiles(): number {
    return this.#files.size;
  }

  get topics(): ReadonlySet<string> {
    return this.#topics;
  }

  /** Creates the directory and mends what a crash left in it. Throws a SluiceError where the operator must act. */
  async open(): Promise<void> {
    const { directory, fs } = this.#options;
    try {
      await this.#makeDirectory();
      await fs.access(directory, constants.W_OK | constants.X_OK);
      for (const name of await fs.readdir(directory)) {
        if (!name.endsWith(SUFFIX)) continue;
        const topic = name.slice(0, -SUFFIX.length);
        this.#topics.add(topic);
        await (await this.#openFile(topic)).close();
      }
    } catch (error) {
      throw startError(directory, error);
    }
  }

  /**
   * Appends to all the given topics, and syncs them, or throws and leaves none of it behind: no half line, and no whole one that
   * would be written a second time. At most `maxOpenFiles` topics at a time.
   */
  async append(writes: ReadonlyMap<string, TopicWrite>): Promise<void> {
    const touched: [TopicFile, TopicWrite][] = [];
    try {
      for (const [topic, write] of writes) touched.push([await this.#take(topic), write]);
    } catch (error) {
      await this.close();
      throw error;
    }
    const results = await Promise.allSettled(touched.map(([file, write]) => this.#write(file, write)));
    const failure = results.find((result) => result.status === 'rejected');
    if (failure === undefined) return;
    // Where even this fails, the torn line is cut off when the file is opened next. Files are opened anew because a handle that
    // stays open keeps a broken file system from being unmounted and repaired.
    await Promise.allSettled(touched.map(([file]) => file.cutBack()));
    await this.close();
    throw failure.reason;
  }

  async close(): Promise<void> {
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.allSettled(files.map((file) => file.close()));
  }

  async #write(file: TopicFile, { ranges, bytes }: TopicWrite): Promise<void> {
    await file.append(ranges, bytes);
    if (!this.#options.sync) return;
    const started = this.#options.now();
    await file.sync();
    this.#options.onSync(this.#options.now() - started);
  }

  /** The open file of `topic`, which becomes the last one to be closed for another. */
  async #take(topic: string): Promise<TopicFile> {
    const known = this.#files.get(topic);
    const isCurrent = (await known?.isCurrent()) ?? false;
    this.#files.delete(topic);
    if (known !== undefined && isCurrent) {
      this.#files.set(topic, known);
      return known;
    }
    await known?.close();
    await this.#makeRoom();
    const file = await this.#create(topic);
    this.#files.set(topic, file);
    this.#topics.add(topic);
    return file;
  }

  async #makeRoom(): Promise<void> {
    for (const [oldest, file] of this.#files) {
      if (this.#files.size < this.#options.maxOpenFiles) return;
      this.#files.delete(oldest);
      await file.close();
    }
  }

  /** Opens or creates the file of `topic`, and its directory too where somebody has removed that. */
  async #create(topic: string): Promise<TopicFile> {
    let file: TopicFile;
    try {
      file = await this.#openFile(topic);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      await this.#makeDirectory();
      file = await this.#openFile(topic);
    }
    if (file.isEmpty && this.#options.sync) await this.#syncDirectory();
    return file;
  }

  async #makeDirectory(): Promise<void> {
    await this.#options.fs.mkdir(this.#options.directory, { recursive: true, mode: DIRECTORY_MODE });
  }

  async #openFile(topic: string): Promise<TopicFile> {
    const { directory, fs, onTornLine } = this.#options;
    const file = await TopicFile.open(fs, join(directory, `${topic}${SUFFIX}`));
    if (file.tornBytes > 0) onTornLine(file.path, file.tornBytes);
    return file;
  }

  /** Makes the name of a new file survive a power loss; syncing the file alone does not. */
  async #syncDirectory(): Promise<void> {
    const handle = await this.#options.fs.open(this.#options.directory, constants.O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

const NEEDS_RIGHTS = 'give the user that sluice runs as the right to read and write there';
const NEEDS_DIRECTORY = 'a part of the path is a file; choose another directory';

const START_ERRORS: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  EACCES: ['permission_denied', NEEDS_RIGHTS],
  EPERM: ['permission_denied', NEEDS_RIGHTS],
  EROFS: ['permission_denied', 'the file system is mounted read-only; choose another directory or mount it for writing'],
  EEXIST: ['path_conflict', NEEDS_DIRECTORY],
  ENOTDIR: ['path_conflict', NEEDS_DIRECTORY],
  // What Node says instead of EROFS where a parent directory would have to be made.
  ENOENT: ['path_missing', 'it could not be created; if the file system is mounted read-only, choose another directory'],
};
const OTHER_START_ERROR = ['store_unavailable', 'the topics are kept there; choose a directory that works'] as const;

function startError(directory: string, cause: unknown): SluiceError {
  const [code, hint] = START_ERRORS[errnoOf(cause) ?? ''] ?? OTHER_START_ERROR;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new SluiceError(code, `cannot use the directory ${directory} (${reason})`, { hint, cause });
}

/** The real disk. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { errnoOf } from '../core/errors.ts';
import type { File, FileFacts, FileLock, FileSystem, OpenMode } from '../core/files.ts';
import { lockFile } from './native.ts';

/** Logs are nobody's but the agent's and its group's. */
const FILE_MODE = 0o640;
const DIRECTORY_MODE = 0o750;

/** What one writev(2) takes: IOV_MAX of <limits.h>. */
const MAX_PIECES = 1024;

const FLAGS: Readonly<Record<OpenMode, number>> = {
  read: constants.O_RDONLY,
  update: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

/** Files are made with mode 0640, directories with 0750, both subject to the umask. Descriptors are not passed on to children. */
export const nodeFiles: FileSystem = {
  async open(path: string, mode: OpenMode): Promise<File> {
    return new NodeFile(await open(path, FLAGS[mode], FILE_MODE));
  },
  list: (directory) => readdir(directory),
  async stat(path): Promise<FileFacts> {
    const { size, mtimeMs } = await stat(path);
    return { bytes: size, modifiedMs: mtimeMs };
  },
  async makeDirectory(directory) {
    await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
  },
  rename,
  remove: unlink,
  async syncDirectory(directory) {
    const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  /** The lock is the open file's (flock(2)): the kernel frees it when the process ends, however it ends. */
  async lock(path): Promise<FileLock | undefined> {
    const handle = await open(path, constants.O_RDWR | constants.O_CREAT, FILE_MODE);
    try {
      if (lockFile(handle.fd)) return { release: () => handle.close() };
    } catch (error) {
      await handle.close();
      throw error;
    }
    await handle.close();
    return undefined;
  },
};

/**
 * Whether a process holds the lock of that file, which need not be there. Looking takes the lock for a moment, together with others who
 * look, so an agent that starts in that very moment is refused.
 */
export async function isLocked(path: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(path, constants.O_RDONLY);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw error;
  }
  const isFree = lockFile(handle.fd, { shared: true });
  await handle.close();
  return !isFree;
}

class NodeFile implements File {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0;
    while (done < into.length) {
      const { bytesRead } = await this.#handle.read(into, done, into.length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    for (let first = 0, at = position; first < pieces.length;) {
      const some = pieces.slice(first, first + MAX_PIECES);
      await this.#writeAll(some, at);
      for (const piece of some) at += piece.length;
      first += some.length;
    }
  }

  /** The system may write less than it was given, such as up to where the disk is full; the next call then says why. */
  async #writeAll(pieces: Uint8Array[], position: number): Promise<void> {
    for (let rest = pieces, at = position; rest.length > 0;) {
      const { bytesWritten } = await this.#handle.writev(rest, at);
      at += bytesWritten;
      rest = withoutStart(rest, bytesWritten);
    }
  }

  async truncate(bytes: number): Promise<void> {
    await this.#handle.truncate(bytes);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

function withoutStart(pieces: readonly Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes;
  let whole = 0;
  for (; whole < pieces.length; whole++) {
    const { length } = pieces[whole]!; // whole is below the length
    if (length > left) break;
    left -= length;
  }
  const rest = pieces.slice(whole);
  if (left > 0 && rest[0] !== undefined) rest[0] = rest[0].subarray(left);
  return rest;
}

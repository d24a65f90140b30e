/**
 * The file system as a parameter, so that whatever keeps something on disk can be run against a disk that is full, slow, broken, or
 * loses what was not synced. Every call may throw the system's error with its `code` (`ENOSPC`, `EIO`, `EROFS`, `EDQUOT`, `ENOENT`).
 */
export interface FileSystem {
  /**
   * Opens a file. `read`: it must be there. `update`: for reading and writing, it must be there. `create`: for reading and writing, and
   * it must not be there (`EEXIST`).
   */
  open(path: string, mode: OpenMode): Promise<File>;
  /** Names in a directory, in no order. */
  list(directory: string): Promise<string[]>;
  stat(path: string): Promise<FileFacts>;
  /** Makes a directory and those above it; one that is there already will do. */
  makeDirectory(directory: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  /** Resolves once names made, renamed and removed in the directory are safe; syncing a file does not see to its name. */
  syncDirectory(directory: string): Promise<void>;
  /** Takes a lock that ends with the process at the latest; undefined where another process has it. Makes the file. */
  lock(path: string): Promise<FileLock | undefined>;
}

export type OpenMode = 'read' | 'update' | 'create';

export interface FileFacts {
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface FileLock {
  release(): Promise<void>;
}

export interface File {
  /** Length in bytes. */
  size(): Promise<number>;
  /** Reads into all of `into` from `position` on; returns how many bytes there were, fewer only at the end of the file. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** Writes all of `pieces`, one behind the other, from `position` on; where it throws, any part of them may be in the file. */
  write(pieces: readonly Uint8Array[], position: number): Promise<void>;
  truncate(bytes: number): Promise<void>;
  /** Resolves once everything written is on the disk (fdatasync(2)). */
  sync(): Promise<void>;
  close(): Promise<void>;
}

import { basename } from 'node:path';
import type { File, FileLock, FileSystem, OpenMode } from '../../core/files.ts';

interface Inode {
  bytes: Buffer;
  synced: Buffer;
}

/**
 * One directory in memory that can fail at any operation, and then shows what a power loss would leave of it: of files what was
 * synced, of names what the synced directory says.
 */
export class FragileFiles implements FileSystem {
  readonly #names = new Map<string, Inode>();
  #syncedNames = new Map<string, Inode>();
  #operations = 0;
  #failure: { readonly from: number; readonly code: string } | undefined;

  /** Operations so far that could have failed. */
  get operations(): number {
    return this.#operations;
  }

  /** Operations from the one numbered `from` on throw `code`. */
  failFrom(from: number, code: string): void {
    this.#failure = { from, code };
  }

  heal(): void {
    this.#failure = undefined;
  }

  /** Forgets what was not synced. */
  losePower(): void {
    this.heal();
    this.#names.clear();
    for (const [name, inode] of this.#syncedNames) this.#names.set(name, { bytes: inode.synced, synced: inode.synced });
  }

  /** Puts a file there, synced. */
  put(path: string, text: string): void {
    const bytes = Buffer.from(text);
    this.#names.set(basename(path), { bytes, synced: bytes });
    this.#syncedNames = new Map(this.#names);
  }

  /** The text of a file; undefined where there is none. */
  text(path: string): string | undefined {
    return this.#names.get(basename(path))?.bytes.toString('utf8');
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    this.#operate();
    const known = this.#names.get(basename(path));
    if ((known === undefined) !== (mode === 'create')) throw errorWith(known === undefined ? 'ENOENT' : 'EEXIST');
    const inode = known ?? { bytes: Buffer.alloc(0), synced: Buffer.alloc(0) };
    this.#names.set(basename(path), inode);
    return this.#file(inode);
  }

  async list(): Promise<string[]> {
    return [...this.#names.keys()];
  }

  async stat(path: string): Promise<{ bytes: number; modifiedMs: number }> {
    return { bytes: this.#inode(path).bytes.length, modifiedMs: 0 };
  }

  async makeDirectory(): Promise<void> {}

  async rename(from: string, to: string): Promise<void> {
    this.#operate();
    this.#names.set(basename(to), this.#inode(from));
    this.#names.delete(basename(from));
  }

  async remove(path: string): Promise<void> {
    this.#operate();
    this.#inode(path);
    this.#names.delete(basename(path));
  }

  async syncDirectory(): Promise<void> {
    this.#operate();
    this.#syncedNames = new Map(this.#names);
  }

  async lock(): Promise<FileLock> {
    return { release: async () => {} };
  }

  #file(inode: Inode): File {
    return {
      size: async () => inode.bytes.length,
      read: async (into, position) => {
        this.#operate();
        return inode.bytes.copy(into, 0, position);
      },
      write: async (pieces, position) => {
        this.#operate();
        inode.bytes = Buffer.concat([inode.bytes.subarray(0, position), ...pieces]);
      },
      truncate: async (bytes) => {
        this.#operate();
        inode.bytes = inode.bytes.subarray(0, bytes);
      },
      sync: async () => {
        this.#operate();
        inode.synced = inode.bytes;
      },
      close: async () => {},
    };
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(basename(path));
    if (inode === undefined) throw errorWith('ENOENT');
    return inode;
  }

  #operate(): void {
    const number = this.#operations++;
    if (this.#failure !== undefined && number >= this.#failure.from) throw errorWith(this.#failure.code);
  }
}

function errorWith(code: string): Error {
  return Object.assign(new Error(`${code} (made by the test)`), { code });
}

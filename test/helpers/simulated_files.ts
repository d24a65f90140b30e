/** The file system of a simulated disk as one process sees it. */
import type { File, FileFacts, FileLock, FileSystem, OpenMode } from '../../src/core/files.ts';
import type { Mount, SimulatedDisk } from './simulated_disk.ts';
import type { SimulatedInode } from './simulated_inode.ts';

export class SimulatedFileSystem implements FileSystem {
  readonly #disk: SimulatedDisk;
  readonly #mount: Mount;

  constructor(disk: SimulatedDisk, mount: Mount) {
    this.#disk = disk;
    this.#mount = mount;
  }

  async open(path: string, mode: OpenMode): Promise<File> {
    await this.#disk.turn(this.#mount, mode === 'create' ? 'create' : 'open', path);
    const inode = this.#disk.open(path, mode);
    return new SimulatedFile(this.#disk, this.#mount, inode, path);
  }

  async list(directory: string): Promise<string[]> {
    await this.#disk.turn(this.#mount, 'list', directory);
    return this.#disk.list(directory);
  }

  async stat(path: string): Promise<FileFacts> {
    await this.#disk.turn(this.#mount, 'stat', path);
    return this.#disk.stat(path);
  }

  async makeDirectory(directory: string): Promise<void> {
    await this.#disk.turn(this.#mount, 'makeDirectory', directory);
    this.#disk.makeDirectory(directory);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#disk.turn(this.#mount, 'rename', from);
    this.#disk.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    await this.#disk.turn(this.#mount, 'remove', path);
    this.#disk.remove(path);
  }

  async syncDirectory(directory: string): Promise<void> {
    await this.#disk.turn(this.#mount, 'syncDirectory', directory);
    this.#disk.syncDirectory(directory);
  }

  async lock(path: string): Promise<FileLock | undefined> {
    await this.#disk.turn(this.#mount, 'lock', path);
    return this.#disk.lock(this.#mount, path);
  }
}

class SimulatedFile implements File {
  readonly #disk: SimulatedDisk;
  readonly #mount: Mount;
  readonly #inode: SimulatedInode;
  readonly #path: string;
  #isClosed = false;

  constructor(disk: SimulatedDisk, mount: Mount, inode: SimulatedInode, path: string) {
    this.#disk = disk;
    this.#mount = mount;
    this.#inode = inode;
    this.#path = path;
  }

  async size(): Promise<number> {
    await this.#disk.turn(this.#mount, 'stat', this.#path);
    return this.#inode.size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    await this.#disk.turn(this.#mount, 'read', this.#path);
    if (this.#isClosed) throw Object.assign(new Error(`EBADF: read '${this.#path}'`), { code: 'EBADF' });
    return this.#inode.read(into, position);
  }

  async write(pieces: readonly Uint8Array[], position: number): Promise<void> {
    const bytes = Buffer.concat(pieces);
    const begin = (): void => this.#disk.beginWrite(this.#inode, bytes, position);
    const code = await this.#disk.turn(this.#mount, 'write', this.#path, begin);
    this.#disk.write(this.#inode, this.#path, bytes, position, code);
  }

  async truncate(bytes: number): Promise<void> {
    await this.#disk.turn(this.#mount, 'truncate', this.#path);
    this.#inode.truncate(bytes);
  }

  async sync(): Promise<void> {
    await this.#disk.turn(this.#mount, 'sync', this.#path);
    this.#inode.sync();
  }

  async close(): Promise<void> {
    if (!this.#mount.isAlive) return never();
    this.#isClosed = true;
  }
}

/** What a call of a process that is gone gives. */
export function never<T>(): Promise<T> {
  return new Promise(() => {});
}

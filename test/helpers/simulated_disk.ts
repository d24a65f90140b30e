/**
 * A disk in memory that behaves as badly as a real one may: what was not synced is lost or torn when the power goes, names that
 * were not synced with their directory too, it can be full, slow, broken or read-only, and bits flip. All of it is drawn from the
 * random numbers that it is given, so the same ones give the same disk.
 */
import { dirname } from 'node:path';
import type { Clock } from '../../src/core/clock.ts';
import { sleep } from '../../src/core/clock.ts';
import type { FileFacts, FileLock, FileSystem, OpenMode } from '../../src/core/files.ts';
import { never, SimulatedFileSystem } from './simulated_files.ts';
import { below, type Random, SimulatedInode } from './simulated_inode.ts';

export interface SimulatedDiskOptions {
  readonly random: Random;
  /** Gives files their times, and makes calls take `latencyMs`; without it, calls take a turn of the promises each. */
  readonly clock?: Clock;
  /** Sum of the lengths of all files; default no bound. */
  readonly maxBytes?: number;
}

export type Operation =
  'open' | 'create' | 'list' | 'stat' | 'makeDirectory' | 'rename' | 'remove' | 'syncDirectory' | 'lock' | FileOperation;
type FileOperation = 'read' | 'write' | 'truncate' | 'sync';

/** Those that a full or read-only disk refuses; the others read. */
const CHANGING: ReadonlySet<Operation> = new Set([
  'create',
  'makeDirectory',
  'rename',
  'remove',
  'write',
  'truncate',
  'sync',
  'syncDirectory',
]);
/** Those that a full disk refuses. */
const GROWING: ReadonlySet<Operation> = new Set(['create', 'makeDirectory', 'write']);
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** A name that was made (`to`), removed (`from`) or both, in one step. */
interface NameChange {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly inode: SimulatedInode;
}

/** A process's hold on the disk; gone with the process. */
export interface Mount {
  isAlive: boolean;
}

export class SimulatedDisk {
  /** May be changed: the disk fills up, or somebody makes room. */
  maxBytes: number;
  /** How long a call takes, in milliseconds of the clock. */
  latencyMs: (operation: Operation, path: string) => number = () => 0;
  /** The code that a call fails with, if any; asked before each. A failing `write` has written a part. */
  fault: (operation: Operation, path: string) => string | undefined = () => undefined;
  readonly #random: Random;
  readonly #clock: Clock | undefined;
  readonly #directories = new Set<string>(['/']);
  #names = new Map<string, SimulatedInode>();
  /** The names that a loss of power leaves, and the changes that it may or may not leave, by directory. */
  readonly #safeNames = new Map<string, SimulatedInode>();
  readonly #pending = new Map<string, NameChange[]>();
  #locks = new Set<string>();
  #mount: Mount | undefined;

  constructor({ random, clock, maxBytes = Infinity }: SimulatedDiskOptions) {
    this.#random = random;
    this.#clock = clock;
    this.maxBytes = maxBytes;
  }

  /** Sum of the lengths of all files. */
  get bytes(): number {
    let sum = 0;
    for (const inode of this.#names.values()) sum += inode.size;
    return sum;
  }

  /** Every file, by path in order, with what it holds now. */
  get contents(): ReadonlyMap<string, Buffer> {
    return new Map([...this.#names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, inode]) => [path, inode.content]));
  }

  /** The disk as a new process sees it. The process before it is gone, as with `kill`. */
  mount(): FileSystem {
    this.kill();
    const mount: Mount = { isAlive: true };
    this.#mount = mount;
    return new SimulatedFileSystem(this, mount);
  }

  /** Ends the process: its pending and later calls never settle, its locks are free; nothing written is lost. */
  kill(): void {
    if (this.#mount !== undefined) this.#mount.isAlive = false;
    this.#mount = undefined;
    this.#locks = new Set();
  }

  /** Ends the process and loses power: bytes and names that were not synced are lost in part. */
  crash(): void {
    this.kill();
    for (const [directory, changes] of this.#pending) {
      changes.length = below(this.#random, changes.length + 1);
      this.#settle(directory);
    }
    this.#names = new Map(this.#safeNames);
    for (const inode of new Set(this.#names.values())) inode.losePower(this.#random);
  }

  /** From now on every call that changes something fails with this code (`ENOSPC` only those that take room), with `EIO` every call. */
  failWith(code: string | undefined): void {
    this.fault = (operation) => {
      if (code === undefined || code === 'EIO') return code;
      return (FULL.has(code) ? GROWING : CHANGING).has(operation) ? code : undefined;
    };
  }

  /** Flips a bit of a file that is not empty and whose path `matches`; says where, or undefined where there is none. */
  corrupt(matches: (path: string) => boolean = () => true): { readonly path: string; readonly offset: number } | undefined {
    const candidates = [...this.contents].filter(([path, content]) => content.length > 0 && matches(path));
    const [path, content] = candidates[below(this.#random, candidates.length)] ?? [];
    if (path === undefined || content === undefined) return undefined;
    const offset = below(this.#random, content.length);
    this.#names.get(path)?.flip(offset, below(this.#random, 8));
    return { path, offset };
  }

  /** Waits for the disk's turn, and fails as asked; `begin` is what is done of it before. A write gets the code. For its file systems. */
  async turn(mount: Mount, operation: Operation, path: string, begin?: () => void): Promise<string | undefined> {
    if (!mount.isAlive) return never();
    const code = this.fault(operation, path);
    if (code === undefined) begin?.();
    const latencyMs = this.latencyMs(operation, path);
    if (this.#clock !== undefined && latencyMs > 0) await sleep(this.#clock, latencyMs);
    else await Promise.resolve();
    if (!mount.isAlive) return never();
    if (code !== undefined && operation !== 'write') throw systemError(code, operation, path);
    return code;
  }

  open(path: string, mode: OpenMode): SimulatedInode {
    const known = this.#names.get(path);
    if (mode !== 'create') return known ?? fail('ENOENT', 'open', path);
    if (known !== undefined) return fail('EEXIST', 'open', path);
    if (!this.#directories.has(dirname(path))) return fail('ENOENT', 'open', path);
    const inode = new SimulatedInode();
    this.#touch(inode);
    this.#rename({ from: undefined, to: path, inode });
    return inode;
  }

  list(directory: string): string[] {
    if (!this.#directories.has(directory)) return fail('ENOENT', 'scandir', directory);
    const paths = [...this.#names.keys(), ...this.#directories];
    const inside = paths.filter((path) => path !== '/' && dirname(path) === directory);
    return inside.map((path) => path.slice(directory.length).replace(/^\//, ''));
  }

  stat(path: string): FileFacts {
    const { size, modifiedMs } = this.#names.get(path) ?? fail('ENOENT', 'stat', path);
    return { bytes: size, modifiedMs };
  }

  /** Directories are safe at once. */
  makeDirectory(directory: string): void {
    for (let at = directory; !this.#directories.has(at); at = dirname(at)) this.#directories.add(at);
  }

  rename(from: string, to: string): void {
    const inode = this.#names.get(from) ?? fail('ENOENT', 'rename', from);
    if (dirname(from) !== dirname(to)) this.#moveAcross(from, to, inode);
    else this.#rename({ from, to, inode });
  }

  remove(path: string): void {
    this.#rename({ from: path, to: undefined, inode: this.#names.get(path) ?? fail('ENOENT', 'unlink', path) });
  }

  /** Takes a directory and all that is in it away, as `rm -r` does: who has one of its files open has it still. */
  removeDirectory(directory: string): void {
    for (const names of [this.#names, this.#safeNames])
      for (const path of names.keys()) if (dirname(path) === directory) names.delete(path);
    for (const path of this.#locks) if (dirname(path) === directory) this.#locks.delete(path);
    this.#directories.delete(directory);
  }

  syncDirectory(directory: string): void {
    this.#settle(directory);
  }

  lock(mount: Mount, path: string): FileLock | undefined {
    if (!this.#names.has(path)) this.open(path, 'create');
    if (this.#locks.has(path)) return undefined;
    this.#locks.add(path);
    return {
      release: async () => {
        if (mount.isAlive) this.#locks.delete(path);
      },
    };
  }

  /** Writes a part of `bytes`, as much as there is room for: what is there if the process ends before the call does. */
  beginWrite(inode: SimulatedInode, bytes: Uint8Array, position: number): void {
    const length = Math.min(below(this.#random, bytes.length + 1), this.#roomFor(inode, position));
    if (length > 0) inode.write(bytes.subarray(0, length), position);
  }

  /** Writes `bytes`, or what there is room for, or a part where it is to fail. Throws the error that it fails with. */
  write(inode: SimulatedInode, path: string, bytes: Uint8Array, position: number, code: string | undefined): void {
    if (code !== 'EROFS' && code !== undefined) this.beginWrite(inode, bytes, position);
    if (code !== undefined) throw systemError(code, 'write', path);
    const length = Math.min(bytes.length, this.#roomFor(inode, position));
    inode.write(bytes.subarray(0, length), position);
    this.#touch(inode);
    if (length < bytes.length) throw systemError('ENOSPC', 'write', path);
  }

  #roomFor(inode: SimulatedInode, position: number): number {
    return Math.max(0, this.maxBytes - this.bytes + Math.max(0, inode.size - position));
  }

  #touch(inode: SimulatedInode): void {
    inode.modifiedMs = Math.floor((this.#clock?.wallMicros() ?? 0) / 1000);
  }

  #rename(change: NameChange): void {
    applyChange(this.#names, change);
    const directory = dirname(change.to ?? change.from ?? '/');
    const pending = this.#pending.get(directory);
    if (pending === undefined) this.#pending.set(directory, [change]);
    else pending.push(change);
  }

  /** Into another directory: the new name first, so that a loss of power never loses both where the target is synced first. */
  #moveAcross(from: string, to: string, inode: SimulatedInode): void {
    this.#rename({ from: undefined, to, inode });
    this.#rename({ from, to: undefined, inode });
  }

  #settle(directory: string): void {
    for (const change of this.#pending.get(directory)?.splice(0) ?? []) applyChange(this.#safeNames, change);
  }
}

function applyChange(names: Map<string, SimulatedInode>, { from, to, inode }: NameChange): void {
  if (from !== undefined) names.delete(from);
  if (to !== undefined) names.set(to, inode);
}

function fail(code: string, call: string, path: string): never {
  throw systemError(code, call, path);
}

function systemError(code: string, call: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${call} '${path}'`), { code });
}

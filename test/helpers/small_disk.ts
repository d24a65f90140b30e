/** A small disk of its own (tmpfs(5)) that a test may fill. */
import { spawnSync } from 'node:child_process';
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';

const CHUNK = Buffer.alloc(1024 * 1024);

export class SmallDisk {
  readonly directory: string;

  /** Mounts it at `directory`; throws where this user may not, which `whyNoSmallDisk` says before. */
  constructor(t: Test, directory: string, bytes: number) {
    this.directory = directory;
    mkdirSync(directory, { recursive: true });
    mount(directory, bytes);
    t.teardown(() => {
      spawnSync('umount', ['--lazy', directory]);
    });
  }

  get usedBytes(): number {
    const { blocks, bfree, bsize } = statfsSync(this.directory);
    return (blocks - bfree) * bsize;
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.directory);
    return bavail * bsize;
  }

  /** Fills it up but for `free` bytes, as others may who share a disk. */
  fillBut(free: number): void {
    const file = openSync(this.#ballast, 'w');
    let bytes = 0;
    while (this.freeBytes > free) bytes += writeSync(file, CHUNK.subarray(0, Math.min(CHUNK.length, this.freeBytes - free)));
    ftruncateSync(file, bytes);
    closeSync(file);
  }

  /** Takes away what `fillBut` has put there. */
  makeRoom(): void {
    rmSync(this.#ballast);
  }

  get #ballast(): string {
    return join(this.directory, 'ballast');
  }
}

/** Why there can be no small disk here; undefined where there can be. */
export function whyNoSmallDisk(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root mounts a disk of its own';
  const { status, stderr, error } = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt'], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : `no disk can be mounted: ${error?.message ?? stderr.trim()}`;
}

function mount(directory: string, bytes: number): void {
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', directory], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`cannot mount at ${directory}: ${stderr.trim()}`);
}

/** What the disk does when nothing else is asked of it: sequential, in pieces of a MiB. */
import { closeSync, fdatasyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { jsonLines, LINE_BYTES } from './workload.ts';

const PIECE_BYTES = 2 ** 20;

/** As the spool does it. */
const SYNC_BYTES = 8 * 2 ** 20;

/** Writes so many bytes of the lines that are measured, syncs them as often as the spool does, and removes them again: bytes a second. */
export function writePlainly(directory: string, bytes: number): number {
  const piece = jsonLines(Math.ceil(PIECE_BYTES / LINE_BYTES)).subarray(0, PIECE_BYTES);
  const path = join(directory, 'plain');
  const startedMs = performance.now();
  const fd = openSync(path, 'wx');
  let written = 0;
  while (written < bytes) {
    for (let left = SYNC_BYTES; left > 0; left -= PIECE_BYTES) written += writeSync(fd, piece);
    fdatasyncSync(fd);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  closeSync(fd);
  rmSync(path);
  return written / seconds;
}

/** Reads files from beginning to end: seconds. */
export function readPlainly(paths: readonly string[]): number {
  const piece = Buffer.allocUnsafe(PIECE_BYTES);
  const startedMs = performance.now();
  for (const path of paths) {
    const fd = openSync(path, 'r');
    while (readSync(fd, piece) > 0);
    closeSync(fd);
  }
  return (performance.now() - startedMs) / 1000;
}

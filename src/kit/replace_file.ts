/** Small files that must be one state or the next whatever happens: positions, totals. */
import { dirname } from 'node:path';
import { errnoOf } from '../core/errors.ts';
import type { File, FileSystem } from '../core/files.ts';

/**
 * Replaces the file at `path`, if there is one, by one with these bytes: write, fsync, rename, fsync of the directory. On the disk
 * when it resolves; where it throws (the system's error) either is there. One call at a time for a path.
 */
export async function replaceFile(files: FileSystem, path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.new`;
  const file = await openEmpty(files, temporary);
  try {
    await file.write([bytes], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(temporary, path);
  await files.syncDirectory(dirname(path));
}

/** All of the file at `path`; undefined where there is none. Throws the system's error. */
export async function readWhole(files: FileSystem, path: string): Promise<Buffer | undefined> {
  let file: File;
  try {
    file = await files.open(path, 'read');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(await file.size());
    const read = await file.read(bytes, 0);
    return bytes.subarray(0, read);
  } finally {
    await file.close();
  }
}

/** What a call that was cut off has left behind is in nobody's way. */
async function openEmpty(files: FileSystem, path: string): Promise<File> {
  try {
    return await files.open(path, 'create');
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const file = await files.open(path, 'update');
  await file.truncate(0);
  return file;
}

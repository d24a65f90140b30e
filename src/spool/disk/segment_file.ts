/** What is done with the file of a segment where something may fail. */
import { errnoOf } from '../../core/errors.ts';
import type { File, FileSystem } from '../../core/files.ts';
import type { Segment } from './segment.ts';

/**
 * A new file that holds `pieces`; where that fails, none. One that has the name already holds nothing: it was left by an attempt that
 * failed, for names are given once.
 */
export async function createFile(files: FileSystem, path: string, pieces: readonly Uint8Array[]): Promise<File> {
  const file = await openNew(files, path);
  try {
    await file.write(pieces, 0);
    return file;
  } catch (error) {
    await isDone(file.close());
    await isDone(files.remove(path));
    throw error;
  }
}

async function openNew(files: FileSystem, path: string): Promise<File> {
  try {
    return await files.open(path, 'create');
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  await files.remove(path);
  return files.open(path, 'create');
}

/** Cuts off what is behind the last good frame of a segment that is open; false where the disk refuses. */
export async function cutFile(segment: Segment): Promise<boolean> {
  if (segment.file === undefined || !(await isDone(segment.file.truncate(segment.end)))) return false;
  segment.bytes = segment.end;
  return true;
}

/** Closes the file of a segment, where it is open. */
export async function closeFile(segment: Segment): Promise<void> {
  const { file } = segment;
  segment.file = undefined;
  if (file !== undefined) await isDone(file.close());
}

/** Whether the system did it; for what can be done without. */
export async function isDone(attempt: Promise<void>): Promise<boolean> {
  try {
    await attempt;
    return true;
  } catch (error) {
    if (errnoOf(error) === undefined) throw error;
    return false;
  }
}

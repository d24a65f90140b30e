/** What is done with the file of a segment, and may be left undone. */
import { errnoOf } from '../../core/errors.ts';
import type { Segment } from './segment.ts';

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

/** From the records of a batch to the byte ranges that are written to a file of lines. */
import { type Batch, BodyKind } from '../../../src/core/batch.ts';

const NEWLINE = 0x0a;
const NEWLINE_BYTES = Buffer.from('\n');

/** Whether every record of `batch` came as a complete cfjs1 line, which is then stored as it came. */
export function holdsOnlyLines(batch: Batch): boolean {
  const { kind } = batch.columns;
  for (let at = 0; at < batch.count; at++) if (kind[at] !== BodyKind.cfjs1) return false;
  return true;
}

/**
 * Appends the lines of `batch`, each with its newline, to `ranges` and returns their length in bytes. Nothing is copied: lines that
 * lie behind each other in the arena, as they do when they came over one connection, are one range.
 */
export function appendLineRanges(batch: Batch, ranges: Buffer[]): number {
  const { arena, count } = batch;
  const { bodyStart, bodyEnd } = batch.columns;
  let bytes = 0;
  for (let at = 0; at < count;) {
    const start = bodyStart[at]!; // at is below count, here and below
    let end = bodyEnd[at]!;
    at += 1;
    while (at < count && bodyStart[at] === end + 1 && arena[end] === NEWLINE) end = bodyEnd[at++]!;
    bytes += end + 1 - start;
    if (arena[end] === NEWLINE) ranges.push(arena.subarray(start, end + 1));
    else ranges.push(arena.subarray(start, end), NEWLINE_BYTES);
  }
  return bytes;
}

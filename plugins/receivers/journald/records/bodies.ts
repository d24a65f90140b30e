/**
 * Tells of what kind the bodies of a batch are, all at once: the arena of a batch whose messages are all text is itself valid
 * UTF-8, because members are and a newline stands behind every body; asking that once is far cheaper than asking for each record.
 */
import { isUtf8 } from 'node:buffer';
import { type Batch, BodyKind } from '../../../../src/core/batch.ts';
import type { JsonObjectFinder } from '../../../../src/kit/json_object.ts';

const SPACE = 0x20;
const OPEN_BRACE = 0x7b;

/**
 * Sets the kind of each record of `batch`, whose arena is used up to `used`: binary where it is not UTF-8, and with `objects` JSON
 * where the body is an object; its range is then of the object alone.
 */
export function settleBodyKinds(batch: Batch, used: number, objects?: JsonObjectFinder): void {
  const { arena, columns, count } = batch;
  if (!isUtf8(arena.subarray(0, used))) {
    for (let index = 0; index < count; index++) {
      if (!isUtf8(arena.subarray(columns.bodyStart[index], columns.bodyEnd[index]))) columns.kind[index] = BodyKind.binary;
    }
  }
  if (objects === undefined) return;
  for (let index = 0; index < count; index++) if (columns.kind[index] === BodyKind.text) takeAsJson(batch, index, objects);
}

function takeAsJson({ arena, columns }: Batch, index: number, objects: JsonObjectFinder): void {
  const start = columns.bodyStart[index]!; // index is below the batch's count, here and below
  if (arena[start] !== OPEN_BRACE && arena[start] !== SPACE) return;
  if (!objects.find(arena, start, columns.bodyEnd[index]!)) return;
  columns.kind[index] = BodyKind.json;
  columns.bodyStart[index] = objects.start;
  columns.bodyEnd[index] = objects.end;
}

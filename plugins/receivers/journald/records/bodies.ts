/**
 * Tells of what kind the bodies of a batch are, all at once: the arena of a batch whose messages are all text is itself valid
 * UTF-8, because members are and a newline stands behind every body; asking that once is far cheaper than asking for each record.
 */
import { isUtf8 } from 'node:buffer';
import { type Batch, BodyKind } from '../../../../src/core/batch.ts';
import type { JsonObjectScanner } from '../../../../src/kit/json_scan.ts';

const SPACE = 0x20;
const OPEN_BRACE = 0x7b;

/**
 * Sets the kind of each record of `batch`, whose arena is used up to `used`: binary where it is not UTF-8, and with a `scanner` JSON
 * where the body is an object; its range is then of the object alone.
 */
export function settleBodyKinds(batch: Batch, used: number, scanner?: JsonObjectScanner): void {
  const { arena, columns, count } = batch;
  if (!isUtf8(arena.subarray(0, used))) {
    for (let index = 0; index < count; index++) {
      if (!isUtf8(arena.subarray(columns.bodyStart[index], columns.bodyEnd[index]))) columns.kind[index] = BodyKind.binary;
    }
  }
  if (scanner === undefined) return;
  for (let index = 0; index < count; index++) if (columns.kind[index] === BodyKind.text) takeAsJson(batch, index, scanner);
}

function takeAsJson({ arena, columns }: Batch, index: number, scanner: JsonObjectScanner): void {
  let start = columns.bodyStart[index]!; // index is below the batch's count, here and below
  const bodyEnd = columns.bodyEnd[index]!;
  while (start < bodyEnd && arena[start]! <= SPACE) start++; // start is below the arena's length
  if (start === bodyEnd || arena[start] !== OPEN_BRACE) return;
  const end = scanner.scan(arena, start);
  if (end < 0 || end > bodyEnd) return;
  for (let at = end; at < bodyEnd; at++) if (arena[at]! > SPACE) return; // as above
  columns.kind[index] = BodyKind.json;
  columns.bodyStart[index] = start;
  columns.bodyEnd[index] = end;
}

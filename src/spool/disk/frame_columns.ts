/** The columns of a batch as they lie in the payload of a frame, which is also how they are used once they were read. */
import { COLUMN_BYTES, type Columns } from '../../core/batch.ts';

/** Views of `rows` rows from `offset` on, which is a multiple of 8. Writing to them writes the payload. */
export function columnsAt(buffer: ArrayBufferLike, offset: number, rows: number): Columns {
  const words = offset + 16 * rows;
  const bytes = words + 20 * rows;
  return {
    time: new Float64Array(buffer, offset, rows),
    sequence: new Float64Array(buffer, offset + 8 * rows, rows),
    service: new Uint32Array(buffer, words, rows),
    bodyStart: new Uint32Array(buffer, words + 4 * rows, rows),
    bodyEnd: new Uint32Array(buffer, words + 8 * rows, rows),
    fieldsStart: new Uint32Array(buffer, words + 12 * rows, rows),
    fieldsEnd: new Uint32Array(buffer, words + 16 * rows, rows),
    severity: new Uint8Array(buffer, bytes, rows),
    kind: new Uint8Array(buffer, bytes + rows, rows),
    flags: new Uint8Array(buffer, bytes + 2 * rows, rows),
  };
}

/** Bytes that the columns of `rows` rows take in a payload. */
export function columnBytes(rows: number): number {
  return rows * COLUMN_BYTES;
}

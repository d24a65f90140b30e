/** Reads files of lines in pieces, so that their size does not matter. */
import { SluiceError } from '../core/errors.ts';
import type { File } from '../core/files.ts';

const NEWLINE = 0x0a;
const PIECE_BYTES = 256 * 1024;

/** A longer line is none of ours; a store of our own is never like that, so it is not worth the memory. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/**
 * The lines of `file`, several at a time, each with its newline. A last line without one is left out, or with `withRest` given one. A piece
 * is valid until the next one is asked for. Throws the system's error, and a SluiceError (`state_invalid`) where a line is longer than 64 MiB.
 */
export async function* readLines(file: File, { withRest = false } = {}): AsyncGenerator<Buffer> {
  // One byte more than there is tells that the end was reached.
  let buffer: Buffer = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, (await file.size()) + 1));
  let held = 0;
  for (let position = 0; ;) {
    const read = await file.read(buffer.subarray(held), position);
    position += read;
    const filled = held + read;
    const end = buffer.subarray(0, filled).lastIndexOf(NEWLINE) + 1;
    if (end > 0) yield buffer.subarray(0, end);
    held = filled - end;
    if (filled < buffer.length) {
      if (withRest && held > 0) yield Buffer.concat([buffer.subarray(end, filled), Buffer.from('\n')]);
      return;
    }
    if (end > 0) buffer.copyWithin(0, end, filled);
    else buffer = grown(buffer);
  }
}

function grown(buffer: Buffer): Buffer {
  if (buffer.length * 2 > MAX_LINE_BYTES) throw new SluiceError('state_invalid', `a line is longer than ${MAX_LINE_BYTES} bytes`);
  const larger = Buffer.allocUnsafeSlow(buffer.length * 2);
  buffer.copy(larger);
  return larger;
}

/** Length of `file` up to and with its last newline: 0 where there is none. What is behind is a line whose write was cut short. */
export async function wholeLinesLength(file: File): Promise<number> {
  const size = await file.size();
  const piece = Buffer.allocUnsafe(Math.min(PIECE_BYTES, size));
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - piece.length);
    const read = await file.read(piece.subarray(0, end - start), start);
    const newline = piece.subarray(0, read).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

/** Finds what a crash left behind in a file of lines: a last line without its newline. */

const NEWLINE = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/** What is asked of a `FileHandle`. */
export interface ReadableAt {
  read(into: Buffer, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
}

/** Length of `file`, of `size` bytes, up to and with its last newline: 0 where there is none. */
export async function wholeLinesLength(file: ReadableAt, size: number): Promise<number> {
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size));
  for (let end = size; end > 0;) {
    // A healthy file ends in a newline, so one byte tells; only a torn one is read backwards.
    const start = end === size ? size - 1 : Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const newline = chunk.subarray(0, bytesRead).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
    end = start;
  }
  return 0;
}

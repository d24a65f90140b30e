/** Writes text as the inside of a JSON string (RFC 8259, section 7), from bytes to bytes. */

/** 1 for bytes that go into a JSON string as they are; bytes above 0x7f are parts of UTF-8 sequences and do. */
const PLAIN = new Uint8Array(256).fill(1, 0x20);
PLAIN[0x22] = 0;
PLAIN[0x5c] = 0;

/** The escape of each byte that needs one. */
const ESCAPES: readonly (Buffer | undefined)[] = Array.from({ length: 256 }, (_, byte) =>
  PLAIN[byte] === 1 ? undefined : Buffer.from(JSON.stringify(String.fromCharCode(byte)).slice(1, -1)),
);

/** The most that `bytes` bytes of text can take once they are escaped (`\u0000`). */
export function maxEscapedBytes(bytes: number): number {
  return bytes * 6;
}

/**
 * Writes the UTF-8 bytes `start` to `end` of `source` at `at`, escaped and without quotes, and returns the offset behind them.
 * `target` must have `maxEscapedBytes(end - start)` bytes free.
 */
export function writeEscaped(target: Buffer, at: number, source: Buffer, start: number, end: number): number {
  let run = start;
  for (let index = start; index < end; index++) {
    const byte = source[index]!; // index is below the caller's end
    if (PLAIN[byte] === 1) continue;
    if (index > run) at += source.copy(target, at, run, index);
    at += ESCAPES[byte]!.copy(target, at); // bytes that are not plain have one
    run = index + 1;
  }
  return end > run ? at + source.copy(target, at, run, end) : at;
}

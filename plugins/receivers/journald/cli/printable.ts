/**
 * What systemd takes for printable: UTF-8 without control characters (C0 but for tab and newline, DEL, C1), surrogates and noncharacters.
 * journalctl writes values that are not as bytes, in its export format ("Journal Export Format", section "Serialization") and in JSON.
 */

/** What `printable` says of bytes. */
export const Printable = { no: 0, lines: 1, line: 2 } as const;

const NEWLINE = 0x0a;

/** 0 for ASCII that is a control character, 1 for what is printable, and the length of the sequence that other bytes begin, if any. */
const LENGTHS = Uint8Array.from({ length: 256 }, (_, byte) => {
  if (byte === 0x09 || byte === NEWLINE) return 1;
  if (byte < 0x20 || byte === 0x7f) return 0;
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  return byte >= 0xf0 && byte < 0xf5 ? 4 : 0;
});

/** Whether the bytes from `start` to `end` are printable: not, as several lines (where there is a newline at all), or as one. */
export function printable(bytes: Buffer, start: number, end: number): number {
  let found: number = Printable.line;
  for (let at = start; at < end;) {
    const byte = bytes[at]!; // at is below the caller's end
    // Nearly all bytes are these, and so are looked at first.
    if (byte >= 0x20 && byte < 0x7f) {
      at += 1;
      continue;
    }
    const length = LENGTHS[byte]!; // there is one for every byte
    if (length === 1) {
      if (byte === NEWLINE) found = Printable.lines;
      at += 1;
    } else if (length === 0 || at + length > end || !isPrintableSequence(bytes, at, length)) return Printable.no;
    else at += length;
  }
  return found;
}

/** The least code point that takes as many bytes: fewer make an overlong sequence. */
const LEAST = [0, 0, 0x80, 0x800, 0x10000] as const;

function isPrintableSequence(bytes: Buffer, start: number, length: number): boolean {
  let point = bytes[start]! & (0xff >> (length + 1)); // all of the sequence is within the caller's range, here and below
  for (let at = start + 1; at < start + length; at++) {
    const byte = bytes[at]!;
    if ((byte & 0xc0) !== 0x80) return false;
    point = (point << 6) | (byte & 0x3f);
  }
  if (point < LEAST[length]! || point > 0x10ffff) return false; // lengths are from 2 to 4
  if (point < 0xa0) return false;
  const isSurrogate = point >= 0xd800 && point <= 0xdfff;
  const isNoncharacter = (point >= 0xfdd0 && point <= 0xfdef) || (point & 0xfffe) === 0xfffe;
  return !isSurrogate && !isNoncharacter;
}

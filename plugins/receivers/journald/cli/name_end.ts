/** Names of fields, as they begin a DATA object. */
import { MAX_NAME_BYTES } from '../file/format.ts';

const EQUALS = 0x3d;

/** Whether a byte may be in a name: capitals, digits and underscores (systemd.journal-fields(7)). */
const IN_NAME = Uint8Array.from({ length: 256 }, (_, byte) => (/[A-Z0-9_]/.test(String.fromCharCode(byte)) ? 1 : 0));

/**
 * Where the name ends that the object from `start` to `end` begins with, or -1 where that is none: 64 bytes at most, and no digit in front.
 * journald writes no others, and journalctl prints none.
 */
export function nameEnd(bytes: Buffer, start: number, end: number): number {
  const last = Math.min(end, start + MAX_NAME_BYTES + 1);
  let at = start;
  while (at < last && IN_NAME[bytes[at]!] === 1) at += 1; // at is below the end, and there is one for every byte
  const isName = at > start && at < last && bytes[at] === EQUALS && !(bytes[start]! >= 0x30 && bytes[start]! <= 0x39);
  return isName ? at : -1;
}

/** Journal files of a systemd that is newer than this reader. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';

/** Offset of the upper byte of `incompatible_flags`, in which no feature is known. */
const OFFSET = 15;
const BIT = 0x80;

/** Makes the file at `path` one with a feature that neither this reader nor the journalctl of today knows. */
export function setUnknownFeature(path: string, isSet = true): void {
  const fd = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(fd, byte, 0, 1, OFFSET);
  writeSync(fd, Buffer.of(isSet ? byte[0]! | BIT : byte[0]! & ~BIT), 0, 1, OFFSET); // there is one byte
  closeSync(fd);
}

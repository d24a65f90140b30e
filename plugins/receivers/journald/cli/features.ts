/** The features of the journal format that a file's header names ("Journal File Format", section "Extensibility"). */
import { closeSync, openSync } from 'node:fs';
import { SIGNATURE } from '../file/format.ts';
import { readFully } from '../file/windows.ts';

const COMPATIBLE_AT = 8;
const INCOMPATIBLE_AT = 12;
const BYTES = 16;

/** By bit, the lowest first. */
const INCOMPATIBLE = ['xz', 'lz4', 'keyed', 'zstd', 'compact'] as const;
const SEALED = 1;
const UNKNOWN = 'unknown ';

/** Names of features, those that are not known by their bits; empty where the header cannot be read, or is none. */
export function readFeatures(path: string): string[] {
  const header = Buffer.alloc(BYTES);
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    return [];
  }
  try {
    if (readFully(fd, header, BYTES, 0) < BYTES || !header.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return [];
  } finally {
    closeSync(fd);
  }
  const bits = header.readUInt32LE(INCOMPATIBLE_AT);
  const names = Array.from({ length: 32 }, (_, bit) =>
    (bits >>> bit) & 1 ? (INCOMPATIBLE[bit] ?? `${UNKNOWN}${2 ** bit}`) : '',
  );
  const isSealed = (header.readUInt32LE(COMPATIBLE_AT) & SEALED) !== 0;
  return [...names.filter((name) => name !== ''), ...(isSealed ? ['sealed'] : [])];
}

/** Whether one of the features, as `readFeatures` gives them, is not known here, so that the file cannot be read. */
export function hasUnknown(features: readonly string[]): boolean {
  return features.some((feature) => feature.startsWith(UNKNOWN));
}

/**
 * Where the sequences of entries end, by the headers of the journal's files. Only the part of a header is looked at that no feature
 * changes ("Journal File Format", sections "Header" and "Extensibility"), so that this can be said of newer files as well.
 */
import { closeSync, openSync } from 'node:fs';
import { errnoOf } from '../../../../src/core/errors.ts';
import { HEADER_BYTES, parseHeader, u64 } from '../file/format.ts';
import { readFully } from '../file/windows.ts';
import type { JournalDirectories } from '../journal/directories.ts';

const SIGNATURE = 'LPKSHHRH';

/** Offsets in the header. */
const SEQNUM_ID = 72;
const TAIL_SEQNUM = 160;
const TAIL_REALTIME = 192;

/** The last entry of a file. */
export interface Tail {
  readonly seqnumId: string;
  /** 0 in a file without entries. */
  readonly seqnum: number;
  /** Microseconds. */
  readonly realtime: number;
  /** Whether the file has a feature without which it cannot be read, and that is not known here. */
  readonly isForeign: boolean;
}

export interface Tails {
  /** Of every file that can be looked at, in no order. */
  readonly tails: readonly Tail[];
  /** Why others cannot, by path, as errno; directories among them. */
  readonly problems: ReadonlyMap<string, string>;
}

/** The last entry of the file at `path`; undefined where it is no journal file, or not yet. Throws the system's error. */
export function readTail(path: string): Tail | undefined {
  const bytes = Buffer.alloc(HEADER_BYTES);
  const fd = openSync(path, 'r');
  try {
    if (readFully(fd, bytes, HEADER_BYTES, 0) < HEADER_BYTES) return undefined;
  } finally {
    closeSync(fd);
  }
  if (bytes.toString('latin1', 0, SIGNATURE.length) !== SIGNATURE) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return {
    seqnumId: bytes.toString('hex', SEQNUM_ID, SEQNUM_ID + 16),
    seqnum: u64(view, TAIL_SEQNUM),
    realtime: u64(view, TAIL_REALTIME),
    isForeign: parseHeader(bytes) === 'incompatible',
  };
}

/** What the headers of all files in the directories say. */
export function readTails(directories: JournalDirectories): Tails {
  const tails: Tail[] = [];
  const found = directories.list();
  const problems = new Map(directories.problems);
  for (const { path } of found) {
    try {
      const tail = readTail(path);
      if (tail !== undefined) tails.push(tail);
    } catch (error) {
      // One that is gone was renamed or removed since the directory was listed.
      if (errnoOf(error) !== 'ENOENT') problems.set(path, errnoOf(error) ?? String(error));
    }
  }
  return { tails, problems };
}

/**
 * The layout of journal files, as systemd's "Journal File Format" (https://systemd.io/JOURNAL_FILE_FORMAT) gives it. All numbers
 * are little-endian; offsets count from the beginning of the file; objects begin at multiples of 8.
 */

/** Bytes of the header that every revision of the format has (section "Header", the fields before `n_data`). */
export const HEADER_BYTES = 208;

/** Common to all objects (section "Objects"): type, flags, six reserved bytes, size with this header included. */
export const OBJECT_HEADER_BYTES = 16;

export const ObjectType = { data: 1, entry: 3, entryArray: 6 } as const;

/** Bits of a DATA object's flags. */
export const Compression = { xz: 1, lz4: 2, zstd: 4 } as const;

/** Offsets in an ENTRY object (section "Entry Objects"). */
export const ENTRY = { seqnum: 16, realtime: 24, monotonic: 32, bootId: 40, xorHash: 56, items: 64 } as const;

/** Offsets in a DATA object (section "Data Objects"). */
export const DATA = { entryCount: 56, payload: 64, compactPayload: 72 } as const;

/** Offsets in an ENTRY_ARRAY object (section "Entry Array Objects"). */
export const ENTRY_ARRAY = { next: 16, items: 24 } as const;

/** Bytes of one item of an ENTRY: a regular one has the hash of its DATA object behind the offset. */
export const ENTRY_ITEM_BYTES = { regular: 16, compact: 4 } as const;

/** Bytes of one item of an ENTRY_ARRAY. */
export const ARRAY_ITEM_BYTES = { regular: 8, compact: 4 } as const;

/** The longest name of a field that journald takes. */
export const MAX_NAME_BYTES = 64;

/** No item, size or time of a sound file is above what a double holds exactly. */
export const MAX_EXACT = Number.MAX_SAFE_INTEGER;

/** What every journal file begins with. */
export const SIGNATURE = Buffer.from('LPKSHHRH');
const COMPACT = 1 << 4;
/** XZ, LZ4, keyed hash, zstd and compact (section "Extensibility"). */
const KNOWN_INCOMPATIBLE = 0b11111;
const STATES = ['offline', 'online', 'archived'] as const;
/** The smallest and the largest header that makes sense; it grows with the format's revisions. */
const MAX_HEADER_BYTES = 4096;

/** What the reader needs of a file's header (section "Header"). */
export interface Header {
  /** 32 hexadecimal digits, as are the ids below; what tells a file from others under whatever name. */
  readonly fileId: string;
  /** Files with the same one share one sequence of entry numbers (section "Sequence Numbers"). */
  readonly seqnumId: string;
  readonly isCompact: boolean;
  /** `online` while a writer has it open, or died with it open. Archived files are never written to again. */
  readonly state: (typeof STATES)[number] | undefined;
  /** Offset behind the part of the file that is in use. */
  readonly end: number;
  readonly headerBytes: number;
  /** Where the last object begins; all before it is written. */
  readonly tailObjectOffset: number;
  readonly entryCount: number;
  readonly headSeqnum: number;
  readonly tailSeqnum: number;
  readonly entryArrayOffset: number;
  /** Microseconds, as is the one below; 0 in a file without entries. */
  readonly headRealtime: number;
  readonly tailRealtime: number;
}

/** Why a file cannot be read at all: not a journal, too short for its header, or with a feature that is not known here. */
export type HeaderProblem = 'signature' | 'truncated' | 'incompatible';

/** Reads the header at the beginning of `bytes`. */
export function parseHeader(bytes: Buffer): Header | HeaderProblem {
  if (bytes.length < HEADER_BYTES) return 'truncated';
  if (!bytes.subarray(0, 8).equals(SIGNATURE)) return 'signature';
  const incompatible = bytes.readUInt32LE(12);
  if ((incompatible & ~KNOWN_INCOMPATIBLE) !== 0) return 'incompatible';
  const headerBytes = readU64(bytes, 88);
  if (headerBytes < HEADER_BYTES || headerBytes > MAX_HEADER_BYTES) return 'truncated';
  return {
    fileId: bytes.toString('hex', 24, 40),
    seqnumId: bytes.toString('hex', 72, 88),
    isCompact: (incompatible & COMPACT) !== 0,
    state: STATES[bytes[16] ?? -1],
    end: Math.min(headerBytes + readU64(bytes, 96), MAX_EXACT),
    headerBytes,
    tailObjectOffset: readU64(bytes, 136),
    entryCount: readU64(bytes, 152),
    tailSeqnum: readU64(bytes, 160),
    headSeqnum: readU64(bytes, 168),
    entryArrayOffset: readU64(bytes, 176),
    headRealtime: readU64(bytes, 184),
    tailRealtime: readU64(bytes, 192),
  };
}

/** A 64-bit number; above `MAX_EXACT` it is rounded, which is enough to refuse it. */
function readU64(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at) + bytes.readUInt32LE(at + 4) * 2 ** 32;
}

/** As above, from a view, for the places where speed matters. */
export function u64(view: DataView, at: number): number {
  return view.getUint32(at, true) + view.getUint32(at + 4, true) * 2 ** 32;
}

/** The fixed parts of a segment, as `src/spool/FORMAT.md` lays them out: its header, the prefix of a frame, and file names. */
import { crc32 } from 'node:zlib';

export const FORMAT_VERSION = 1;
export const SEGMENT_HEADER_BYTES = 64;
export const PREFIX_BYTES = 40;

const SEGMENT_MAGIC = Buffer.from('SLUICESG');
const FRAME_MAGIC = Buffer.from('SLFR');
const LANE_OFFSET = 24;
const LANE_BYTES = 32;

/** Frames, and what is in them, begin at multiples of this. */
const ALIGNMENT = 8;

export interface SegmentHeader {
  readonly version: number;
  /** Repeated by every frame of the segment. */
  readonly mark: number;
  readonly firstPosition: number;
  readonly lane: string;
}

export interface FramePrefix {
  readonly position: number;
  readonly headerBytes: number;
  readonly payloadBytes: number;
  readonly records: number;
  readonly headerCrc: number;
  readonly payloadCrc: number;
}

export function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** Offset of the payload in its frame. */
export function payloadOffset({ headerBytes }: FramePrefix): number {
  return PREFIX_BYTES + aligned(headerBytes);
}

/** Bytes of a whole frame, up to where the next one begins. */
export function frameBytes(prefix: FramePrefix): number {
  return payloadOffset(prefix) + aligned(prefix.payloadBytes);
}

export function encodeSegmentHeader({ mark, firstPosition, lane }: Omit<SegmentHeader, 'version'>): Buffer {
  const bytes = Buffer.alloc(SEGMENT_HEADER_BYTES);
  SEGMENT_MAGIC.copy(bytes);
  bytes.writeUInt32LE(FORMAT_VERSION, 8);
  bytes.writeUInt32LE(mark, 12);
  writePosition(bytes, 16, firstPosition);
  bytes.write(lane, LANE_OFFSET, LANE_BYTES, 'utf8');
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
  return bytes;
}

/** What a segment's first 64 bytes say; undefined where they are damaged. */
export function decodeSegmentHeader(bytes: Buffer): SegmentHeader | undefined {
  if (bytes.length < SEGMENT_HEADER_BYTES || bytes.readUInt32LE(60) !== crc32(bytes.subarray(0, 60))) return undefined;
  if (bytes.compare(SEGMENT_MAGIC, 0, SEGMENT_MAGIC.length, 0, SEGMENT_MAGIC.length) !== 0) return undefined;
  const lane = bytes.toString('utf8', LANE_OFFSET, LANE_OFFSET + LANE_BYTES);
  return {
    version: bytes.readUInt32LE(8),
    mark: bytes.readUInt32LE(12),
    firstPosition: readPosition(bytes, 16),
    lane: lane.replace(/\0+$/, ''),
  };
}

/** Writes a prefix to the start of `into`. */
export function encodePrefix(prefix: FramePrefix, mark: number, into: Buffer): void {
  FRAME_MAGIC.copy(into);
  into.writeUInt32LE(mark, 4);
  writePosition(into, 8, prefix.position);
  into.writeUInt32LE(prefix.headerBytes, 16);
  into.writeUInt32LE(prefix.payloadBytes, 20);
  into.writeUInt32LE(prefix.records, 24);
  into.writeUInt32LE(prefix.headerCrc, 28);
  into.writeUInt32LE(prefix.payloadCrc, 32);
  into.writeUInt32LE(crc32(into.subarray(0, 36)), 36);
}

/** The prefix at `offset`, where 40 bytes are right in all they say and bear `mark` (any, where undefined); undefined otherwise. */
export function decodePrefix(bytes: Buffer, offset: number, mark: number | undefined): FramePrefix | undefined {
  if (bytes.length < offset + PREFIX_BYTES) return undefined;
  if (bytes.readUInt32LE(offset) !== FRAME_MAGIC.readUInt32LE(0)) return undefined;
  if (mark !== undefined && bytes.readUInt32LE(offset + 4) !== mark) return undefined;
  if (bytes.readUInt32LE(offset + 36) !== crc32(bytes.subarray(offset, offset + 36))) return undefined;
  return {
    position: readPosition(bytes, offset + 8),
    headerBytes: bytes.readUInt32LE(offset + 16),
    payloadBytes: bytes.readUInt32LE(offset + 20),
    records: bytes.readUInt32LE(offset + 24),
    headerCrc: bytes.readUInt32LE(offset + 28),
    payloadCrc: bytes.readUInt32LE(offset + 32),
  };
}

/** The mark of a prefix that `decodePrefix` took. */
export function markOf(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4);
}

/** Where, from `from` on, the bytes of a frame may begin; -1 where nowhere. Frames begin at multiples of 8 of `base + offset`. */
export function findMagic(bytes: Buffer, from: number, base: number): number {
  for (let at = bytes.indexOf(FRAME_MAGIC, from); at !== -1; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    if ((base + at) % ALIGNMENT === 0) return at;
  }
  return -1;
}

export function segmentName(lane: string, firstPosition: number): string {
  return `${lane}-${firstPosition.toString(16).padStart(16, '0')}.segment`;
}

/** Lane and first position of a segment's name; undefined for other names. */
export function parseSegmentName(name: string): { readonly lane: string; readonly firstPosition: number } | undefined {
  const [, lane, position] = /^(\w{1,32})-([0-9a-f]{16})\.segment$/.exec(name) ?? [];
  if (lane === undefined || position === undefined) return undefined;
  const firstPosition = Number.parseInt(position, 16);
  return Number.isSafeInteger(firstPosition) ? { lane, firstPosition } : undefined;
}

function writePosition(bytes: Buffer, offset: number, position: number): void {
  bytes.writeUInt32LE(position % 2 ** 32, offset);
  bytes.writeUInt32LE(Math.floor(position / 2 ** 32), offset + 4);
}

function readPosition(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset) + bytes.readUInt32LE(offset + 4) * 2 ** 32;
}

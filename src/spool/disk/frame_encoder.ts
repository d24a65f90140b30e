/** Batch to frame. */
import { crc32 } from 'node:zlib';
import type { Batch, Columns } from '../../core/batch.ts';
import { columnBytes, columnsAt } from './frame_columns.ts';
import { encodeHeader, type FrameHeader } from './frame_header.ts';
import { aligned, encodePrefix, frameBytes, PREFIX_BYTES } from './layout.ts';
import type { StoredBatch } from './types.ts';

/** An arena of which less than this share is in use is copied together. */
const COMPACT_BELOW_SHARE = 0.5;

const ZEROS = Buffer.alloc(8);

export interface EncodedFrame {
  /** To be written one behind the other; the arena's bytes among them are the batch's own, not a copy. */
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

/** The part of an arena that a batch uses. */
interface Span {
  readonly start: number;
  readonly end: number;
  /** Sum of the ranges; what they share counts for each. */
  readonly used: number;
}

export class FrameEncoder {
  /** Id in the frame by id in the batch's table, 0 where it has none yet; all 0 between calls. */
  #frameIds = new Uint32Array(256);

  /** A frame of the segment with this mark. The batch must not change until the pieces are written. */
  encode({ position, batch }: StoredBatch, mark: number): EncodedFrame {
    const { count, columns } = batch;
    const span = spanOf(columns, count);
    const isSparse = span.used < (span.end - span.start) * COMPACT_BELOW_SHARE;
    const arenaBytes = isSparse ? span.used : span.end - span.start;

    const services = this.#numberServices(batch);
    const header = encodeHeader(headerOf(batch, services, arenaBytes));
    const columnsStart = PREFIX_BYTES + aligned(header.length);
    const front = Buffer.allocUnsafe(columnsStart + columnBytes(count));
    front.fill(0, PREFIX_BYTES + header.length, columnsStart);
    header.copy(front, PREFIX_BYTES);

    const target = columnsAt(front.buffer, front.byteOffset + columnsStart, count);
    copyColumns(columns, target, count);
    for (let at = 0; at < count; at++) target.service[at] = this.#frameIds[columns.service[at]!]!; // numbered above
    this.#forgetServices(batch);
    const arena = isSparse ? compact(batch, target, arenaBytes) : batch.arena.subarray(span.start, span.end);
    if (!isSparse) rebase(target, columns, count, span.start);

    const payloadCrc = crc32(arena, crc32(front.subarray(columnsStart)));
    const payloadBytes = columnBytes(count) + arenaBytes;
    const prefix = {
      position,
      headerBytes: header.length,
      payloadBytes,
      records: count,
      headerCrc: crc32(header),
      payloadCrc,
    };
    encodePrefix(prefix, mark, front);
    const padding = ZEROS.subarray(0, aligned(payloadBytes) - payloadBytes);
    return { pieces: [front, arena, padding].filter(({ length }) => length > 0), bytes: frameBytes(prefix) };
  }

  /** Gives the services in use numbers from 1 on, in the order in which they are met, and returns their names, each once, in that order. */
  #numberServices({ columns, count, services }: Batch): string[] {
    if (this.#frameIds.length < services.size) this.#frameIds = new Uint32Array(services.size * 2);
    const idByName = new Map<string, number>();
    for (let at = 0; at < count; at++) {
      const id = columns.service[at]!; // at is below count, here and below
      if (id === 0 || this.#frameIds[id] !== 0) continue;
      // Different bytes that are not UTF-8 can have the same name.
      const name = services.name(id);
      const frameId = idByName.get(name) ?? idByName.size + 1;
      idByName.set(name, frameId);
      this.#frameIds[id] = frameId;
    }
    return [...idByName.keys()];
  }

  #forgetServices({ columns, count }: Batch): void {
    for (let at = 0; at < count; at++) this.#frameIds[columns.service[at]!] = 0;
  }
}

function headerOf(batch: Batch, services: readonly string[], arena: number): FrameHeader {
  const { receiver, format, epoch, columns, resource, destination, onlyFor, isKept } = batch;
  return {
    receiver,
    format,
    sequence: columns.sequence[0] ?? 0,
    services,
    resource: resource.attributes,
    arena,
    ...(epoch === undefined ? {} : { epoch }),
    ...(destination === undefined ? {} : { destination }),
    ...(onlyFor === undefined ? {} : { onlyFor }),
    ...(isKept ? {} : { isKept }),
  };
}

function spanOf({ bodyStart, bodyEnd, fieldsStart, fieldsEnd }: Columns, count: number): Span {
  let start = Infinity;
  let end = 0;
  let used = 0;
  const include = (from: number, to: number): void => {
    if (from === to) return;
    if (from < start) start = from;
    if (to > end) end = to;
    used += to - from;
  };
  for (let at = 0; at < count; at++) {
    include(bodyStart[at]!, bodyEnd[at]!); // at is below count
    include(fieldsStart[at]!, fieldsEnd[at]!);
  }
  return { start: Math.min(start, end), end, used };
}

/** All columns but the service and the ranges, which change on the way. */
function copyColumns(from: Columns, to: Columns, count: number): void {
  to.time.set(from.time.subarray(0, count));
  to.sequence.set(from.sequence.subarray(0, count));
  to.severity.set(from.severity.subarray(0, count));
  to.kind.set(from.kind.subarray(0, count));
  to.flags.set(from.flags.subarray(0, count));
}

/** Ranges as they are in an arena that begins at `start`; empty ones lie at its beginning. */
function rebase(to: Columns, from: Columns, count: number, start: number): void {
  for (const [first, last] of RANGES) {
    const starts = from[first];
    const ends = from[last];
    const newStarts = to[first];
    const newEnds = to[last];
    for (let at = 0; at < count; at++) {
      const rangeStart = starts[at]!; // at is below count
      const rangeEnd = ends[at]!;
      const base = rangeStart === rangeEnd ? rangeStart : start;
      newStarts[at] = rangeStart - base;
      newEnds[at] = rangeEnd - base;
    }
  }
}

const RANGES = [
  ['bodyStart', 'bodyEnd'],
  ['fieldsStart', 'fieldsEnd'],
] as const;

/** Copies the ranges into an arena of their own, record by record. */
function compact({ columns, count, arena }: Batch, to: Columns, bytes: number): Buffer {
  const target = Buffer.allocUnsafe(bytes);
  let used = 0;
  for (let at = 0; at < count; at++) {
    for (const [first, last] of RANGES) {
      to[first][at] = used;
      used += arena.copy(target, used, columns[first][at], columns[last][at]);
      to[last][at] = used;
    }
  }
  return target;
}

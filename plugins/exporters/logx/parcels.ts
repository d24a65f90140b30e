/** How a delivery is divided for sending. */
import type { DeadLetterReason, Delivery } from '../../../src/core/component.ts';
import type { EncodedLines } from './encoded_lines.ts';
import { divideLines, selectLines } from './line_parts.ts';
import type { Terms } from './terms.ts';

/** Records of a delivery that follow each other. */
export interface Range {
  /** Index in the delivery. */
  readonly first: number;
  readonly count: number;
}

/** The indexes of a range. */
export function indexesOf({ first, count }: Range): number[] {
  return Array.from({ length: count }, (_, at) => first + at);
}

export interface Refused {
  /** Indexes in the delivery. */
  readonly records: readonly number[];
  readonly reason: DeadLetterReason;
  readonly detail: string;
  /** How often they were sent. */
  readonly attempts: number;
}

/** What goes into one frame. Most deliveries are one; what is larger than a receiver takes is several. */
export interface Parcel {
  readonly delivery: Delivery;
  /** Whether all that was to be sent of the delivery is settled with this one. */
  readonly isLast: boolean;
  /** Index in the delivery of its first record. */
  readonly first: number;
  /** 0 where nothing is sent, and only `refused` is to be settled in its turn. */
  readonly records: number;
  readonly lines: Buffer;
  /** What is sent in place of the lines; undefined where they are sent as they are. */
  readonly compressed: Buffer | undefined;
  /** How often its records will have been sent with this time. */
  readonly attempts: number;
  /** What the receiver will not have of it, or could not be sent at all; grows until it is settled. */
  readonly refused: Refused[];
}

const NO_LINES = Buffer.alloc(0);

/** Nothing to send: `refused` is to be settled once everything before it is. */
export function emptyParcel(delivery: Delivery, refused: Refused): Parcel {
  return {
    delivery,
    isLast: true,
    first: 0,
    records: 0,
    lines: NO_LINES,
    compressed: undefined,
    attempts: 0,
    refused: [refused],
  };
}

/** The parcels for `range` of a delivery, whose lines are `encoded`; the last one is marked as such. */
export function parcelsOf(delivery: Delivery, encoded: EncodedLines, range: Range, attempts: number, terms: Terms): Parcel[] {
  const { receiver, maxFrameBytes, compression } = terms;
  const isWhole = range.count === delivery.batch.count;
  const selected = isWhole ? encoded.bytes : selectLines(encoded.bytes, range.first, range.count);
  const parcel = (lines: Buffer, first: number, records: number, isLast: boolean): Parcel => {
    const compressed = compression === undefined ? undefined : encoded.compress(lines);
    return { delivery, isLast, first, records, lines, compressed, attempts, refused: [] };
  };
  if (selected.length <= maxFrameBytes) return [parcel(selected, range.first, range.count, true)];
  const { parts, tooLong } = divideLines(selected, maxFrameBytes);
  const parcels = parts.map(({ bytes, first, records }, at) => {
    return parcel(bytes, range.first + first, records, at === parts.length - 1 && tooLong.length === 0);
  });
  if (tooLong.length === 0) return parcels;
  const records = tooLong.map((index) => range.first + index);
  const detail = `longer than the ${maxFrameBytes} bytes that ${receiver} takes in a frame`;
  return [...parcels, emptyParcel(delivery, { records, reason: 'too_large', detail, attempts: 0 })];
}

/** How a delivery is divided for sending. */
import type { DeadLetterReason, Delivery } from '../../../src/core/component.ts';
import { divideLines, selectLines } from './line_parts.ts';

/** Records of a delivery that follow each other. */
export interface Range {
  /** Index in the delivery. */
  readonly first: number;
  readonly count: number;
}

export interface Refused {
  /** Indexes in the delivery. */
  readonly records: readonly number[];
  readonly reason: DeadLetterReason;
  readonly detail: string;
  /** How often they were sent. */
  readonly attempts: number;
}

/** What goes into one frame. Most deliveries are one; what is larger than a receiver takes, or has been sent in part, is several. */
export interface Parcel {
  readonly delivery: Delivery;
  /** Whether all that was to be sent of the delivery is settled with this one. */
  readonly isLast: boolean;
  /** Index in the delivery of its first record. */
  readonly first: number;
  /** 0 where nothing is sent, and only `refused` is to be settled in its turn. */
  readonly records: number;
  readonly lines: Buffer;
  /** How often its records will have been sent with this time. */
  readonly attempts: number;
  /** What the receiver will not have of it, or could not be sent at all; grows until it is settled. */
  readonly refused: Refused[];
}

const NO_LINES = Buffer.alloc(0);

/** Nothing to send: `refused` is to be settled once everything before it is. */
export function emptyParcel(delivery: Delivery, refused: readonly Refused[]): Parcel {
  return { delivery, isLast: true, first: 0, records: 0, lines: NO_LINES, attempts: 0, refused: [...refused] };
}

/**
 * The parcels for `ranges` of a delivery, whose lines are `lines`; the last one is marked as such. `refused` is to be settled with them,
 * and so is what is longer than a frame may be.
 */
export function parcelsOf(
  delivery: Delivery,
  lines: Buffer,
  ranges: readonly Range[],
  refused: readonly Refused[],
  attempts: number,
  maxFrameBytes: number,
): Parcel[] {
  const parcels: Parcel[] = [];
  const tooLong: number[] = [];
  for (const { first: start, count } of ranges) {
    const selected = count === delivery.batch.count ? lines : selectLines(lines, start, count);
    const isOne = selected.length <= maxFrameBytes;
    const divided = isOne
      ? { parts: [{ bytes: selected, first: 0, records: count }], tooLong: [] }
      : divideLines(selected, maxFrameBytes);
    for (const { bytes, first, records } of divided.parts)
      parcels.push({ delivery, isLast: false, first: start + first, records, lines: bytes, attempts, refused: [] });
    tooLong.push(...divided.tooLong.map((index) => start + index));
  }
  const detail = `longer than the ${maxFrameBytes} bytes that the receiver takes in a frame`;
  const unsent = [...refused];
  if (tooLong.length > 0) unsent.push({ records: tooLong, reason: 'too_large', detail, attempts: 0 });
  const last = parcels.at(-1);
  if (last === undefined || unsent.length > 0) return [...parcels, emptyParcel(delivery, unsent)];
  parcels[parcels.length - 1] = { ...last, isLast: true };
  return parcels;
}

/**
 * Encoded frames of batches that are being sent. Two destinations that are both served directly get the same bytes, so these are
 * made once and kept until the last of them has its ack; a destination that lags so far behind that nobody holds the frame any
 * more has it encoded again, instead of everything between them being kept twice.
 */
import type { Delivery } from '../../../src/core/component.ts';
import { ByteWriter } from '../../../src/kit/byte_writer.ts';
import { Cfjs1Encoder } from '../../../src/kit/cfjs1_encoder.ts';
import { beginFrame, endFrame } from '../../../src/kit/frames.ts';

/** Writers that wait to be reused, and the size from which one is rather given back. */
const MAX_POOLED = 32;
const MAX_POOLED_BYTES = 2 * 1024 * 1024;

export interface EncodedFrame {
  /** A whole frame; from `linesAt` on the lines alone, for peers that know nothing else. Valid until released. */
  readonly bytes: Buffer;
  readonly linesAt: number;
}

interface Held extends EncodedFrame {
  readonly writer: ByteWriter;
  holders: number;
}

export class FrameCache {
  readonly #encoder = new Cfjs1Encoder();
  readonly #held = new Map<string, Held>();
  readonly #pool: ByteWriter[] = [];

  /** The frame of a delivery, marked for `destination` where one is given. Each call is to be paired with one `release`. */
  acquire(delivery: Delivery, destination: string | undefined): EncodedFrame {
    const key = keyOf(delivery.position, destination);
    const known = this.#held.get(key);
    if (known !== undefined) {
      known.holders += 1;
      return known;
    }
    const writer = this.#pool.pop() ?? new ByteWriter(64 * 1024);
    writer.length = 0;
    const start = beginFrame(writer, { type: 'batch', id: delivery.position, count: delivery.batch.count });
    const linesAt = writer.length;
    this.#encoder.encode(delivery.batch, writer, destination);
    endFrame(writer, start);
    const held: Held = { bytes: writer.written(), linesAt, writer, holders: 1 };
    this.#held.set(key, held);
    return held;
  }

  release(position: number, destination: string | undefined): void {
    const key = keyOf(position, destination);
    const held = this.#held.get(key);
    if (held === undefined) throw new Error(`the frame of position ${position} was released more often than acquired`);
    held.holders -= 1;
    if (held.holders > 0) return;
    this.#held.delete(key);
    if (this.#pool.length < MAX_POOLED && held.writer.bytes.length <= MAX_POOLED_BYTES) this.#pool.push(held.writer);
  }
}

function keyOf(position: number, destination: string | undefined): string {
  return destination === undefined ? `${position}` : `${position} ${destination}`;
}

/**
 * Encoded lines of batches that are being sent. Two destinations that are both served directly get the same bytes, so these are
 * made once, compressed at most once, and kept until the last of them has its ack; a destination that lags so far behind that nobody holds the lines any
 * more has them encoded again, instead of everything between them being kept twice.
 */
import type { Delivery } from '../../../src/core/component.ts';
import { ByteWriter } from '../../../src/kit/byte_writer.ts';
import { Cfjs1Encoder } from '../../../src/kit/cfjs1_encoder.ts';
import { EncodedLines } from './encoded_lines.ts';

/** Writers that wait to be reused, and the size from which one is rather given back. */
const MAX_POOLED = 32;
const MAX_POOLED_BYTES = 2 * 1024 * 1024;

interface Held {
  readonly lines: EncodedLines;
  readonly writer: ByteWriter;
  holders: number;
}

export class LineCache {
  readonly #encoder = new Cfjs1Encoder();
  readonly #held = new Map<string, Held>();
  readonly #pool: ByteWriter[] = [];

  /** Batches whose lines somebody holds. */
  get size(): number {
    return this.#held.size;
  }

  /**
   * The lines of a delivery, marked for `destination` where one is given. Each call is to be paired with one `release`, up to which
   * the bytes stay as they are.
   */
  acquire(delivery: Delivery, destination: string | undefined): EncodedLines {
    const key = keyOf(delivery, destination);
    const known = this.#held.get(key);
    if (known !== undefined) {
      known.holders += 1;
      return known.lines;
    }
    const writer = this.#pool.pop() ?? new ByteWriter(64 * 1024);
    writer.length = 0;
    this.#encoder.encode(delivery.batch, writer, destination);
    const lines = new EncodedLines(writer.written());
    this.#held.set(key, { lines, writer, holders: 1 });
    return lines;
  }

  release(delivery: Delivery, destination: string | undefined): void {
    const key = keyOf(delivery, destination);
    const held = this.#held.get(key);
    if (held === undefined) throw new Error(`the lines of position ${key} were released more often than acquired`);
    held.holders -= 1;
    if (held.holders > 0) return;
    this.#held.delete(key);
    if (this.#pool.length < MAX_POOLED && held.writer.bytes.length <= MAX_POOLED_BYTES) this.#pool.push(held.writer);
  }
}

function keyOf({ position }: Delivery, destination: string | undefined): string {
  return destination === undefined ? `${position}` : `${position} ${destination}`;
}

/**
 * Reads DATA objects ("Journal File Format", section "Data Objects"): one `NAME=value` each, shared by all entries that have it,
 * compressed where that pays. Values are cut at a bound, so that no object takes more memory than that.
 */
import { decompress, MAX_DECOMPRESSED_BYTES } from './decompress.ts';
import { Compression, DATA, MAX_NAME_BYTES, OBJECT_HEADER_BYTES, ObjectType, u64 } from './format.ts';
import type { Damage } from './journal_file.ts';
import type { Windows } from './windows.ts';

/**
 * What the objects of one entry may become together, and what one counts for that became nothing. Few bytes make many, so that an
 * entry of 2,000 of them could keep the reader busy for a minute.
 */
const MAX_DECOMPRESSED_PER_ENTRY = 4 * MAX_DECOMPRESSED_BYTES;
const BYTES_OF_FAILED = 1024 * 1024;

const ANY_COMPRESSION = Compression.xz | Compression.lz4 | Compression.zstd;

export class DataReader {
  readonly #payloadAt: number;
  readonly #maxPayloadBytes: number;
  readonly #onDamage: Damage;
  /** What may still become of compressed objects of the entry. */
  #budget = MAX_DECOMPRESSED_PER_ENTRY;
  /** The members below are of the object that `read` saw last. `NAME=value` is at `start` of `bytes`, until the next read. */
  bytes: Buffer = Buffer.alloc(0);
  start = 0;
  /** Behind the last byte that was read, which is not the value's last where that is longer than the bound. */
  end = 0;
  /** Length of name and value together, read or not. */
  length = 0;
  /** True where other entries, or this one again, refer to the object too, as far as is known by now. */
  isShared = false;

  /** `maxValueBytes` is how much of a value is needed; one byte more is read, which shows that there is more. */
  constructor(isCompact: boolean, maxValueBytes: number, onDamage: Damage) {
    this.#payloadAt = isCompact ? DATA.compactPayload : DATA.payload;
    this.#maxPayloadBytes = MAX_NAME_BYTES + 1 + maxValueBytes + 1;
    this.#onDamage = onDamage;
  }

  /** What compressed objects of the entry took to decompress, in bytes. */
  get decompressedBytes(): number {
    return MAX_DECOMPRESSED_PER_ENTRY - this.#budget;
  }

  /** Says that the objects to be read now are of another entry. */
  beginEntry(): void {
    this.#budget = MAX_DECOMPRESSED_PER_ENTRY;
  }

  /** Reads the object at `offset`. False where it cannot be, which has been counted. */
  read(windows: Windows, offset: number): boolean {
    this.isShared = false;
    const at = windows.find(offset, this.#payloadAt);
    if (at < 0 || windows.bytes[at] !== ObjectType.data) return this.#damaged('data');
    const length = u64(windows.view, at + OBJECT_HEADER_BYTES - 8) - this.#payloadAt;
    if (!(length > 0)) return this.#damaged('data');
    this.isShared = windows.view.getUint32(at + DATA.entryCount, true) > 1;
    const compression = windows.bytes[at + 1]! & ANY_COMPRESSION; // the object's header is in the window
    if (compression !== 0) return this.#decompress(windows, offset, length, compression);
    const wanted = Math.min(length, this.#maxPayloadBytes);
    const start = windows.find(offset, this.#payloadAt + wanted);
    if (start < 0) return this.#damaged('data');
    this.bytes = windows.bytes;
    this.start = start + this.#payloadAt;
    this.end = this.start + wanted;
    this.length = length;
    return true;
  }

  #decompress(windows: Windows, offset: number, length: number, compression: number): boolean {
    if (length > MAX_DECOMPRESSED_BYTES || this.#budget <= 0) return this.#damaged('too_large');
    const at = windows.find(offset, this.#payloadAt + length);
    if (at < 0) return this.#damaged('data');
    const payload = windows.bytes.subarray(at + this.#payloadAt, at + this.#payloadAt + length);
    const value = decompress(payload, compression);
    if (typeof value === 'string') {
      this.#budget -= BYTES_OF_FAILED;
      return this.#damaged(value);
    }
    this.#budget -= value.length;
    this.start = 0;
    this.length = value.length;
    this.end = Math.min(this.length, this.#maxPayloadBytes);
    // What is not needed of a large value is not kept until the next one.
    this.bytes = this.end < this.length ? Buffer.from(value.subarray(0, this.end)) : value;
    return true;
  }

  #damaged(reason: string): false {
    this.#onDamage(reason);
    return false;
  }
}

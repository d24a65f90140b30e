/**
 * Writes small journal files for tests, with every offset in the test's hands: what the reader looks at is as journald writes it, and
 * what it does not (hash tables, hashes, FIELD objects) is left out. Real journals are in the differential test.
 */
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { zstdCompressSync } from 'node:zlib';

export interface FieldSpec {
  readonly name: string;
  readonly value: string | Uint8Array;
  /** `lz4` and `xz` only set the flag. Default: not compressed. */
  readonly compression?: 'zstd' | 'lz4' | 'xz';
}

export interface EntrySpec {
  /** Default: one more than the entry before. */
  readonly seqnum?: number;
  /** Microseconds; default a second more than the entry before. */
  readonly realtime?: number;
  readonly monotonic?: number;
  readonly bootId?: string;
  readonly fields: readonly (FieldSpec | string)[];
}

export interface WriterOptions {
  readonly isCompact?: boolean;
  /** 32 hexadecimal digits, as is the next. */
  readonly seqnumId?: string;
  readonly fileId?: string;
  /** Default 1. */
  readonly firstSeqnum?: number;
  /** Default 2023-11-14T22:13:20Z, in microseconds. */
  readonly firstRealtime?: number;
}

const HEADER_BYTES = 272;
const FLAGS = { xz: 1, lz4: 2, zstd: 4 } as const;
const STATE = { offline: 0, online: 1, archived: 2 } as const;
const DEFAULT_BOOT_ID = 'b0'.repeat(16);

let files = 0;

export class JournalWriter {
  readonly #isCompact: boolean;
  readonly #chunks: Buffer[] = [];
  #end = HEADER_BYTES;
  readonly #dataAt = new Map<string, number>();
  readonly #arrays: { readonly offset: number; readonly capacity: number; used: number }[] = [];
  #tailAt = 0;
  #count = 0;
  #seqnum: number;
  #realtime: number;
  #headSeqnum = 0;
  #headRealtime = 0;
  readonly seqnumId: string;
  readonly fileId: string;
  state: keyof typeof STATE = 'online';
  /** Offsets of all objects written, by kind. */
  readonly offsets: { readonly data: number[]; readonly entries: number[]; readonly arrays: number[] } = {
    data: [],
    entries: [],
    arrays: [],
  };

  constructor(options: WriterOptions = {}) {
    this.#isCompact = options.isCompact ?? true;
    this.seqnumId = options.seqnumId ?? '5e'.repeat(16);
    this.fileId = options.fileId ?? (files += 1).toString(16).padStart(32, 'f');
    this.#seqnum = (options.firstSeqnum ?? 1) - 1;
    this.#realtime = options.firstRealtime ?? 1_700_000_000_000_000;
  }

  /** Number of the entry that was appended last. */
  get seqnum(): number {
    return this.#seqnum;
  }

  append(...entries: readonly (EntrySpec | string)[]): this {
    for (const entry of entries) this.#append(typeof entry === 'string' ? { fields: [`MESSAGE=${entry}`] } : entry);
    return this;
  }

  /** The whole file. */
  bytes(): Buffer {
    return Buffer.concat([this.#header(), ...this.#chunks]);
  }

  /** Writes the file, or what was appended to it: as journald does, all else before the header that publishes it. */
  save(path: string): void {
    const fd = openSync(path, 'a+');
    closeSync(fd);
    const writable = openSync(path, 'r+');
    const bytes = this.bytes();
    writeSync(writable, bytes, HEADER_BYTES, bytes.length - HEADER_BYTES, HEADER_BYTES);
    writeSync(writable, bytes, 0, HEADER_BYTES, 0);
    closeSync(writable);
  }

  /** Does what journald does when it rotates: renames the file, and marks it as archived. */
  archive(path: string, archivedPath: string): void {
    renameSync(path, archivedPath);
    this.state = 'archived';
    this.save(archivedPath);
  }

  #append(entry: EntrySpec): void {
    this.#seqnum = entry.seqnum ?? this.#seqnum + 1;
    this.#realtime = entry.realtime ?? this.#realtime + (this.#count === 0 ? 0 : 1_000_000);
    const items = entry.fields.map((field) => this.#data(typeof field === 'string' ? parseField(field) : field));
    const itemBytes = this.#isCompact ? 4 : 16;
    const object = objectOf(3, 64 + items.length * itemBytes);
    object.writeBigUInt64LE(BigInt(this.#seqnum), 16);
    object.writeBigUInt64LE(BigInt(this.#realtime), 24);
    object.writeBigUInt64LE(BigInt(entry.monotonic ?? this.#seqnum * 1000), 32);
    object.write(entry.bootId ?? DEFAULT_BOOT_ID, 40, 'hex');
    for (const [index, offset] of items.toSorted((a, b) => a - b).entries()) {
      if (this.#isCompact) object.writeUInt32LE(offset, 64 + index * 4);
      else object.writeBigUInt64LE(BigInt(offset), 64 + index * 16);
    }
    const offset = this.#add(object);
    this.offsets.entries.push(offset);
    this.#list(offset);
    if (this.#count === 0) [this.#headSeqnum, this.#headRealtime] = [this.#seqnum, this.#realtime];
    this.#count += 1;
  }

  #data({ name, value, compression }: FieldSpec): number {
    const payload = Buffer.concat([Buffer.from(`${name}=`), Buffer.from(value)]);
    const key = payload.toString('latin1');
    const known = this.#dataAt.get(key);
    if (known !== undefined) {
      const object = this.#at(known);
      object.writeBigUInt64LE(object.readBigUInt64LE(56) + 1n, 56);
      return known;
    }
    const stored = compression === 'zstd' ? zstdCompressSync(payload) : payload;
    const payloadAt = this.#isCompact ? 72 : 64;
    const object = objectOf(1, payloadAt + stored.length);
    object[1] = compression === undefined ? 0 : FLAGS[compression];
    object.writeBigUInt64LE(1n, 56);
    stored.copy(object, payloadAt);
    const offset = this.#add(object);
    this.offsets.data.push(offset);
    this.#dataAt.set(key, offset);
    return offset;
  }

  #list(entry: number): void {
    const itemBytes = this.#isCompact ? 4 : 8;
    let array = this.#arrays.at(-1);
    if (array === undefined || array.used === array.capacity) {
      const capacity = array === undefined ? 4 : array.capacity * 2;
      const offset = this.#add(objectOf(6, 24 + capacity * itemBytes));
      this.offsets.arrays.push(offset);
      if (array !== undefined) this.#at(array.offset).writeBigUInt64LE(BigInt(offset), 16);
      array = { offset, capacity, used: 0 };
      this.#arrays.push(array);
    }
    const slot = 24 + array.used * itemBytes;
    if (this.#isCompact) this.#at(array.offset).writeUInt32LE(entry, slot);
    else this.#at(array.offset).writeBigUInt64LE(BigInt(entry), slot);
    array.used += 1;
  }

  #add(object: Buffer): number {
    const offset = this.#end;
    this.#chunks.push(object);
    this.#tailAt = offset;
    this.#end += object.length;
    return offset;
  }

  #at(offset: number): Buffer {
    let at = HEADER_BYTES;
    for (const chunk of this.#chunks) {
      if (at === offset) return chunk;
      at += chunk.length;
    }
    throw new RangeError(`there is no object at ${offset}`);
  }

  #header(): Buffer {
    const header = Buffer.alloc(HEADER_BYTES);
    header.write('LPKSHHRH');
    header.writeUInt32LE(0b1111 | (this.#isCompact ? 1 << 4 : 0), 12);
    header[16] = STATE[this.state];
    header.write(this.fileId, 24, 'hex');
    header.write(this.seqnumId, 72, 'hex');
    const numbers: readonly (readonly [number, number])[] = [
      [88, HEADER_BYTES],
      [96, this.#end - HEADER_BYTES],
      [136, this.#tailAt],
      [152, this.#count],
      [160, this.#count === 0 ? 0 : this.#seqnum],
      [168, this.#headSeqnum],
      [176, this.#arrays[0]?.offset ?? 0],
      [184, this.#headRealtime],
      [192, this.#count === 0 ? 0 : this.#realtime],
    ];
    for (const [at, value] of numbers) header.writeBigUInt64LE(BigInt(value), at);
    return header;
  }
}

/** An object of `size` bytes, padded to a multiple of 8. */
function objectOf(type: number, size: number): Buffer {
  const object = Buffer.alloc(Math.ceil(size / 8) * 8);
  object[0] = type;
  object.writeBigUInt64LE(BigInt(size), 8);
  return object;
}

function parseField(text: string): FieldSpec {
  const equals = text.indexOf('=');
  return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/**
 * Writes small journal files for tests, with every offset in the test's hands. What a reader looks at is as journald writes it, so that
 * journalctl reads these files too; hashes of values are zero, and the chains behind them (of hash tables, FIELD objects) are left out.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { compressed, type WritableCompression } from './compressed.ts';

export interface FieldSpec {
  readonly name: string;
  readonly value: string | Uint8Array;
  /** Default: not compressed. */
  readonly compression?: WritableCompression;
  /** What the object has in place of the (compressed) `NAME=value`. */
  readonly stored?: Uint8Array;
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
  /** Of the revisions of the format: 208 (the first), 224, 240, 256, 264 or 272 (that of systemd 254, the default). */
  readonly headerBytes?: number;
  /** Whether every entry is followed by a TAG object, and the header says that the file is sealed. */
  readonly isSealed?: boolean;
}

/** Numbers that the header gets in place of those that are true. */
export interface HeaderOverrides {
  readonly compatible?: number;
  readonly entryCount?: bigint;
  readonly arenaBytes?: bigint;
  readonly tailObjectOffset?: bigint;
}

const NEWEST_HEADER_BYTES = 272;
const FLAGS = { xz: 1, lz4: 2, zstd: 4 } as const;
const STATE = { offline: 0, online: 1, archived: 2 } as const;
const SEALED = 1;
const OBJECT = { data: 1, entry: 3, dataHashTable: 4, fieldHashTable: 5, entryArray: 6, tag: 7 } as const;
const HASH_TABLE_BYTES = 16 + 4 * 16;
const TAG_BYTES = 16 + 8 + 8 + 32;
const DEFAULT_BOOT_ID = 'b0'.repeat(16);

let files = 0;

export class JournalWriter {
  readonly #isCompact: boolean;
  readonly #isSealed: boolean;
  readonly #headerBytes: number;
  readonly #chunks: Buffer[] = [];
  readonly #byOffset = new Map<number, Buffer>();
  #end: number;
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
  header: HeaderOverrides = {};
  /** Offsets of all objects written, by kind. */
  readonly offsets: Readonly<Record<'hashTables' | 'data' | 'entries' | 'arrays' | 'tags', number[]>> = {
    hashTables: [],
    data: [],
    entries: [],
    arrays: [],
    tags: [],
  };

  constructor(options: WriterOptions = {}) {
    this.#isCompact = options.isCompact ?? true;
    this.#isSealed = options.isSealed ?? false;
    this.#headerBytes = options.headerBytes ?? NEWEST_HEADER_BYTES;
    this.#end = this.#headerBytes;
    this.seqnumId = options.seqnumId ?? '5e'.repeat(16);
    this.fileId = options.fileId ?? (files += 1).toString(16).padStart(8, '0').padStart(32, 'f');
    this.#seqnum = (options.firstSeqnum ?? 1) - 1;
    this.#realtime = options.firstRealtime ?? 1_700_000_000_000_000;
    for (const type of [OBJECT.fieldHashTable, OBJECT.dataHashTable]) {
      this.offsets.hashTables.push(this.#add(objectOf(type, HASH_TABLE_BYTES)));
    }
  }

  /** Number of the entry that was appended last. */
  get seqnum(): number {
    return this.#seqnum;
  }

  append(...entries: readonly (EntrySpec | string)[]): this {
    for (const entry of entries) this.#append(typeof entry === 'string' ? { fields: [`MESSAGE=${entry}`] } : entry);
    return this;
  }

  /** Adds an object of any type, which nothing refers to. */
  addObject(type: number, size: number): number {
    return this.#add(objectOf(type, size));
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
    writeSync(writable, bytes, this.#headerBytes, bytes.length - this.#headerBytes, this.#headerBytes);
    writeSync(writable, bytes, 0, this.#headerBytes, 0);
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
    const object = objectOf(OBJECT.entry, 64 + items.length * itemBytes);
    object.writeBigUInt64LE(BigInt(this.#seqnum), 16);
    object.writeBigUInt64LE(BigInt(this.#realtime), 24);
    object.writeBigUInt64LE(BigInt(entry.monotonic ?? this.#seqnum * 1000), 32);
    object.write(entry.bootId ?? DEFAULT_BOOT_ID, 40, 'hex');
    object.writeBigUInt64LE(hashOf(entry), 56);
    for (const [index, offset] of items.toSorted((a, b) => a - b).entries()) {
      if (this.#isCompact) object.writeUInt32LE(offset, 64 + index * 4);
      else object.writeBigUInt64LE(BigInt(offset), 64 + index * 16);
    }
    const offset = this.#add(object);
    this.offsets.entries.push(offset);
    for (const item of items) {
      const data = this.#at(item);
      if (data.readBigUInt64LE(40) === 0n) data.writeBigUInt64LE(BigInt(offset), 40);
    }
    this.#list(offset);
    if (this.#count === 0) [this.#headSeqnum, this.#headRealtime] = [this.#seqnum, this.#realtime];
    this.#count += 1;
    if (this.#isSealed) this.#tag();
  }

  #data({ name, value, compression, stored }: FieldSpec): number {
    const payload = Buffer.concat([Buffer.from(`${name}=`), Buffer.from(value)]);
    const key = payload.toString('latin1');
    const known = this.#dataAt.get(key);
    if (known !== undefined) {
      const object = this.#at(known);
      object.writeBigUInt64LE(object.readBigUInt64LE(56) + 1n, 56);
      return known;
    }
    const content = stored ?? (compression === undefined ? payload : compressed(payload, compression));
    const payloadAt = this.#isCompact ? 72 : 64;
    const object = objectOf(OBJECT.data, payloadAt + content.length);
    object[1] = compression === undefined ? 0 : FLAGS[compression];
    object.writeBigUInt64LE(1n, 56);
    object.set(content, payloadAt);
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
      const offset = this.#add(objectOf(OBJECT.entryArray, 24 + capacity * itemBytes));
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

  #tag(): void {
    const tag = objectOf(OBJECT.tag, TAG_BYTES);
    tag.writeBigUInt64LE(BigInt(this.offsets.tags.length + 1), 16);
    tag.fill(0xa5, 32);
    this.offsets.tags.push(this.#add(tag));
  }

  #add(object: Buffer): number {
    const offset = this.#end;
    this.#chunks.push(object);
    this.#byOffset.set(offset, object);
    this.#tailAt = offset;
    this.#end += object.length;
    return offset;
  }

  #at(offset: number): Buffer {
    const object = this.#byOffset.get(offset);
    if (object === undefined) throw new RangeError(`there is no object at ${offset}`);
    return object;
  }

  #header(): Buffer {
    const header = Buffer.alloc(NEWEST_HEADER_BYTES);
    header.write('LPKSHHRH');
    header.writeUInt32LE(this.header.compatible ?? (this.#isSealed ? SEALED : 0), 8);
    header.writeUInt32LE(0b1111 | (this.#isCompact ? 1 << 4 : 0), 12);
    header[16] = STATE[this.state];
    header.write(this.fileId, 24, 'hex');
    header.write(this.seqnumId, 72, 'hex');
    const { hashTables, data, entries, arrays, tags } = this.offsets;
    const [fieldHashTable = 0, dataHashTable = 0] = hashTables;
    const numbers: readonly (readonly [number, number | bigint])[] = [
      [88, this.#headerBytes],
      [96, this.header.arenaBytes ?? this.#end - this.#headerBytes],
      [104, dataHashTable + 16],
      [112, HASH_TABLE_BYTES - 16],
      [120, fieldHashTable + 16],
      [128, HASH_TABLE_BYTES - 16],
      [136, this.header.tailObjectOffset ?? this.#tailAt],
      [144, this.#chunks.length],
      [152, this.header.entryCount ?? this.#count],
      [160, this.#count === 0 ? 0 : this.#seqnum],
      [168, this.#headSeqnum],
      [176, arrays[0] ?? 0],
      [184, this.#headRealtime],
      [192, this.#count === 0 ? 0 : this.#realtime],
      [200, this.#seqnum * 1000],
      [208, data.length],
      [224, tags.length],
      [232, arrays.length],
      [264, entries.at(-1) ?? 0],
    ];
    for (const [at, value] of numbers) header.writeBigUInt64LE(BigInt(value), at);
    if (this.#isCompact) {
      header.writeUInt32LE(arrays.at(-1) ?? 0, 256);
      header.writeUInt32LE(this.#arrays.at(-1)?.used ?? 0, 260);
    }
    return header.subarray(0, this.#headerBytes);
  }
}

/** Any hash will do that is the same for the same values in any order. */
function hashOf({ fields }: EntrySpec): bigint {
  const hash = createHash('sha1');
  for (const text of fields.map((field) => JSON.stringify(field)).toSorted()) hash.update(text);
  return hash.digest().readBigUInt64LE(0);
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

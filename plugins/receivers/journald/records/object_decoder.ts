/**
 * Decodes the DATA objects of one file, each once where entries share it: looks its field up and encodes its value as a member,
 * or makes it the part of a record that it is.
 */
import { severityFromSyslog } from '../../../../src/core/severity.ts';
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { DataCache, FIRST_SHARED, HAS_BITS, HAS_MEMBER, NO_SLOT, USE_SHIFT } from './data_cache.ts';
import { DataReader } from '../file/data_reader.ts';
import { type EntryKeys, NO_KEY, OBJECT_ALIGNMENT } from './entry_keys.ts';
import { bitsOf, type Field, type FieldTable, Part } from './fields.ts';
import { type Damage, type JournalFile, MAX_ITEMS } from '../file/journal_file.ts';
import { writeMember } from './member.ts';

export interface DecoderOptions {
  readonly table: FieldTable;
  /** Values are cut behind so many bytes. Two of them fit into an arena of the builder. */
  readonly maxValueBytes: number;
  readonly onDamage: Damage;
  /** Called for a record that lacks a part of a value, or a member. */
  readonly onCut: () => void;
}

/** Values longer than this are encoded anew for each entry, so that a few cannot fill the cache. */
export const MAX_CACHED_BYTES = 4096;

/** What the members of objects that are not shared may take together, unless one value may take more; more are left out. */
const MIN_SCRATCH_BYTES = 512 * 1024;

/** Of a value, what `readTexts` gives at most. */
const MAX_TEXT_BYTES = 1024;

const NEWLINE = 0x0a;
const MAX_SERVICE_BYTES = 255;
const SERVICE_SUFFIX = '.service';

export class ObjectDecoder {
  readonly #file: JournalFile;
  readonly #options: DecoderOptions;
  readonly #reader: DataReader;
  readonly #maxScratchBytes: number;
  /** Where the first message is that only the entry has; undefined where none was met yet. */
  #message: Buffer | undefined;
  readonly cache = new DataCache();
  /** Members of the entry's objects that are not shared. */
  readonly scratch = new ByteWriter(1024);

  constructor(file: JournalFile, options: DecoderOptions) {
    this.#file = file;
    this.#options = options;
    this.#reader = new DataReader(file.header.isCompact, options.maxValueBytes, options.onDamage);
    this.#maxScratchBytes = Math.max(MIN_SCRATCH_BYTES, 2 * options.maxValueBytes);
  }

  /** Whether all that was cached is void, because the field table has started anew. */
  get isVoid(): boolean {
    return this.cache.generation !== this.#options.table.generation;
  }

  /** What compressed objects of the entry took to decompress, in bytes. */
  get decompressedBytes(): number {
    return this.#reader.decompressedBytes;
  }

  /** Whether the cache has no room for what one entry may have. */
  get isFull(): boolean {
    return !this.cache.hasRoom(MAX_ITEMS);
  }

  clear(): void {
    this.cache.clear(this.#options.table.generation);
  }

  /** Turns to an entry. */
  begin(): void {
    this.#message = undefined;
    this.scratch.length = 0;
    this.cache.takeBack();
    this.#reader.beginEntry();
  }

  /** Slot and use, as of `DataCache.find`, of the object with `key`. `NO_SLOT` where nothing becomes of it. */
  decode(key: number): number {
    return this.cache.find(key) || this.#read(key);
  }

  #read(key: number): number {
    const reader = this.#reader;
    const { table, maxValueBytes, onDamage } = this.#options;
    if (key === NO_KEY) {
      onDamage('data');
      return NO_SLOT;
    }
    const isReadable = reader.read(this.#file.windows, key * OBJECT_ALIGNMENT);
    const field = isReadable ? table.find(reader.bytes, reader.start, reader.end) : undefined;
    if (isReadable && table.nameEnd < 0) onDamage('field_name');
    if (field === undefined) {
      if (reader.isShared) this.cache.publish(key, this.cache.add(), Part.nothing);
      return NO_SLOT;
    }
    const start = table.nameEnd + 1;
    const length = reader.start + reader.length - start;
    const isCut = length > maxValueBytes;
    const end = isCut ? cutAt(reader.bytes, start + maxValueBytes) : start + length;
    const slot = reader.isShared && length <= MAX_CACHED_BYTES ? this.cache.add() : this.cache.lend();
    this.cache.columns.isCut[slot] = isCut ? 1 : 0;
    let use = field.part === Part.message ? this.#takeMessage(slot, field, start, end) : this.#takePart(slot, field, start, end);
    if (field.conditions.length > 0) {
      const bits = bitsOf(field, reader.bytes, start, reader.end);
      this.cache.columns.bits[slot] = bits;
      if (bits !== 0) use |= HAS_BITS;
    }
    if (slot >= FIRST_SHARED) this.cache.publish(key, slot, use);
    return (use << USE_SHIFT) + slot;
  }

  /** The bytes that the range of the message in `slot` is in; as long as the entry is the file's current one. */
  messageBytes(slot: number): Buffer {
    return slot < FIRST_SHARED && this.#message !== undefined ? this.#message : this.cache.bytes.bytes;
  }

  /** Makes a member of a message that is not the entry's first; returns the member's slot, or `NO_SLOT` where it has no room. */
  messageAsMember(slot: number): number {
    const { columns } = this.cache;
    const to = slot < FIRST_SHARED ? slot : this.cache.lend();
    const [start, end] = [columns.start[slot], columns.end[slot]];
    if (start === undefined || end === undefined) throw new RangeError(`there is no slot ${slot}`);
    return this.#writeMember(to, this.#options.table.message, this.messageBytes(slot), start, end) ? to : NO_SLOT;
  }

  /** Values of an entry's fields that have one of these names, each at its beginning; for the rare entry of which more is asked. */
  readTexts({ keys, count }: EntryKeys, names: readonly string[]): Map<string, string> {
    // What is damaged has been counted when the entry was decoded.
    const reader = new DataReader(this.#file.header.isCompact, MAX_TEXT_BYTES, () => {});
    const texts = new Map<string, string>();
    for (const key of keys.subarray(0, count)) {
      if (key === NO_KEY || !reader.read(this.#file.windows, key * OBJECT_ALIGNMENT)) continue;
      const [name = '', ...value] = reader.bytes.toString('utf8', reader.start, reader.end).split('=');
      if (names.includes(name)) texts.set(name, value.join('='));
    }
    return texts;
  }

  #takePart(slot: number, field: Field, start: number, end: number): number {
    const { bytes } = this.#reader;
    if (field.part === Part.priority) {
      this.cache.columns.severity[slot] = end - start === 1 ? severityFromSyslog(bytes[start]! - 0x30) : 0; // start is below the end
    } else if (field.part >= Part.service) this.cache.setName(slot, serviceName(bytes, start, end));
    else if (field.part === Part.stream) this.cache.setName(slot, bytes.toString('latin1', start, end));
    return field.opening === undefined ? field.part : this.#takeMember(slot, field, start, end, field.part);
  }

  /** Encodes the value as a member; returns the use of the object. */
  #takeMember(slot: number, field: Field, start: number, end: number, part: number): number {
    return this.#writeMember(slot, field, this.#reader.bytes, start, end) ? part + HAS_MEMBER : part;
  }

  /** Into the cache, or for a lent slot into the scratch, where the entry may have no room left for it. */
  #writeMember(slot: number, field: Field, bytes: Buffer, start: number, end: number): boolean {
    const { columns } = this.cache;
    const out = slot < FIRST_SHARED ? this.scratch : this.cache.bytes;
    const from = out.length;
    const maxBytes = out === this.scratch ? this.#maxScratchBytes : Infinity;
    if (from + end - start <= maxBytes) columns.member[slot] = writeMember(out, field, bytes, start, end);
    // What has to be escaped may take several times its size.
    if (out.length > maxBytes) out.length = from;
    const hasRoom = out.length > from;
    if (!hasRoom) columns.isCut[slot] = 1;
    columns.start[slot] = from;
    columns.end[slot] = out.length;
    return hasRoom;
  }

  /** Keeps a message that entries share as it is; another is left where it is, and only its range is noted. */
  #takeMessage(slot: number, field: Field, start: number, end: number): number {
    const { columns } = this.cache;
    const { bytes } = this.#reader;
    if (slot >= FIRST_SHARED) {
      const out = this.cache.bytes;
      columns.start[slot] = out.length;
      out.length += bytes.copy(out.reserve(end - start), out.length, start, end);
      columns.end[slot] = out.length;
      return Part.message;
    }
    if (this.#message !== undefined) return this.#takeMember(slot, field, start, end, Part.member);
    const { windows } = this.#file;
    const isLasting = bytes !== windows.bytes || windows.isLasting;
    this.#message = isLasting ? bytes : Buffer.from(bytes.subarray(start, end));
    columns.start[slot] = isLasting ? start : 0;
    columns.end[slot] = isLasting ? end : end - start;
    return Part.message;
  }
}

/**
 * Writes a body and a newline behind it, which no record has in its range: it ends what the JSON scanner reads, and keeps the
 * bytes of two records from making one character. Returns the offset behind the newline.
 */
export function writeBody(arena: Buffer, at: number, bytes: Buffer, start: number, end: number): number {
  const bodyEnd = at + bytes.copy(arena, at, start, end);
  arena[bodyEnd] = NEWLINE;
  return bodyEnd + 1;
}

/** `end`, or so far before it that no UTF-8 sequence is cut in two. */
export function cutAt(bytes: Buffer, end: number): number {
  let at = end;
  while (at > end - 4 && (bytes[at]! & 0xc0) === 0x80) at--; // one byte more than the bound was read
  return at;
}

/** The service that the value of one of the fields for it names. */
export function serviceName(bytes: Buffer, start: number, end: number): string {
  const name = bytes.toString('utf8', start, end - start > MAX_SERVICE_BYTES ? cutAt(bytes, start + MAX_SERVICE_BYTES) : end);
  return name.endsWith(SERVICE_SUFFIX) ? name.slice(0, -SERVICE_SUFFIX.length) : name;
}

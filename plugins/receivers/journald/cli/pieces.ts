/**
 * An entry as pieces of output, one for each of its fields, in the file's order. What a field amounts to is made once for a DATA object
 * that entries share, and then only copied; objects of one entry alone are made anew.
 */
import { NameTable } from '../../../../src/core/names.ts';
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { DataReader } from '../file/data_reader.ts';
import { type Damage, type JournalFile, MAX_ITEMS } from '../file/journal_file.ts';
import { EntryKeys, NO_KEY, OBJECT_ALIGNMENT } from '../records/entry_keys.ts';
import type { EntrySelection, FieldConditions } from '../select/selection.ts';
import { nameEnd } from './name_end.ts';
import { type PieceSet, PieceSets } from './piece_sets.ts';

/** A value that is longer is left out, and counted as too large: no more than that is in memory at a time. */
export const MAX_VALUE_BYTES = 64 * 1024 * 1024;

/** Makes pieces of fields. */
export interface FieldEncoder {
  /** Fields that get the ids 1, 2, … in this order. */
  readonly knownNames: readonly string[];
  /** Appends the piece of a field: its name is from `start` to `equals`, its value behind that to `end`. Nothing leaves it out. */
  encode(into: ByteWriter, bytes: Buffer, start: number, equals: number, end: number): void;
}

/** Where a piece is: among those that other entries may share, or those of this entry alone. */
const SHARED = 0;
const OWN = 1;

/** Shared objects that are remembered, each at the place that its key has: of two that fall on the same, the later one stays. */
const PLACE_BITS = 13;
const MAX_SHARED_PIECE_BYTES = 4096;
const MAX_SET_BYTES = 64 * 1024;
/** When there are more of them, the shared pieces are forgotten, and made again as they are needed. */
const MAX_SHARED_BYTES = 2 * 1024 * 1024;
const MAX_IDLE_BYTES = 1024 * 1024;

/** Names that are told apart at a time, but for those of one entry. */
const MAX_NAMES = 4096;

/** What each file takes at least, in bytes: the columns of places and of items. */
const COLUMNS_BYTES = 18 * (1 << PLACE_BITS) + 11 * MAX_ITEMS;

/** About what a name takes, in bytes, as text and as bytes. */
const NAME_BYTES = 256;

/** Ids of names are below this. */
export const NAME_IDS = MAX_NAMES + MAX_ITEMS;

export class EntryPieces {
  readonly #file: JournalFile;
  readonly #encoder: FieldEncoder;
  readonly #selection: EntrySelection;
  readonly #onDamage: Damage;
  readonly #reader: DataReader;
  readonly #keys = new EntryKeys();
  #names = new NameTable(MAX_NAMES);
  #conditions: (FieldConditions | undefined)[] = [];
  /** What is known of shared objects, by place. */
  readonly #known = new Uint32Array(1 << PLACE_BITS);
  readonly #knownStart = new Uint32Array(1 << PLACE_BITS);
  readonly #knownEnd = new Uint32Array(1 << PLACE_BITS);
  readonly #knownName = new Uint16Array(1 << PLACE_BITS);
  readonly #knownBits = new Int32Array(1 << PLACE_BITS);
  readonly #sets = new PieceSets();
  readonly #bytes: [ByteWriter, ByteWriter] = [new ByteWriter(64 * 1024), new ByteWriter(4096)];
  /** The first pieces of the entry, where it is known what they amount to; the columns below do not have them until `expand`. */
  #set: PieceSet | undefined;
  /** The members below are of the entry that `read` saw last: for each piece the bytes it is in, its range, and an id of its name. */
  count = 0;
  readonly source = new Uint8Array(MAX_ITEMS);
  readonly start = new Uint32Array(MAX_ITEMS);
  readonly end = new Uint32Array(MAX_ITEMS);
  readonly name = new Uint16Array(MAX_ITEMS);

  constructor(file: JournalFile, encoder: FieldEncoder, selection: EntrySelection, onDamage: Damage) {
    this.#file = file;
    this.#encoder = encoder;
    this.#selection = selection;
    this.#onDamage = (reason) => onDamage(reason, file.path);
    this.#reader = new DataReader(file.header.isCompact, MAX_VALUE_BYTES, this.#onDamage);
    this.#clear();
  }

  /** Memory that it takes, in bytes. */
  get memoryBytes(): number {
    const [shared, own] = this.#bytes;
    return COLUMNS_BYTES + shared.bytes.length + own.bytes.length + this.#sets.memoryBytes + NAME_BYTES * this.#names.size;
  }

  /** Takes over the current entry of the file; false where it is not selected, or its bytes cannot be had any more. */
  read(): boolean {
    const [shared, own] = this.#bytes;
    if (shared.length > MAX_SHARED_BYTES || this.#names.isFull) this.#clear();
    if (own.bytes.length > MAX_IDLE_BYTES) this.#bytes[OWN] = new ByteWriter(4096);
    else own.length = 0;
    this.count = 0;
    this.#set = undefined;
    if (!this.#keys.read(this.#file)) {
      this.#onDamage('entry');
      return false;
    }
    this.#reader.beginEntry();
    const { keys, count, oldCount, hash } = this.#keys;
    let bits = oldCount === 0 ? 0 : this.#takeOld(keys, oldCount, hash);
    for (let item = oldCount; item < count; item++) bits |= this.#take(keys[item]!); // item is below the count
    return this.#selection.fields.size === 0 || this.#selection.accepts(bits);
  }

  /** Fills in the columns of all pieces. */
  expand(): void {
    const set = this.#set;
    if (set === undefined) return;
    let from = set.start;
    for (let item = 0; item < set.ends.length; item++) {
      this.source[item] = SHARED;
      this.start[item] = from;
      this.end[item] = from = set.ends[item]!; // item is below the length, here and below
      this.name[item] = set.names[item]!;
    }
    this.#set = undefined;
  }

  /** Ids of the names of all pieces into `into`, in order; their number is `count`. */
  readNames(into: Uint16Array): void {
    const { names } = this.#set ?? NO_SET;
    into.set(names);
    for (let item = names.length; item < this.count; item++) into[item] = this.name[item]!; // items are below the count
  }

  /** Appends all pieces. */
  copyAll(out: ByteWriter): void {
    const { start, end, ends } = this.#set ?? NO_SET;
    this.copyBytes(out, SHARED, start, end);
    for (let item = ends.length; item < this.count; item++) this.copy(out, item);
  }

  copy(out: ByteWriter, item: number): void {
    this.copyBytes(out, this.source[item]!, this.start[item]!, this.end[item]!); // the item is below the count
  }

  /** Appends a range of the bytes that a piece is in. */
  copyBytes(out: ByteWriter, source: number, start: number, end: number): void {
    if (start === end) return;
    const target = out.reserve(end - start);
    out.length += this.bytesOf(source).copy(target, out.length, start, end);
  }

  bytesOf(source: number): Buffer {
    return this.#bytes[source === SHARED ? SHARED : OWN].bytes;
  }

  /** Takes the long-lived objects, the first of the entry; returns the conditions of the selection that they fulfil. */
  #takeOld(keys: Uint32Array, count: number, hash: number): number {
    const known = this.#sets.find(keys, count, hash);
    if (known !== undefined) {
      this.#set = known;
      this.count = known.ends.length;
      return known.bits;
    }
    let bits = 0;
    for (let item = 0; item < count; item++) bits |= this.#take(keys[item]!); // item is below the count, here and below
    const [shared] = this.#bytes;
    const ends = new Uint32Array(this.count);
    const start = shared.length;
    for (let item = 0; item < this.count; item++) {
      this.copy(shared, item);
      ends[item] = shared.length;
      if (shared.length - start > MAX_SET_BYTES) return bits;
    }
    const names = this.name.slice(0, this.count);
    this.#sets.add({ keys: keys.slice(0, count), bits, start, end: shared.length, ends, names }, hash);
    return bits;
  }

  /** Takes the object with that key; returns the conditions that it fulfils. */
  #take(key: number): number {
    const place = Math.imul(key, 0x9e3779b1) >>> (32 - PLACE_BITS);
    if (this.#known[place] === key && key !== NO_KEY) {
      this.#add(SHARED, this.#knownStart[place]!, this.#knownEnd[place]!, this.#knownName[place]!); // places are below the length
      return this.#knownBits[place]!;
    }
    const reader = this.#reader;
    if (key === NO_KEY) this.#onDamage('data');
    if (key === NO_KEY || !reader.read(this.#file.windows, key * OBJECT_ALIGNMENT)) return 0;
    const { bytes, start, end } = reader;
    const equals = nameEnd(bytes, start, end);
    if (equals < 0 || reader.length > end - start) {
      this.#onDamage(equals < 0 ? 'data' : 'too_large');
      return 0;
    }
    const name = this.#names.internBytes(bytes, start, equals);
    const bits = this.#conditionsOf(name)?.bitsOf(bytes, equals + 1, end) ?? 0;
    const source = reader.isShared && end - start < MAX_SHARED_PIECE_BYTES ? SHARED : OWN;
    const into = this.#bytes[source];
    const from = into.length;
    this.#encoder.encode(into, bytes, start, equals, end);
    this.#add(source, from, into.length, name);
    if (source === OWN) return bits;
    this.#known[place] = key;
    this.#knownStart[place] = from;
    this.#knownEnd[place] = into.length;
    this.#knownName[place] = name;
    this.#knownBits[place] = bits;
    return bits;
  }

  #add(source: number, start: number, end: number, name: number): void {
    if (start === end) return;
    const item = this.count++;
    this.source[item] = source;
    this.start[item] = start;
    this.end[item] = end;
    this.name[item] = name;
  }

  #conditionsOf(name: number): FieldConditions | undefined {
    const conditions = this.#conditions;
    while (conditions.length <= name) conditions.push(this.#selection.fields.get(this.#names.name(conditions.length)));
    return conditions[name];
  }

  #clear(): void {
    this.#known.fill(NO_KEY);
    this.#sets.clear();
    this.#bytes[SHARED].length = 0;
    this.#names = new NameTable(MAX_NAMES);
    this.#conditions = [];
    for (const name of this.#encoder.knownNames) this.#names.intern(name);
  }
}

/** What stands for a set where there is none. */
const NO_SET = { start: 0, end: 0, ends: new Uint32Array(0), names: new Uint16Array(0) };

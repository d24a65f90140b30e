/**
 * What sets of shared DATA objects amount to. Most entries of a service refer to the very same objects but for the message, so
 * that set is found by the objects' places in the file alone, without looking at any of them; and within one batch the records
 * of a set refer to one copy of its members.
 */
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { NO_SLOT } from './data_cache.ts';

/** Sets that there is room for at first, and at most: many files have a few of them only. */
const FIRST_SETS = 64;
const MAX_SETS = 2048;

/** Keys that there is room for, for each set. */
const KEYS_PER_SET = 32;
const MAX_BYTES = 1024 * 1024;

/** What a set takes in the columns, in bytes. */
const SET_BYTES = 48 + KEYS_PER_SET * 6;

/** The set of no objects. */
export const NO_SET = 0;

/** What an entry has besides members. */
export interface Parts {
  severity: number;
  /** Slots of the cache, as are the service's and the stream's. */
  message: number;
  service: number;
  /** The part that the service came from; the lowest one wins. */
  rank: number;
  stream: number;
  /** What its values fulfil together: bits of the selection, and marks. */
  bits: number;
  /** Whether a value was cut. */
  isCut: boolean;
}

/** The id that no member has; there are fewer than half as many fields. */
export const NO_MEMBER = 0xffff;

/** Above that of all services. */
export const NO_RANK = 0xff;

export function noParts(): Parts {
  return { severity: 0, message: NO_SLOT, service: NO_SLOT, rank: NO_RANK, stream: NO_SLOT, bits: 0, isCut: false };
}

export function clearParts(parts: Parts): void {
  parts.severity = 0;
  parts.message = NO_SLOT;
  parts.service = NO_SLOT;
  parts.rank = NO_RANK;
  parts.stream = NO_SLOT;
  parts.bits = 0;
  parts.isCut = false;
}

interface Columns {
  /** Open addressing over sets by hash, 0 where free; twice as many as there are sets. */
  readonly places: Uint16Array;
  readonly hashes: Int32Array;
  readonly keys: Uint32Array;
  /** A set's range in the keys is from its number here to the next one's. */
  readonly keysStart: Uint32Array;
  readonly severity: Uint8Array;
  readonly message: Uint16Array;
  readonly service: Uint16Array;
  readonly rank: Uint8Array;
  readonly stream: Uint16Array;
  readonly bits: Int32Array;
  readonly isCut: Uint8Array;
  /** Where the encoded members of a set are. */
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  /** Cache slots of those members; a set's range is from its number in `slotsStart` to the next one's. */
  readonly slots: Uint16Array;
  readonly slotsStart: Uint32Array;
  /** The last batch that has a copy of the members, and where. */
  readonly batch: Float64Array;
  readonly copiedTo: Uint32Array;
  /** The id of a member that is known not to be in the set, where an entry had it beside the set. */
  readonly apart: Uint16Array;
}

export class ObjectSets {
  #capacity = FIRST_SETS;
  #count = 1;
  columns: Columns = createColumns(FIRST_SETS);
  /** Encoded members, each with a comma behind it. */
  readonly bytes = new ByteWriter(1024);

  /** The set of the first `count` of `keys`, with `hash` made of them too; or `NO_SET`. */
  find(keys: Uint32Array, count: number, hash: number): number {
    const { places, hashes } = this.columns;
    const mask = places.length - 1;
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const set = places[place]!; // place is masked to the length, and sets are below the columns', here and below
      if (set === NO_SET) return NO_SET;
      if (hashes[set] === hash && this.#hasKeys(set, keys, count)) return set;
    }
  }

  /** Whether a set of `count` objects can be added. */
  hasRoom(count: number): boolean {
    const { keys, keysStart } = this.columns;
    return this.#count < this.#capacity && keysStart[this.#count]! + count <= keys.length && this.bytes.length < MAX_BYTES;
  }

  /** Adds a set, for which there must be room, and whose members are then to be added. */
  add(keys: Uint32Array, count: number, hash: number, parts: Parts): number {
    const c = this.columns;
    const set = this.#count++;
    const start = c.keysStart[set]!;
    c.keys.set(keys.subarray(0, count), start);
    c.keysStart[set + 1] = start + count;
    c.hashes[set] = hash;
    c.severity[set] = parts.severity;
    c.message[set] = parts.message;
    c.service[set] = parts.service;
    c.rank[set] = parts.rank;
    c.stream[set] = parts.stream;
    c.bits[set] = parts.bits;
    c.isCut[set] = parts.isCut ? 1 : 0;
    c.start[set] = this.bytes.length;
    c.end[set] = this.bytes.length;
    c.slotsStart[set + 1] = c.slotsStart[set]!;
    c.batch[set] = -1;
    c.apart[set] = NO_MEMBER;
    const mask = c.places.length - 1;
    let place = hash & mask;
    while (c.places[place] !== NO_SET) place = (place + 1) & mask;
    c.places[place] = set;
    return set;
  }

  /** Adds the member in `slot`, the bytes `start` to `end` of `source`, to the set that was added last. */
  addMember(set: number, slot: number, source: Buffer, start: number, end: number): void {
    const out = this.bytes;
    out.length += source.copy(out.reserve(end - start), out.length, start, end);
    const { end: ends, slots, slotsStart } = this.columns;
    ends[set] = out.length;
    slots[slotsStart[set + 1]!++] = slot;
  }

  /** Sets `parts` to what the set amounts to. */
  readParts(set: number, parts: Parts): void {
    const c = this.columns;
    parts.severity = c.severity[set]!;
    parts.message = c.message[set]!;
    parts.service = c.service[set]!;
    parts.rank = c.rank[set]!;
    parts.stream = c.stream[set]!;
    parts.bits = c.bits[set]!;
    parts.isCut = c.isCut[set] === 1;
  }

  /** Forgets all sets: where the objects that they are made of are forgotten. */
  clear(): void {
    this.columns.places.fill(NO_SET);
    this.#count = 1;
    this.bytes.length = 0;
  }

  /** Forgets all sets, for want of room, and makes room for more where that is not the most yet. */
  startAnew(): void {
    const isLargest = this.#capacity === MAX_SETS;
    this.#capacity = Math.min(this.#capacity * 4, MAX_SETS);
    if (!isLargest) this.columns = createColumns(this.#capacity);
    this.clear();
  }

  /** Memory that it takes, in bytes. */
  get memoryBytes(): number {
    return this.#capacity * SET_BYTES + this.bytes.bytes.length;
  }

  #hasKeys(set: number, keys: Uint32Array, count: number): boolean {
    const { keys: known, keysStart } = this.columns;
    const start = keysStart[set]!;
    if (keysStart[set + 1]! - start !== count) return false;
    for (let index = 0; index < count; index++) if (known[start + index] !== keys[index]) return false;
    return true;
  }
}

function createColumns(sets: number): Columns {
  return {
    places: new Uint16Array(sets * 2),
    hashes: new Int32Array(sets),
    keys: new Uint32Array(sets * KEYS_PER_SET),
    keysStart: new Uint32Array(sets + 1),
    severity: new Uint8Array(sets),
    message: new Uint16Array(sets),
    service: new Uint16Array(sets),
    rank: new Uint8Array(sets).fill(NO_RANK),
    stream: new Uint16Array(sets),
    bits: new Int32Array(sets),
    isCut: new Uint8Array(sets),
    start: new Uint32Array(sets),
    end: new Uint32Array(sets),
    slots: new Uint16Array(sets * KEYS_PER_SET),
    slotsStart: new Uint32Array(sets + 1),
    batch: new Float64Array(sets).fill(-1),
    copiedTo: new Uint32Array(sets),
    apart: new Uint16Array(sets).fill(NO_MEMBER),
  };
}

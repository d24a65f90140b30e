/**
 * What sets of shared DATA objects amount to. Most entries of a service refer to the very same objects but for the message, so
 * that set is found by the objects' places in the file alone, without looking at any of them; and within one batch the records
 * of a set refer to one copy of its members.
 */
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { NO_SLOT } from './data_cache.ts';

const PLACES = 4096;
const MAX_SETS = PLACES / 2;
const MAX_KEYS = 64 * 1024;
const MAX_BYTES = 1024 * 1024;

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

export class ObjectSets {
  /** Open addressing over sets by hash, 0 where free. */
  readonly #places = new Uint16Array(PLACES);
  #count = 1;
  readonly #hashes = new Int32Array(MAX_SETS);
  readonly #keys = new Uint32Array(MAX_KEYS);
  /** A set's range in the keys is from its number here to the next one's. */
  readonly #keysStart = new Uint32Array(MAX_SETS + 1);
  readonly #severity = new Uint8Array(MAX_SETS);
  readonly #message = new Uint16Array(MAX_SETS);
  readonly #service = new Uint16Array(MAX_SETS);
  readonly #rank = new Uint8Array(MAX_SETS).fill(NO_RANK);
  readonly #stream = new Uint16Array(MAX_SETS);
  readonly #bits = new Int32Array(MAX_SETS);
  readonly #isCut = new Uint8Array(MAX_SETS);
  /** Encoded members, each with a comma behind it, and where those of a set are. */
  readonly bytes = new ByteWriter(16 * 1024);
  readonly start = new Uint32Array(MAX_SETS);
  readonly end = new Uint32Array(MAX_SETS);
  /** Cache slots of those members; a set's range is from its number in `slotsStart` to the next one's. */
  readonly slots = new Uint16Array(MAX_KEYS);
  readonly slotsStart = new Uint32Array(MAX_SETS + 1);
  /** The last batch that has a copy of the members, and where. */
  readonly batch = new Float64Array(MAX_SETS).fill(-1);
  readonly copiedTo = new Uint32Array(MAX_SETS);
  /** The id of a member that is known not to be in the set, where an entry had it beside the set. */
  readonly apart = new Uint16Array(MAX_SETS).fill(NO_MEMBER);

  /** The set of the first `count` of `keys`, with `hash` made of them too; or `NO_SET`. */
  find(keys: Uint32Array, count: number, hash: number): number {
    for (let place = hash & (PLACES - 1); ; place = (place + 1) & (PLACES - 1)) {
      const set = this.#places[place]!; // place is masked to the length, and sets are below the columns', here and below
      if (set === NO_SET) return NO_SET;
      if (this.#hashes[set] === hash && this.#hasKeys(set, keys, count)) return set;
    }
  }

  /** Whether a set of `count` objects can be added. */
  hasRoom(count: number): boolean {
    return this.#count < MAX_SETS && this.#keysStart[this.#count]! + count <= MAX_KEYS && this.bytes.length < MAX_BYTES;
  }

  /** Adds a set, for which there must be room, and whose members are then to be added. */
  add(keys: Uint32Array, count: number, hash: number, parts: Parts): number {
    const set = this.#count++;
    const start = this.#keysStart[set]!;
    this.#keys.set(keys.subarray(0, count), start);
    this.#keysStart[set + 1] = start + count;
    this.#hashes[set] = hash;
    this.#severity[set] = parts.severity;
    this.#message[set] = parts.message;
    this.#service[set] = parts.service;
    this.#rank[set] = parts.rank;
    this.#stream[set] = parts.stream;
    this.#bits[set] = parts.bits;
    this.#isCut[set] = parts.isCut ? 1 : 0;
    this.start[set] = this.bytes.length;
    this.end[set] = this.bytes.length;
    this.slotsStart[set + 1] = this.slotsStart[set]!;
    this.batch[set] = -1;
    this.apart[set] = NO_MEMBER;
    let place = hash & (PLACES - 1);
    while (this.#places[place] !== NO_SET) place = (place + 1) & (PLACES - 1);
    this.#places[place] = set;
    return set;
  }

  /** Adds the member in `slot`, the bytes `start` to `end` of `source`, to the set that was added last. */
  addMember(set: number, slot: number, source: Buffer, start: number, end: number): void {
    const out = this.bytes;
    out.length += source.copy(out.reserve(end - start), out.length, start, end);
    this.end[set] = out.length;
    this.slots[this.slotsStart[set + 1]!++] = slot;
  }

  /** Sets `parts` to what the set amounts to. */
  readParts(set: number, parts: Parts): void {
    parts.severity = this.#severity[set]!;
    parts.message = this.#message[set]!;
    parts.service = this.#service[set]!;
    parts.rank = this.#rank[set]!;
    parts.stream = this.#stream[set]!;
    parts.bits = this.#bits[set]!;
    parts.isCut = this.#isCut[set] === 1;
  }

  clear(): void {
    this.#places.fill(NO_SET);
    this.#count = 1;
    this.bytes.length = 0;
  }

  #hasKeys(set: number, keys: Uint32Array, count: number): boolean {
    const known = this.#keys;
    const start = this.#keysStart[set]!;
    if (this.#keysStart[set + 1]! - start !== count) return false;
    for (let index = 0; index < count; index++) if (known[start + index] !== keys[index]) return false;
    return true;
  }
}

/**
 * What became of the DATA objects of one file, by their place in it. Entries share them (every entry of a service refers to the
 * same `_SYSTEMD_UNIT=` object), so an object is read, looked up and encoded once, and entries only refer to the outcome.
 *
 * The cache is a struct of arrays. It grows until it is full and then starts anew, which costs one more read of each object that
 * is still in use and is simpler and faster than choosing what to evict.
 */
import type { NameTable } from '../../../../src/core/names.ts';
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { MAX_ITEMS } from '../file/journal_file.ts';

/** Slots below this are lent, for one entry at a time, to objects that no other entry refers to. */
export const FIRST_SHARED = MAX_ITEMS + 1;
const FIRST_SLOTS = FIRST_SHARED + 127;
const FIRST_PLACES = 256;
const MAX_SLOTS = 32 * 1024;
const FIRST_BYTES = 1024;
const MAX_BYTES = 2 * 1024 * 1024;

/** What an object takes, in the columns and as a name. */
const SLOT_BYTES = 32;

/** The slot that no object has. */
export const NO_SLOT = 0;

/** What an object is used for: a `Part`, and this where it is shipped as a member. 0 where nothing becomes of it. */
export const HAS_MEMBER = 0x80;

/** Set beside a use where the object's value fulfils conditions, see `Columns.bits`. */
export const HAS_BITS = 0x100;

/** What `find` returns: a slot, and above it what the object is used for. */
export const SLOT_MASK = 0xffff;
export const USE_SHIFT = 16;

interface Columns {
  /** Id of the member, by which repeated ones are found; see `Field.id`. */
  readonly member: Uint16Array;
  /**
   * Range of an encoded member with a comma behind it, or of a message as it is; in `bytes`, or for a slot that is lent in the
   * place that its owner keeps.
   */
  readonly start: Uint32Array;
  readonly end: Uint32Array;
  /** Severity of a priority. */
  readonly severity: Uint8Array;
  /** What the value fulfils: bits of the selection, and marks. */
  readonly bits: Int32Array;
  /** 1 where the value was cut. */
  readonly isCut: Uint8Array;
  /** Id of a service's name in the table of `serviceId`, or 0. */
  readonly service: Uint32Array;
}

export class DataCache {
  /** Open addressing, two numbers a place: key, 0 where free, and slot with use. Half of the places stay free. */
  #places = new Uint32Array(FIRST_PLACES * 2);
  #highest = 0;
  #count = FIRST_SHARED;
  #lent = 0;
  #names: string[] = [];
  #services: NameTable | undefined;
  columns: Columns = createColumns(FIRST_SLOTS);
  /** Members and messages of shared objects. */
  readonly bytes = new ByteWriter(FIRST_BYTES);
  /** Of the field table that the members were made with. */
  generation = 0;

  /** Slot and use of the object with `key` (its offset divided by 8), or `NO_SLOT`. */
  find(key: number): number {
    // Objects that are met for the first time lie behind all others.
    if (key > this.#highest) return NO_SLOT;
    const places = this.#places;
    const mask = places.length - 1;
    for (let at = spread(key) & mask; ; at = (at + 2) & mask) {
      const other = places[at]!; // at is masked to the length, which is even
      if (other === key) return places[at + 1]!;
      if (other === 0) return NO_SLOT;
    }
  }

  /** Whether `more` objects can be added. */
  hasRoom(more: number): boolean {
    return this.#count + more <= MAX_SLOTS && this.bytes.length < MAX_BYTES;
  }

  /** A slot for an object that is then to be published; there must be room. */
  add(): number {
    const slot = this.#count++;
    if (slot >= this.columns.member.length) this.#grow();
    return slot;
  }

  /** Lets `find` find the object with `key`, which is not in the cache yet; its columns are filled. */
  publish(key: number, slot: number, use: number): void {
    if ((slot - FIRST_SHARED) * 4 >= this.#places.length) {
      const old = this.#places;
      this.#places = new Uint32Array(old.length * 2);
      for (let at = 0; at < old.length; at += 2) if (old[at] !== 0) place(this.#places, old[at]!, old[at + 1]!); // at is below
    }
    place(this.#places, key, (use << USE_SHIFT) + slot);
    this.#highest = Math.max(this.#highest, key);
  }

  /** A slot until `takeBack`; for `MAX_ITEMS` objects at a time. */
  lend(): number {
    return ++this.#lent;
  }

  /** Takes all slots back that were lent. */
  takeBack(): void {
    this.#lent = 0;
  }

  /** Notes that the object in `slot` names a service or a stream. */
  setName(slot: number, name: string): void {
    this.#names[slot] = name;
    this.columns.service[slot] = 0;
  }

  /** What the object in `slot` names; empty where it does not. */
  nameOf(slot: number): string {
    return this.#names[slot] ?? '';
  }

  /** Id in `services` of the service that the object in `slot` names. */
  serviceId(slot: number, services: NameTable): number {
    if (services !== this.#services) {
      this.#services = services;
      this.columns.service.fill(0);
    }
    const known = this.columns.service[slot]!; // slots are below the columns' length
    if (known !== 0) return known;
    return (this.columns.service[slot] = services.intern(this.nameOf(slot)));
  }

  /** Memory that it takes, in bytes. */
  get memoryBytes(): number {
    return this.columns.member.length * SLOT_BYTES + this.#places.byteLength + this.bytes.bytes.length;
  }

  /** Forgets everything. */
  clear(generation: number): void {
    this.#places = new Uint32Array(FIRST_PLACES * 2);
    this.#highest = 0;
    this.#count = FIRST_SHARED;
    this.#names = [];
    this.columns = createColumns(FIRST_SLOTS);
    this.bytes.length = 0;
    this.generation = generation;
  }

  #grow(): void {
    const larger = createColumns(this.columns.member.length * 2);
    larger.member.set(this.columns.member);
    larger.start.set(this.columns.start);
    larger.end.set(this.columns.end);
    larger.severity.set(this.columns.severity);
    larger.bits.set(this.columns.bits);
    larger.isCut.set(this.columns.isCut);
    larger.service.set(this.columns.service);
    this.columns = larger;
  }
}

function place(places: Uint32Array, key: number, value: number): void {
  const mask = places.length - 1;
  let at = spread(key) & mask;
  while (places[at] !== 0) at = (at + 2) & mask;
  places[at] = key;
  places[at + 1] = value;
}

/** Multiplicative hashing, of which the upper bits are the good ones; even, below 2^17, the number of places. */
function spread(key: number): number {
  return (Math.imul(key, 0x9e3779b1) >>> 15) & ~1;
}

function createColumns(capacity: number): Columns {
  return {
    member: new Uint16Array(capacity),
    start: new Uint32Array(capacity),
    end: new Uint32Array(capacity),
    severity: new Uint8Array(capacity),
    bits: new Int32Array(capacity),
    isCut: new Uint8Array(capacity),
    service: new Uint32Array(capacity),
  };
}

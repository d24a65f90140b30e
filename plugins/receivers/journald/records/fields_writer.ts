/** Writes the members of an entry into the arena of a batch. */
import type { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import { copyBytes } from './copy.ts';
import { FIRST_SHARED } from './data_cache.ts';
import type { FieldTable } from './fields.ts';
import type { ObjectDecoder } from './object_decoder.ts';
import { NO_MEMBER, NO_SET, type ObjectSets } from './object_sets.ts';
import { joinRepeated, type Member } from './repeated.ts';

/** Ids of members that are noted at first. */
const FIRST_IDS = 128;

export class FieldsWriter {
  readonly #objects: ObjectDecoder;
  readonly #sets: ObjectSets;
  readonly #table: FieldTable;
  /** By member id, the number of the entry that had it last: how repeated members are noticed. */
  #lastEntry = new Float64Array(FIRST_IDS);
  #entry = 0;
  /** Range of what was written, without the last comma. */
  start = 0;
  end = 0;
  /** True where members had to be left out. */
  isCut = false;

  constructor(objects: ObjectDecoder, sets: ObjectSets, table: FieldTable) {
    this.#objects = objects;
    this.#sets = sets;
    this.#table = table;
  }

  /**
   * Writes the members of `set` and of the first `count` of `slots` behind what of the arena is used, and before `limit`. Returns the
   * offset behind what it wrote, or -1 where the arena lacks room and an empty one has more. What is too large for that too is left
   * out.
   */
  write(builder: BatchBuilder, batch: number, set: number, slots: Uint16Array, count: number, limit: number): number {
    const sets = this.#sets.columns;
    const { arena, used: at } = builder;
    if (at > limit) return -1;
    const setBytes = sets.end[set]! - sets.start[set]!; // sets are below the columns' length, here and below
    this.isCut = false;
    this.start = at;
    if (count === 0 && setBytes > 0 && sets.batch[set] === batch) {
      this.start = sets.copiedTo[set]!;
      this.end = this.start + setBytes - 1;
      return at;
    }
    if (at + setBytes > limit) return -1;
    this.#sets.bytes.bytes.copy(arena, at, sets.start[set], sets.end[set]);
    let end = at + setBytes;
    if (count === 0) {
      sets.batch[set] = batch;
      sets.copiedTo[set] = at;
    } else if (this.#hasRepeated(set, slots, count)) end = this.#writeRepeated(builder, set, slots, count, at, limit);
    else end = this.#writeMembers(builder, slots, count, end, limit);
    this.end = end > at ? end - 1 : at;
    return end;
  }

  /** Whether the members in `slots` can become a set: no two of one name, and not too large. */
  canJoin(slots: Uint16Array, maxBytes: number): boolean {
    const { start, end } = this.#objects.cache.columns;
    const bytes = slots.reduce((sum, slot) => sum + end[slot]! - start[slot]!, 0); // slots are below the columns' length
    return bytes <= maxBytes && !this.#hasRepeated(NO_SET, slots, slots.length);
  }

  #writeMembers(builder: BatchBuilder, slots: Uint16Array, count: number, start: number, limit: number): number {
    const { columns } = this.#objects.cache;
    let at = start;
    for (let index = 0; index < count; index++) {
      const slot = slots[index]!; // index is below the count, slots are below the columns' length
      const from = columns.start[slot]!;
      const to = columns.end[slot]!;
      if (at + to - from <= limit) at = copyBytes(builder.arena, at, this.#bytesOf(slot), from, to);
      else if (builder.count > 0) return -1;
      else this.isCut = true;
    }
    return at;
  }

  #hasRepeated(set: number, slots: Uint16Array, count: number): boolean {
    const entry = ++this.#entry;
    const { slots: ofSets, slotsStart, apart } = this.#sets.columns;
    const onlyId = count === 1 ? this.#objects.cache.columns.member[slots[0]!]! : NO_MEMBER; // there is one, below the columns' length
    if (onlyId !== NO_MEMBER && apart[set] === onlyId) return false;
    for (let index = slotsStart[set]!; index < slotsStart[set + 1]!; index++) this.#note(ofSets[index]!, entry);
    let isRepeated = false;
    for (let index = 0; index < count; index++) if (this.#note(slots[index]!, entry)) isRepeated = true; // index is below the count
    if (!isRepeated) apart[set] = onlyId;
    return isRepeated;
  }

  /** Whether the entry had a member of that id before. */
  #note(slot: number, entry: number): boolean {
    const id = this.#objects.cache.columns.member[slot]!; // slots are below the columns' length
    if (id >= this.#lastEntry.length) this.#growTo(id);
    const isRepeated = this.#lastEntry[id] === entry;
    this.#lastEntry[id] = entry;
    return isRepeated;
  }

  #growTo(id: number): void {
    const larger = new Float64Array(2 * id);
    larger.set(this.#lastEntry);
    this.#lastEntry = larger;
  }

  /** As `#writeMembers`, for all members of the entry, of which some are several values of one field; rare, so objects will do. */
  #writeRepeated(builder: BatchBuilder, set: number, slots: Uint16Array, count: number, start: number, limit: number): number {
    const { columns } = this.#objects.cache;
    const sets = this.#sets.columns;
    const all = [...sets.slots.subarray(sets.slotsStart[set], sets.slotsStart[set + 1]), ...slots.subarray(0, count)];
    const members = all.map((slot): Member => {
      const id = columns.member[slot]!; // as above
      const bytes = this.#bytesOf(slot).subarray(columns.start[slot], columns.end[slot]);
      return { id, bytes, openingBytes: this.#table.openingBytes(id) };
    });
    let at = start;
    for (const bytes of joinRepeated(members)) {
      if (at + bytes.length <= limit) at += bytes.copy(builder.arena, at);
      else if (builder.count > 0) return -1;
      else this.isCut = true;
    }
    return at;
  }

  #bytesOf(slot: number): Buffer {
    return slot < FIRST_SHARED ? this.#objects.scratch.bytes : this.#objects.cache.bytes.bytes;
  }
}

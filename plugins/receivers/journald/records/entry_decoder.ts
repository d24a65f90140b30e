/**
 * Turns the entries of one file into records of a batch: body from MESSAGE, severity from PRIORITY, service, and the fields that
 * are shipped as encoded members. What an entry shares with others comes from caches as bytes that are only copied, or not even
 * that; per entry no object and no string is made.
 */
import { BodyKind, RecordFlag } from '../../../../src/core/batch.ts';
import type { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import { FIRST_SHARED, HAS_MEMBER, NO_SLOT, SLOT_MASK, USE_SHIFT } from './data_cache.ts';
import { EntryKeys } from './entry_keys.ts';
import { Part } from './fields.ts';
import { FieldsWriter } from './fields_writer.ts';
import { type JournalFile, MAX_ITEMS } from '../file/journal_file.ts';
import { type DecoderOptions, MAX_CACHED_BYTES, ObjectDecoder, writeBody } from './object_decoder.ts';
import { clearParts, NO_RANK, NO_SET, ObjectSets, type Parts } from './object_sets.ts';

/** Members of a set take at most this; what is more is copied one by one. */
const MAX_SET_BYTES = 64 * 1024;

export class EntryDecoder {
  readonly #file: JournalFile;
  readonly #options: DecoderOptions;
  readonly #objects: ObjectDecoder;
  readonly #sets = new ObjectSets();
  readonly #fields: FieldsWriter;
  readonly #keys = new EntryKeys();
  readonly #parts: Parts = { severity: 0, message: NO_SLOT, service: NO_SLOT, rank: NO_RANK, isCut: false };
  /** Slots of the members that are not in the entry's set. */
  readonly #members = new Uint16Array(MAX_ITEMS);
  #memberCount = 0;
  /** Whether something was taken that only this entry has. */
  #hasLent = false;

  constructor(file: JournalFile, options: DecoderOptions) {
    this.#file = file;
    this.#options = options;
    this.#objects = new ObjectDecoder(file, options);
    this.#fields = new FieldsWriter(this.#objects, this.#sets, options.table);
  }

  /**
   * Appends the file's current entry to `builder`, which is not full; `batch` is a number that grows with each batch. Bodies are
   * marked as text, whatever they are. False, and nothing appended, where the arena lacks room; nothing is appended either of an
   * entry whose bytes cannot be had any more.
   */
  append(builder: BatchBuilder, batch: number): boolean {
    if (!this.#keys.read(this.#file)) {
      this.#options.onDamage('entry');
      return true;
    }
    let set = NO_SET;
    // A field table that starts anew half-way through an entry voids what was made of it; it has room for one entry's fields then.
    do {
      if (this.#objects.isVoid || this.#objects.isFull) {
        this.#objects.clear();
        this.#sets.clear();
      }
      this.#objects.begin(builder);
      this.#memberCount = 0;
      this.#hasLent = false;
      clearParts(this.#parts);
      set = this.#takeAll();
    } while (this.#objects.isVoid);
    return this.#objects.hasRoom && this.#write(builder, batch, set);
  }

  /** Takes all objects of the entry; returns the set that the long-lived ones of them are. */
  #takeAll(): number {
    const { keys, count, oldCount, hash } = this.#keys;
    let set = oldCount === 0 ? NO_SET : this.#sets.find(keys, oldCount, hash);
    if (set === NO_SET) {
      for (let item = 0; item < oldCount; item++) this.#take(keys[item]!); // item is below the count, here and below
      if (oldCount > 0) set = this.#addSet();
    } else this.#sets.readParts(set, this.#parts);
    for (let item = oldCount; item < count; item++) this.#take(keys[item]!);
    return set;
  }

  #take(key: number): void {
    const found = this.#objects.decode(key);
    const use = found >>> USE_SHIFT;
    const slot = found & SLOT_MASK;
    if (slot !== NO_SLOT && slot < FIRST_SHARED) this.#hasLent = true;
    if (use === Part.nothing) return;
    const parts = this.#parts;
    if (this.#objects.cache.columns.isCut[slot] === 1) parts.isCut = true;
    if (use >= HAS_MEMBER) this.#members[this.#memberCount++] = slot;
    const part = use & ~HAS_MEMBER;
    if (part === Part.member) return;
    if (part === Part.message) {
      if (parts.message === NO_SLOT) parts.message = slot;
      else {
        this.#members[this.#memberCount++] = this.#objects.messageAsMember(slot);
        this.#hasLent = true;
      }
    } else if (part === Part.priority) {
      if (parts.severity === 0) parts.severity = this.#objects.cache.columns.value[slot]!; // slots are below the columns' length
    } else if (part < parts.rank) {
      parts.rank = part;
      parts.service = slot;
    }
  }

  /** Makes a set of what was taken so far, so that it need not be taken again; `NO_SET` where that cannot be. */
  #addSet(): number {
    const { keys, oldCount, hash } = this.#keys;
    const { columns, bytes } = this.#objects.cache;
    const members = this.#members.subarray(0, this.#memberCount);
    if (!this.#sets.hasRoom(oldCount)) this.#sets.clear();
    if (this.#hasLent || !this.#fields.canJoin(members, MAX_SET_BYTES)) return NO_SET;
    const set = this.#sets.add(keys, oldCount, hash, this.#parts);
    for (const slot of members) this.#sets.addMember(set, slot, bytes.bytes, columns.start[slot]!, columns.end[slot]!); // as above
    this.#memberCount = 0;
    return set;
  }

  #write(builder: BatchBuilder, batch: number, set: number): boolean {
    const { columns, bytes } = this.#objects.cache;
    const parts = this.#parts;
    const { message } = parts;
    const isShared = message >= FIRST_SHARED;
    const limit = builder.arena.length - (isShared ? MAX_CACHED_BYTES + 1 : 0);
    let at = this.#fields.write(builder, batch, set, this.#members, this.#memberCount, this.#objects.at, limit);
    if (at < 0) return false;
    let bodyStart = columns.start[message]!; // slots are below the columns' length, here and below
    let bodyEnd = columns.end[message]!;
    if (isShared) {
      const start = at;
      at = writeBody(builder.arena, at, bytes.bytes, bodyStart, bodyEnd);
      bodyStart = start;
      bodyEnd = at - 1;
    }
    const isCut = parts.isCut || this.#fields.isCut;
    if (isCut) this.#options.onCut();
    const service = parts.service === NO_SLOT ? 0 : this.#objects.cache.serviceId(parts.service, builder.services);
    const flags = isCut ? RecordFlag.truncated : 0;
    const record = builder.add(this.#file.realtime, parts.severity, service, BodyKind.text, flags, bodyStart, bodyEnd);
    builder.setFields(record, this.#fields.start, this.#fields.end);
    builder.setSequence(record, this.#file.seqnum);
    builder.used = at;
    return true;
  }
}

/**
 * What the objects of one entry amount to: parts of a record, and members. What an entry shares with others comes from caches; the
 * objects that are long-lived are looked up all at once, as a set.
 */
import type { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import { FIRST_SHARED, HAS_BITS, HAS_MEMBER, NO_SLOT, SLOT_MASK, USE_SHIFT } from './data_cache.ts';
import { EntryKeys } from './entry_keys.ts';
import { Part } from './fields.ts';
import { FieldsWriter } from './fields_writer.ts';
import { type JournalFile, MAX_ITEMS } from '../file/journal_file.ts';
import { type DecoderOptions, ObjectDecoder } from './object_decoder.ts';
import { clearParts, noParts, NO_SET, ObjectSets } from './object_sets.ts';

/** Members of a set take at most this; what is more is copied one by one. */
const MAX_SET_BYTES = 64 * 1024;

export class EntryContents {
  readonly #file: JournalFile;
  readonly #sets = new ObjectSets();
  readonly #members = new Uint16Array(MAX_ITEMS);
  #memberCount = 0;
  #set = NO_SET;
  /** Whether something was taken that only this entry has. */
  #hasLent = false;
  readonly objects: ObjectDecoder;
  readonly fields: FieldsWriter;
  readonly keys = new EntryKeys();
  /** The members below are of the entry that was taken last. */
  readonly parts = noParts();
  /** Why objects of it could not be read, one reason for each. */
  readonly damage: string[] = [];

  constructor(file: JournalFile, options: DecoderOptions) {
    this.#file = file;
    this.objects = new ObjectDecoder(file, { ...options, onDamage: (reason) => void this.damage.push(reason) });
    this.fields = new FieldsWriter(this.objects, this.#sets, options.table);
  }

  /** Memory that the caches take, in bytes; they are small at first, since there may be very many files. */
  get memoryBytes(): number {
    return this.objects.cache.memoryBytes + this.objects.scratch.bytes.length + this.#sets.memoryBytes;
  }

  /** Takes the file's current entry. False where its bytes cannot be had any more. */
  take(): boolean {
    if (!this.keys.read(this.#file)) return false;
    // A field table that starts anew half-way through an entry voids what was made of it; it has room for one entry's fields then.
    do {
      if (this.objects.isVoid || this.objects.isFull) {
        this.objects.clear();
        this.#sets.clear();
      }
      this.objects.begin();
      this.damage.length = 0;
      this.#memberCount = 0;
      this.#hasLent = false;
      clearParts(this.parts);
      this.#takeAll();
    } while (this.objects.isVoid);
    return true;
  }

  /** Writes the members that were taken, as `FieldsWriter.write` does. */
  writeFields(builder: BatchBuilder, batch: number, limit: number): number {
    return this.fields.write(builder, batch, this.#set, this.#members, this.#memberCount, limit);
  }

  #takeAll(): void {
    const { keys, count, oldCount, hash } = this.keys;
    this.#set = oldCount === 0 ? NO_SET : this.#sets.find(keys, oldCount, hash);
    if (this.#set === NO_SET) {
      for (let item = 0; item < oldCount; item++) this.#take(keys[item]!); // item is below the count, here and below
      if (oldCount > 0) this.#set = this.#addSet();
    } else this.#sets.readParts(this.#set, this.parts);
    for (let item = oldCount; item < count; item++) this.#take(keys[item]!);
  }

  #take(key: number): void {
    const found = this.objects.decode(key);
    const use = found >>> USE_SHIFT;
    const slot = found & SLOT_MASK;
    if (slot !== NO_SLOT && slot < FIRST_SHARED) this.#hasLent = true;
    if (use === Part.nothing) return;
    const parts = this.parts;
    const { columns } = this.objects.cache;
    if (columns.isCut[slot] === 1) parts.isCut = true;
    if ((use & HAS_BITS) !== 0) parts.bits |= columns.bits[slot]!; // slots are below the columns' length, here and below
    if ((use & HAS_MEMBER) !== 0) this.#members[this.#memberCount++] = slot;
    const part = use & ~(HAS_MEMBER | HAS_BITS);
    if (part <= Part.member) return;
    if (part === Part.message) {
      if (parts.message === NO_SLOT) parts.message = slot;
      else {
        const member = this.objects.messageAsMember(slot);
        if (member === NO_SLOT) parts.isCut = true;
        else this.#members[this.#memberCount++] = member;
        this.#hasLent = true;
      }
    } else if (part === Part.priority) {
      if (parts.severity === 0) parts.severity = columns.severity[slot]!;
    } else if (part === Part.stream) parts.stream = slot;
    else if (part < parts.rank) {
      parts.rank = part;
      parts.service = slot;
    }
  }

  /** Makes a set of what was taken so far, so that it need not be taken again; `NO_SET` where that cannot be. */
  #addSet(): number {
    const { keys, oldCount, hash } = this.keys;
    const { columns, bytes } = this.objects.cache;
    const members = this.#members.subarray(0, this.#memberCount);
    if (!this.#sets.hasRoom(oldCount)) this.#sets.startAnew();
    if (this.#hasLent || !this.fields.canJoin(members, MAX_SET_BYTES)) return NO_SET;
    const set = this.#sets.add(keys, oldCount, hash, this.parts);
    for (const slot of members) this.#sets.addMember(set, slot, bytes.bytes, columns.start[slot]!, columns.end[slot]!); // as above
    this.#memberCount = 0;
    return set;
  }
}

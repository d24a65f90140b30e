/** Reads the items of an ENTRY object: references to DATA objects ("Journal File Format", section "Entry Objects"). */
import { ENTRY, ENTRY_ITEM_BYTES } from '../file/format.ts';
import { type JournalFile, MAX_ITEMS } from '../file/journal_file.ts';

/** The key that no object has; it stands for a reference that is damaged. */
export const NO_KEY = 0;

/** Objects begin at multiples of this, so an offset divided by it is a shorter name for them: 32 bits reach 32 GiB. */
export const OBJECT_ALIGNMENT = 8;
const ALIGNMENT_BITS = 3;

/** Bits that no offset has, in its lower and in its upper half. */
const MISALIGNED = OBJECT_ALIGNMENT - 1;
const TOO_HIGH = ~MISALIGNED;

/**
 * Objects that lie further than this before an entry are taken for long-lived ones, such as a unit's name. Of nearer ones many
 * are for this entry alone or for a second, such as a time as text.
 */
const RECENT_BYTES = 64 * 1024;

export class EntryKeys {
  /** Keys of the entry's objects, as many as it has items. */
  readonly keys = new Uint32Array(MAX_ITEMS);
  count = 0;
  /** How many of them, from the front, are of long-lived objects, and a hash of these. Items are in the order of offsets. */
  oldCount = 0;
  hash = 0;

  /** Reads the current entry of `file`; false where its bytes cannot be had any more. */
  read(file: JournalFile): boolean {
    const at = file.findEntry();
    if (at < 0) return false;
    const { itemCount, windows, header } = file;
    const oldest = Math.max(0, Math.floor((file.entryOffset - RECENT_BYTES) / OBJECT_ALIGNMENT));
    this.count = itemCount;
    const isSound = header.isCompact
      ? this.#readCompact(windows.view, at + ENTRY.items, oldest)
      : this.#readRegular(windows.view, at + ENTRY.items, oldest);
    if (!isSound) this.#readDamaged(windows.view, at + ENTRY.items, header.isCompact);
    return true;
  }

  /** As fast as can be: false where an offset turned out to be none, and `keys` are not good. */
  #readCompact(view: DataView, start: number, oldest: number): boolean {
    const { keys, count } = this;
    let at = start;
    let sum = 0;
    let bits = 0;
    let item = 0;
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.compact) {
      const offset = view.getUint32(at, true);
      const key = offset >>> ALIGNMENT_BITS;
      if (key > oldest) break;
      keys[item] = key;
      bits |= offset;
      sum = (sum + key) | 0;
    }
    this.oldCount = item;
    this.hash = spread(sum);
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.compact) {
      const offset = view.getUint32(at, true);
      keys[item] = offset >>> ALIGNMENT_BITS;
      bits |= offset;
    }
    return (bits & MISALIGNED) === 0;
  }

  #readRegular(view: DataView, start: number, oldest: number): boolean {
    const { keys, count } = this;
    let at = start;
    let sum = 0;
    let bits = 0;
    let item = 0;
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.regular) {
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      const key = ((low >>> ALIGNMENT_BITS) | (high << (32 - ALIGNMENT_BITS))) >>> 0;
      if (key > oldest) break;
      keys[item] = key;
      bits |= (low & MISALIGNED) | (high & TOO_HIGH);
      sum = (sum + key) | 0;
    }
    this.oldCount = item;
    this.hash = spread(sum);
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.regular) {
      const low = view.getUint32(at, true);
      const high = view.getUint32(at + 4, true);
      keys[item] = ((low >>> ALIGNMENT_BITS) | (high << (32 - ALIGNMENT_BITS))) >>> 0;
      bits |= (low & MISALIGNED) | (high & TOO_HIGH);
    }
    return bits === 0;
  }

  /** Takes every object for a recent one, and those with impossible offsets for none. */
  #readDamaged(view: DataView, start: number, isCompact: boolean): void {
    this.oldCount = 0;
    for (let item = 0; item < this.count; item++) {
      const at = start + item * (isCompact ? ENTRY_ITEM_BYTES.compact : ENTRY_ITEM_BYTES.regular);
      const low = view.getUint32(at, true);
      const high = isCompact ? 0 : view.getUint32(at + 4, true);
      const isSound = (low & MISALIGNED) === 0 && (high & TOO_HIGH) === 0;
      this.keys[item] = isSound ? (low >>> ALIGNMENT_BITS) + high * 2 ** (32 - ALIGNMENT_BITS) : NO_KEY;
    }
  }
}

/** A sum is a poor hash, and the order of keys does not matter, as it is always the same. */
function spread(sum: number): number {
  return Math.imul(sum, 0x9e3779b1) >>> 16;
}

/** Reads the items of an ENTRY object: references to DATA objects ("Journal File Format", section "Entry Objects"). */
import { ENTRY, ENTRY_ITEM_BYTES } from '../file/format.ts';
import { type JournalFile, MAX_ITEMS } from '../file/journal_file.ts';

/** The key that no object has; it stands for a reference that is damaged. */
export const NO_KEY = 0;

/** Objects begin at multiples of this, so an offset divided by it is a shorter name for them: 32 bits reach 32 GiB. */
export const OBJECT_ALIGNMENT = 8;

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
    this.count = 0;
    this.oldCount = 0;
    const at = file.findEntry();
    if (at < 0) return false;
    const oldest = Math.max(0, Math.floor((file.entryOffset - RECENT_BYTES) / OBJECT_ALIGNMENT));
    const { view } = file.windows;
    if (file.header.isCompact) this.#readCompact(view, at + ENTRY.items, file.itemCount, oldest);
    else this.#readRegular(view, at + ENTRY.items, file.itemCount, oldest);
    this.count = file.itemCount;
    return true;
  }

  #readCompact(view: DataView, start: number, count: number, oldest: number): void {
    const { keys } = this;
    let at = start;
    let hash = 0;
    let item = 0;
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.compact) {
      const key = keyOf(view.getUint32(at, true), 0);
      keys[item] = key;
      if (key > oldest) break;
      hash = mix(hash, key);
    }
    this.oldCount = item;
    this.hash = hash;
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.compact) keys[item] = keyOf(view.getUint32(at, true), 0);
  }

  #readRegular(view: DataView, start: number, count: number, oldest: number): void {
    const { keys } = this;
    let at = start;
    let hash = 0;
    let item = 0;
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.regular) {
      const key = keyOf(view.getUint32(at, true), view.getUint32(at + 4, true));
      keys[item] = key;
      if (key > oldest) break;
      hash = mix(hash, key);
    }
    this.oldCount = item;
    this.hash = hash;
    for (; item < count; item++, at += ENTRY_ITEM_BYTES.regular) {
      keys[item] = keyOf(view.getUint32(at, true), view.getUint32(at + 4, true));
    }
  }
}

function keyOf(low: number, high: number): number {
  return (low & (OBJECT_ALIGNMENT - 1)) === 0 && high < OBJECT_ALIGNMENT ? ((low >>> 3) | (high << 29)) >>> 0 : NO_KEY;
}

function mix(hash: number, key: number): number {
  return Math.imul(hash ^ key, 0x01000193);
}

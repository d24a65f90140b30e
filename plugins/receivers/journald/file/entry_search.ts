/** Looks entries up by their numbers, without reading them, and knows which numbers an entry can have in its place. */
import type { EntryList } from './entry_list.ts';
import { ENTRY, ObjectType, u64 } from './format.ts';
import type { Windows } from './windows.ts';

/** Entries in a row that a search goes past because they cannot be read. */
const MAX_UNSOUND = 8;

export class EntrySearch {
  readonly #list: EntryList;
  readonly #windows: Windows;

  constructor(list: EntryList, windows: Windows) {
    this.#list = list;
    this.#windows = windows;
  }

  /** Bisects the list of entries for the index of the first one whose number at `field` is above `value`. */
  indexBehind(field: number, value: number): number {
    let low = 0;
    let high = this.#list.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      // Where entries cannot be read, the next one that can speaks for them; where none of many can, they count as above.
      const sound = this.#firstSound(middle, high, field, 0);
      if (sound >= 0 && this.#numberAt(sound, field) <= value) low = sound + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Whether entry `index` can be numbered `seqnum`, behind one that is numbered `last`, in a file whose last one is `tail` (section
   * "Sequence Numbers"): above the one before it, and below those behind it. Otherwise its number or its slot in the list is damaged,
   * and to go by it would be to pass all up to it.
   */
  isInLine(index: number, seqnum: number, last: number, tail: number): boolean {
    if (seqnum <= last) return false;
    const end = tail > last ? tail + 1 : Infinity;
    const behind = this.#firstSound(index + 1, Infinity, ENTRY.seqnum, last);
    const following = behind < 0 ? end : this.#numberAt(behind, ENTRY.seqnum);
    if (seqnum < following) return true;
    if (seqnum === following || behind < 0) return false;
    // It is the one behind that is damaged, where this one fits before the next.
    const next = this.#firstSound(behind + 1, Infinity, ENTRY.seqnum, last);
    return seqnum < (next < 0 ? end : this.#numberAt(next, ENTRY.seqnum));
  }

  /** Index of the first entry from `index` on, and below `end`, with a number at `field` that is above `floor`; -1 where it is not near. */
  #firstSound(index: number, end: number, field: number, floor: number): number {
    const limit = Math.min(end, index + MAX_UNSOUND, this.#list.count);
    for (let at = index; at < limit; at++) if (this.#numberAt(at, field) > floor) return at;
    return -1;
  }

  /** The number at `field` of entry `index`; 0, which none has, where it cannot be read. */
  #numberAt(index: number, field: number): number {
    const windows = this.#windows;
    const offset = this.#list.offsetAt(index);
    const at = offset > 0 && offset % 8 === 0 ? windows.find(offset, ENTRY.items) : -1;
    return at >= 0 && windows.bytes[at] === ObjectType.entry ? u64(windows.view, at + field) : 0;
  }
}

/**
 * The file's list of all its entries, oldest first: a chain of ENTRY_ARRAY objects, each about twice as long as the one before
 * ("Journal File Format", section "Entry Array Objects"). Only the slots below the header's `n_entries` are looked at, since the
 * writer counts an entry there when all else about it is written; what lies behind them was not published, also where the header of a
 * file that was left unclean is older than the rest of it.
 */
import { giveBack, NO_BLOCK, takeBlock } from './blocks.ts';
import { ARRAY_ITEM_BYTES, ENTRY_ARRAY, type Header, ObjectType, u64 } from './format.ts';
import { readFully } from './windows.ts';

interface EntryArray {
  readonly offset: number;
  /** Index of its first slot in the whole chain, and behind its last. */
  readonly first: number;
  readonly end: number;
  /** False where the file ends before it does, so that it has fewer slots for now. */
  readonly isWhole: boolean;
}

const SLOTS_AT_ONCE = 4096;

/** For the beginning of one array. */
const head = Buffer.allocUnsafeSlow(ENTRY_ARRAY.items);
const headView = new DataView(head.buffer);

/** Arrays double in length, so a sound chain is far shorter; a longer one is damage. */
const MAX_ARRAYS = 1024;

export class EntryList {
  readonly #fd: number;
  readonly #itemBytes: number;
  readonly #arrays: EntryArray[] = [];
  #slots = NO_BLOCK;
  #slotsFirst = 0;
  #slotsEnd = 0;
  #count = 0;
  #fileEnd = 0;
  #head = 0;

  constructor(fd: number, isCompact: boolean) {
    this.#fd = fd;
    this.#itemBytes = isCompact ? ARRAY_ITEM_BYTES.compact : ARRAY_ITEM_BYTES.regular;
  }

  /** Takes over the number of entries, and where the list begins, from a header just read. */
  grow(header: Header): void {
    // A slot that was read before its entry was published may have been written since.
    if (header.entryCount !== this.#count) this.#slotsEnd = this.#slotsFirst;
    this.#count = header.entryCount;
    this.#fileEnd = header.end;
    this.#head = header.entryArrayOffset;
    if (this.#arrays.at(-1)?.isWhole === false) this.#arrays.pop();
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Offset of entry `index`, or 0 where its slot was never written (damage). -1 where there is none: at the end of the list, or where
   * the chain is broken.
   */
  offsetAt(index: number): number {
    if ((index < this.#slotsFirst || index >= this.#slotsEnd) && !this.#load(index)) return -1;
    const at = (index - this.#slotsFirst) * this.#itemBytes;
    const { view } = this.#slots;
    return this.#itemBytes === ARRAY_ITEM_BYTES.compact ? view.getUint32(at, true) : u64(view, at);
  }

  /** Gives back all memory, until a slot is asked for again. */
  release(): void {
    giveBack(this.#slots);
    this.#slots = NO_BLOCK;
    this.#slotsEnd = this.#slotsFirst;
  }

  #load(index: number): boolean {
    if (index >= this.#count) return false;
    const array = this.#arrayOf(index);
    if (array === undefined) return false;
    const wanted = Math.min(SLOTS_AT_ONCE, array.end - index, this.#count - index);
    if (this.#slots.bytes.length < wanted * this.#itemBytes) {
      giveBack(this.#slots);
      this.#slots = takeBlock(wanted * this.#itemBytes);
    }
    const position = array.offset + ENTRY_ARRAY.items + (index - array.first) * this.#itemBytes;
    const read = readFully(this.#fd, this.#slots.bytes, wanted * this.#itemBytes, position);
    this.#slotsFirst = index;
    this.#slotsEnd = index + Math.floor(read / this.#itemBytes);
    return this.#slotsEnd > index;
  }

  /** The array with slot `index`, walking the chain on as far as needed. */
  #arrayOf(index: number): EntryArray | undefined {
    for (let last = this.#arrays.at(-1); last === undefined || last.end <= index; last = this.#arrays.at(-1)) {
      const next = this.#arrays.length < MAX_ARRAYS ? this.#follow(last) : undefined;
      if (next === undefined) return undefined;
      this.#arrays.push(next);
    }
    return this.#arrays.find(({ end }) => end > index);
  }

  /** The array behind `last`. Writers only append, so it lies behind it in the file too, which rules out loops. */
  #follow(last: EntryArray | undefined): EntryArray | undefined {
    const offset = last === undefined ? this.#head : this.#nextOf(last);
    const behindLast = last === undefined ? 1 : last.offset + ENTRY_ARRAY.items + (last.end - last.first) * this.#itemBytes;
    if (offset < behindLast || offset % 8 !== 0 || offset + ENTRY_ARRAY.items > this.#fileEnd) return undefined;
    const header = this.#read(offset);
    if (header === undefined || header.getUint8(0) !== ObjectType.entryArray) return undefined;
    const size = u64(header, 8);
    // Of a file that was cut short, what there is of an array counts.
    const isWhole = offset + size <= this.#fileEnd;
    const length = Math.floor(((isWhole ? size : this.#fileEnd - offset) - ENTRY_ARRAY.items) / this.#itemBytes);
    if (length < 1) return undefined;
    const first = last?.end ?? 0;
    return { offset, first, end: first + length, isWhole };
  }

  #nextOf(array: EntryArray): number {
    const header = this.#read(array.offset);
    return header === undefined ? 0 : u64(header, ENTRY_ARRAY.next);
  }

  /** The beginning of the array at `offset`; valid until the next call. */
  #read(offset: number): DataView | undefined {
    return readFully(this.#fd, head, head.length, offset) < head.length ? undefined : headView;
  }
}

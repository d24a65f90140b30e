/**
 * One journal file and the place in it that has been read up to. `advance` moves to the next entry and leaves its numbers in
 * public members, since an object per entry would cost more than reading it.
 *
 * A file is described by its header as soon as it is found, and open only while it is read or may still grow.
 */
import { closeSync } from 'node:fs';
import { type Cursor, entryCursor } from './cursor.ts';
import { EntryList } from './entry_list.ts';
import { EntryNumbers } from './entry_numbers.ts';
import { EntrySearch } from './entry_search.ts';
import { ENTRY, ENTRY_ITEM_BYTES, type Header, ObjectType, u64 } from './format.ts';
import { isEmptied, isUnlinked, openJournal, rereadHeader } from './open_journal.ts';
import { Windows } from './windows.ts';

/** What could not be read, for the metric: a whole entry, the list of entries, or one object of an entry; and in which file. */
export type Damage = (reason: string, path?: string) => void;

/** Items of an entry that make sense; journald itself refuses more than 1024. */
export const MAX_ITEMS = 2048;

/** Entries that are looked at in one go where they cannot be read, or are passed over. */
const MAX_LOOKED_AT = 1024;

/** A writer's last object begins at the header's `tail_object_offset`; most end within this. */
const TAIL_OBJECT_BYTES = 8 * 1024;

interface OpenFile {
  readonly fd: number;
  readonly windows: Windows;
  readonly list: EntryList;
  readonly search: EntrySearch;
}

export class JournalFile extends EntryNumbers {
  readonly #onDamage: Damage;
  #header: Header;
  #open: OpenFile | undefined;
  /** Index of the entry that `advance` looks at next, and offset of the one it found last. */
  #next = 0;
  #previous = 0;
  #afterSeqnum = 0;
  /** Number of the entry that was passed last; they only rise. */
  #lastSeqnum = 0;
  /** The value of `#next` at which the list of entries could not be followed further. */
  #brokenAt = -1;
  #badEntries = 0;
  #wasEmptied = false;
  #lastCursor: Cursor | undefined;
  /** Where the file is now; it is renamed when it is archived. */
  path: string;
  /** True where `advance` gave up its turn before it found an entry, or that there is none: it is to be called again. */
  isSearching = false;
  /** The members below, and those of `EntryNumbers`, are of the current entry, where there is one: valid until `advance`. */
  hasEntry = false;
  entryOffset = 0;
  entryBytes = 0;
  itemCount = 0;

  /** Reads the header of the file at `path`. Throws the system's error, or a `SluiceError` where it is no journal that can be read. */
  constructor(path: string, onDamage: Damage) {
    super();
    this.path = path;
    this.#onDamage = onDamage;
    this.#header = this.#openFile();
  }

  get header(): Header {
    return this.#header;
  }

  /** True where nothing will be written to the file any more: it is archived, or was set aside because it was left unclean. */
  get isFinal(): boolean {
    return this.#header.state === 'archived' || this.path.endsWith('~');
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  /** True where the file is open and known to have been removed, whatever became of its directory. */
  get isRemoved(): boolean {
    return this.#open !== undefined && isUnlinked(this.#open.fd);
  }

  /** True when every entry that is published has been passed. */
  get isExhausted(): boolean {
    return !this.hasEntry && (this.#wasEmptied || this.#isBroken() || this.#next >= this.#header.entryCount);
  }

  /** Published entries that were not passed, the current one included, as far as they can be got at. */
  get unreadCount(): number {
    if (this.#isBroken()) return this.hasEntry ? 1 : 0;
    return Math.max(0, this.#header.entryCount - this.#next) + (this.hasEntry ? 1 : 0);
  }

  /** Published entries that had to be passed unread, and those behind the place at which the rest was given up. */
  get unreadableCount(): number {
    return this.#badEntries + (this.#isBroken() ? Math.max(0, this.#header.entryCount - this.#next) : 0);
  }

  /** Windows on the file's bytes; only while it is open. */
  get windows(): Windows {
    return this.#requireOpen().windows;
  }

  /** Opens the file again after `close`, at the same place. Throws as the constructor does, also where another took over its name. */
  reopen(): void {
    if (this.#open === undefined) this.#header = this.#openFile(this.#header.fileId);
  }

  close(): void {
    if (this.#open === undefined) return;
    if (this.entryOffset > 0) this.#lastCursor = this.cursorAt(this.entryOffset);
    this.rest();
    closeSync(this.#open.fd);
    this.#open = undefined;
  }

  /** Gives back the memory of an open file until it is read on. */
  rest(): void {
    this.#open?.windows.release();
    this.#open?.list.release();
  }

  /** Looks at the header again; what was published since can then be advanced to. */
  refresh(): void {
    if (this.#open === undefined || this.isFinal) return;
    const header = rereadHeader(this.#open.fd, this.#header);
    if (header === undefined) return;
    const settled = this.#header.tailObjectOffset;
    this.#header = header;
    this.#grow(this.#open, settled);
  }

  /** Makes the entry behind `seqnum` the next one; entries up to it are passed over wherever they turn up. */
  seekBehindSeqnum(seqnum: number): void {
    this.#afterSeqnum = seqnum;
    this.#seek(ENTRY.seqnum, seqnum);
  }

  /** Makes the first entry later than `realtime` (microseconds) the next one, as far as the clock went only forward. */
  seekBehindTime(realtime: number): void {
    this.#seek(ENTRY.realtime, realtime);
  }

  /**
   * Moves to the next published entry that can be read. False where there is none, and where finding it takes longer than a caller
   * can wait, for which see `isSearching`.
   */
  advance(): boolean {
    const { list, search } = this.#requireOpen();
    this.hasEntry = false;
    this.isSearching = false;
    for (let looked = 0; looked < MAX_LOOKED_AT; looked++) {
      const offset = list.offsetAt(this.#next);
      if (offset < 0) {
        if (this.#next < list.count && !this.#isEmptied()) this.#giveUp();
        return false;
      }
      if (this.#readEntry(offset) && this.#isInLine(search)) {
        this.#next += 1;
        this.#lastSeqnum = this.seqnum;
        if (this.seqnum > this.#afterSeqnum) return (this.hasEntry = true);
        continue;
      }
      if (this.#isEmptied() || this.#isOnItsWay(offset)) return false;
      this.#onDamage('entry', this.path);
      this.#badEntries += 1;
      this.#next += 1;
    }
    this.isSearching = true;
    return false;
  }

  /** Reads entry `index`, counted from the oldest, into the members, for a search. False where it cannot be read. */
  readAt(index: number): boolean {
    const offset = this.#requireOpen().list.offsetAt(index);
    return offset > 0 && this.#readEntry(offset);
  }

  /** The cursor of the entry at `offset`, which `advance` has been to; after the file was closed, only of the last one it came to. */
  cursorAt(offset: number): Cursor | undefined {
    if (this.#open === undefined) return offset === this.entryOffset ? this.#lastCursor : undefined;
    const { windows } = this.#open;
    const at = windows.find(offset, ENTRY.items);
    const cursor = at < 0 ? undefined : entryCursor(this.#header.seqnumId, windows.bytes, at);
    if (!this.hasEntry) this.rest();
    return cursor;
  }

  /** How many entries are numbered above `after` and below `before`, as far as numbers only rise. */
  countBetween(after: number, before: number): number {
    const { search } = this.#requireOpen();
    return Math.max(0, search.indexBehind(ENTRY.seqnum, before - 1) - search.indexBehind(ENTRY.seqnum, after));
  }

  /** Index of the current entry in its window, which `windows` shows after this. */
  findEntry(): number {
    return this.windows.find(this.entryOffset, this.entryBytes);
  }

  #readEntry(offset: number): boolean {
    const { windows } = this.#requireOpen();
    if (offset % 8 !== 0) return false;
    let at = windows.findAhead(offset, ENTRY.items, this.#previous);
    if (at < 0 || windows.bytes[at] !== ObjectType.entry) return false;
    const size = u64(windows.view, at + 8);
    const items = (size - ENTRY.items) / (this.#header.isCompact ? ENTRY_ITEM_BYTES.compact : ENTRY_ITEM_BYTES.regular);
    if (!(items >= 1 && items <= MAX_ITEMS && Number.isInteger(items))) return false;
    at = windows.findAhead(offset, size, this.#previous);
    if (at < 0) return false;
    if (!this.readNumbers(windows.bytes, windows.view, at)) return false;
    this.entryOffset = offset;
    this.entryBytes = size;
    this.itemCount = items;
    this.#previous = offset;
    return true;
  }

  /** Whether the entry that was just read is numbered as one in this place can be. */
  #isInLine(search: EntrySearch): boolean {
    const last = this.#lastSeqnum;
    return this.seqnum === last + 1 || search.isInLine(this.#next, this.seqnum, last, this.#header.tailSeqnum);
  }

  /** Whether what cannot be read may be so only for a moment: the newest entry of a live file, or a slot with no further one behind. */
  #isOnItsWay(offset: number): boolean {
    if (this.isFinal) return false;
    const { list } = this.#requireOpen();
    return this.#next === list.count - 1 || (offset === 0 && list.offsetAt(this.#next + 1) <= 0);
  }

  #seek(field: number, value: number): void {
    this.#next = this.#requireOpen().search.indexBehind(field, value);
    this.#lastSeqnum = 0;
    this.hasEntry = false;
  }

  /** Whether the file was vacuumed: journald empties what it removes, so that there is nothing to read for whoever has it open. */
  #isEmptied(): boolean {
    return (this.#wasEmptied ||= isEmptied(this.#requireOpen().fd));
  }

  #isBroken(): boolean {
    return this.#brokenAt === this.#next;
  }

  #giveUp(): void {
    if (!this.#isBroken()) this.#onDamage('entry_array', this.path);
    this.#brokenAt = this.#next;
  }

  #openFile(fileId?: string): Header {
    const { fd, header } = openJournal(this.path, fileId);
    const windows = new Windows(fd);
    const list = new EntryList(fd, header.isCompact);
    this.#open = { fd, windows, list, search: new EntrySearch(list, windows) };
    this.#header = header;
    this.#grow(this.#open, header.end);
    return header;
  }

  #grow({ windows, list }: OpenFile, settled: number): void {
    const { end, tailObjectOffset } = this.#header;
    windows.grow(end, this.isFinal ? end : tailObjectOffset + TAIL_OBJECT_BYTES, settled);
    list.grow(this.#header);
  }

  #requireOpen(): OpenFile {
    if (this.#open === undefined) throw new Error(`${this.path} is not open`);
    return this.#open;
  }
}

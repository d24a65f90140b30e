/**
 * One journal file and the place in it that has been read up to. `advance` moves to the next entry and leaves its numbers in
 * public members, since an object per entry would cost more than reading it.
 *
 * A file is described by its header as soon as it is found, and open only while it is read or may still grow.
 */
import { closeSync, openSync } from 'node:fs';
import { SluiceError } from '../../../../src/core/errors.ts';
import { type Cursor, entryCursor } from './cursor.ts';
import { EntryList } from './entry_list.ts';
import {
  ENTRY,
  ENTRY_ITEM_BYTES,
  type Header,
  HEADER_BYTES,
  type HeaderProblem,
  MAX_EXACT,
  ObjectType,
  parseHeader,
  u64,
} from './format.ts';
import { readFully, Windows } from './windows.ts';

/** What could not be read, for the metric: a whole entry, the list of entries, or one object of an entry. */
export type Damage = (reason: string) => void;

/** Items of an entry that make sense; journald itself refuses more than 1024. */
export const MAX_ITEMS = 2048;

/** Entries in a row that cannot be read before the rest of the file is given up. */
const MAX_BAD_ENTRIES = 1_000_000;

/** A writer's last object begins at the header's `tail_object_offset`; most end within this. */
const TAIL_OBJECT_BYTES = 64 * 1024;

interface OpenFile {
  readonly fd: number;
  readonly windows: Windows;
  readonly list: EntryList;
}

export class JournalFile {
  readonly #onDamage: Damage;
  #header: Header;
  #open: OpenFile | undefined;
  /** Index of the entry that `advance` looks at next, and offset of the one it found last. */
  #next = 0;
  #previous = 0;
  #afterSeqnum = 0;
  #isBroken = false;
  #badEntries = 0;
  #lastCursor: Cursor | undefined;
  /** The words of `bootId`, which are faster to compare. */
  readonly #boot = new Uint32Array(4);
  /** Where the file is now; it is renamed when it is archived. */
  path: string;
  /** The members below are of the current entry, where there is one: read only outside, valid until `advance`. */
  hasEntry = false;
  seqnum = 0;
  /** Microseconds. */
  realtime = 0;
  /** Microseconds since the boot. */
  monotonic = 0;
  /** The two words of a hash over what the entry holds, which is the same in every file. */
  hashHigh = 0;
  hashLow = 0;
  /** 32 hexadecimal digits. */
  bootId = '';
  entryOffset = 0;
  entryBytes = 0;
  itemCount = 0;

  /** Reads the header of the file at `path`. Throws the system's error, or a `SluiceError` where it is no journal that can be read. */
  constructor(path: string, onDamage: Damage) {
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

  /** True when every entry that is published has been passed. */
  get isExhausted(): boolean {
    return !this.hasEntry && (this.#isBroken || this.#next >= this.#header.entryCount);
  }

  /** Published entries that were not passed, the current one included, as far as they can be got at. */
  get unreadCount(): number {
    if (this.#isBroken) return this.hasEntry ? 1 : 0;
    return Math.max(0, this.#header.entryCount - this.#next) + (this.hasEntry ? 1 : 0);
  }

  /** Published entries that had to be passed unread, and those behind the place at which the rest was given up. */
  get unreadableCount(): number {
    return this.#badEntries + (this.#isBroken ? Math.max(0, this.#header.entryCount - this.#next) : 0);
  }

  /** Windows on the file's bytes; only while it is open. */
  get windows(): Windows {
    if (this.#open === undefined) throw new Error(`${this.path} is not open`);
    return this.#open.windows;
  }

  /** Opens the file again after `close`, at the same place. Throws as the constructor does, also where another took over its name. */
  reopen(): void {
    if (this.#open === undefined) this.#header = this.#openFile(this.#header.fileId);
  }

  close(): void {
    if (this.#open === undefined) return;
    if (this.entryOffset > 0) this.#lastCursor = this.cursorAt(this.entryOffset);
    closeSync(this.#open.fd);
    this.#open = undefined;
  }

  /** Looks at the header again; what was published since can then be advanced to. */
  refresh(): void {
    if (this.#open === undefined || this.isFinal) return;
    const header = readHeader(this.#open.fd);
    // The header of a live file was sound when it was opened, so this is a glance at a moment when it was not.
    if (typeof header === 'string') return;
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

  /** Moves to the next published entry that can be read; false where there is none. */
  advance(): boolean {
    const { list } = this.#requireOpen();
    this.hasEntry = false;
    for (let bad = 0; bad < MAX_BAD_ENTRIES;) {
      const offset = list.offsetAt(this.#next);
      if (offset < 0) {
        if (this.#next < list.count) this.#giveUp();
        return false;
      }
      if (this.#readEntry(offset)) {
        this.#next += 1;
        if (this.seqnum > this.#afterSeqnum) return (this.hasEntry = true);
        continue;
      }
      // The newest entry of a live file may be one whose last bytes are on their way here.
      if (this.#next === list.count - 1 && !this.isFinal) return false;
      this.#onDamage('entry');
      this.#badEntries += 1;
      this.#next += 1;
      bad += 1;
    }
    this.#giveUp();
    return false;
  }

  /** The cursor of the entry at `offset`, which `advance` has been to; after the file was closed, only of the last one it came to. */
  cursorAt(offset: number): Cursor | undefined {
    if (this.#open === undefined) return offset === this.entryOffset ? this.#lastCursor : undefined;
    const { windows } = this.#open;
    const at = windows.find(offset, ENTRY.items);
    return at < 0 ? undefined : entryCursor(this.#header.seqnumId, windows.bytes, at);
  }

  /** How many entries are numbered above `after` and below `before`, as far as numbers only rise. */
  countBetween(after: number, before: number): number {
    return Math.max(0, this.#indexBehind(ENTRY.seqnum, before - 1) - this.#indexBehind(ENTRY.seqnum, after));
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
    const { view } = windows;
    this.seqnum = u64(view, at + ENTRY.seqnum);
    this.realtime = u64(view, at + ENTRY.realtime);
    this.monotonic = u64(view, at + ENTRY.monotonic);
    this.hashHigh = view.getUint32(at + ENTRY.xorHash + 4, true);
    this.hashLow = view.getUint32(at + ENTRY.xorHash, true);
    if (this.seqnum < 1 || this.seqnum > MAX_EXACT || this.realtime < 1 || this.realtime > MAX_EXACT) return false;
    this.#noteBoot(windows.bytes, view, at + ENTRY.bootId);
    this.entryOffset = offset;
    this.entryBytes = size;
    this.itemCount = items;
    this.#previous = offset;
    return true;
  }

  /** Sets `bootId` from 16 bytes; a string is only made where it is another boot than that of the entry before. */
  #noteBoot(bytes: Buffer, view: DataView, at: number): void {
    const boot = this.#boot;
    let isSame = this.bootId !== '';
    for (let word = 0; word < 4; word++) {
      const value = view.getUint32(at + word * 4, true);
      isSame &&= boot[word] === value;
      boot[word] = value;
    }
    if (!isSame) this.bootId = bytes.toString('hex', at, at + 16);
  }

  #seek(field: number, value: number): void {
    this.#next = this.#indexBehind(field, value);
    this.hasEntry = false;
  }

  /** Bisects the list of entries for the first one whose number at `field` is above `value`; a bad one counts as above. */
  #indexBehind(field: number, value: number): number {
    const { list, windows } = this.#requireOpen();
    let low = 0;
    let high = list.count;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const offset = list.offsetAt(middle);
      const at = offset > 0 ? windows.find(offset, ENTRY.items) : -1;
      const isSound = at >= 0 && windows.bytes[at] === ObjectType.entry;
      if (isSound && u64(windows.view, at + field) <= value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #giveUp(): void {
    if (!this.#isBroken) this.#onDamage('entry_array');
    this.#isBroken = true;
  }

  #openFile(fileId?: string): Header {
    const fd = openSync(this.path, 'r');
    const header = readHeader(fd);
    if (typeof header === 'string' || header.fileId !== (fileId ?? header.fileId)) {
      closeSync(fd);
      throw unreadable(this.path, typeof header === 'string' ? header : 'replaced');
    }
    this.#open = { fd, windows: new Windows(fd), list: new EntryList(fd, header.isCompact) };
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

function readHeader(fd: number): ReturnType<typeof parseHeader> {
  const bytes = Buffer.alloc(HEADER_BYTES);
  return parseHeader(bytes.subarray(0, readFully(fd, bytes, HEADER_BYTES, 0)));
}

function unreadable(path: string, problem: HeaderProblem | 'replaced'): SluiceError {
  switch (problem) {
    case 'incompatible':
      return new SluiceError('unsupported', `${path} uses a feature of the journal format that is newer than this reader`, {
        hint: 'update the agent, or read that journal with journalctl',
      });
    case 'signature':
      return new SluiceError('unsupported', `${path} is not a journal file`, { hint: 'move it out of the journal directory' });
    case 'truncated':
      // A file that was created a moment ago has no header yet.
      return new SluiceError('unsupported', `${path} has no complete header`, { transient: true });
    case 'replaced':
      return new SluiceError('path_conflict', `${path} is another file now`, { transient: true });
  }
}

/**
 * Entries that are in the journal twice. Until journald may write to /var/log/journal it writes to /run/log/journal; when it is told
 * that it may (`journalctl --flush`, at each boot), it copies every entry over, under other numbers and another seqnum id, and
 * removes the runtime files. What tells an entry from others survives: boot id, monotonic time, real time and hash.
 *
 * While a runtime file is open journald writes to nothing else. So of entries that a runtime file had and that were read there,
 * all that is in the persistent files of the same journald between the times of the first and the last of them is copies.
 */
import type { Cursor } from '../file/cursor.ts';
import { JournalFile } from '../file/journal_file.ts';
import { firstIndex } from '../position/file_search.ts';
import type { Member } from './members.ts';

/** A stretch of a runtime sequence that was read. Times are monotonic, of one boot. */
interface Stretch {
  readonly writer: string;
  readonly seqnumId: string;
  readonly bootId: string;
  first: number;
  last: number;
  /** The entry up to which entries of the time `last` were read, where that is known from a cursor, and how many behind it. */
  lastEntry: EntryIdentity | undefined;
  alsoRead: number;
  /** How many copies of those with the time `last` behind `lastEntry` were met. */
  met: number;
}

interface EntryIdentity {
  readonly seqnumId: string | undefined;
  readonly bootId: string;
  readonly monotonic: number;
  readonly hash: bigint;
  /** Microseconds, of the wall clock. */
  readonly realtime: number;
}

/** More are not remembered: each takes a `journalctl --relinquish-var` or a reboot. */
const MAX_STRETCHES = 16;

export class Flushes {
  /** Newest last. */
  readonly #stretches: Stretch[] = [];
  /** What was read before this start, the end of each sequence. */
  readonly #saved: readonly EntryIdentity[];
  #current: Stretch | undefined;

  constructor(saved: readonly Cursor[]) {
    this.#saved = saved.flatMap((cursor) => identityOf(cursor) ?? []);
  }

  /**
   * Makes the first entry later than `realtime` (microseconds) the next one. Where that is the time of the entry up to which another
   * sequence had been read, and the file goes on with its boot, further entries of that time were perhaps not read.
   */
  seekBehindTime(file: JournalFile, realtime: number): void {
    const ends = this.#saved.filter((end) => end.realtime === realtime && end.seqnumId !== file.header.seqnumId);
    if (ends.length > 0) {
      file.seekBehindTime(realtime - 1);
      const isGoingOn = file.advance() && file.realtime === realtime && ends.some(({ bootId }) => bootId === file.bootId);
      if (isGoingOn) return file.seekBehindTime(realtime - 1);
    }
    file.seekBehindTime(realtime);
  }

  /** A runtime file is to be read from behind `origin`; its own first entry is the current one. */
  resumed({ file, place }: Member, origin: Cursor): void {
    const end = identityOf(origin);
    if (!file.hasEntry || end === undefined || end.bootId !== file.bootId || end.monotonic < file.monotonic) return;
    const { bootId, monotonic: first } = file;
    const seqnumId = file.header.seqnumId;
    const known = this.#stretchOf(seqnumId, bootId);
    if (known === undefined) this.#add({ writer: place.writer, seqnumId, bootId, first, last: end.monotonic }, end);
    else known.first = Math.min(known.first, first);
  }

  /** The current entry of a runtime file has been read. */
  passed({ file, place }: Member): void {
    const { bootId, monotonic } = file;
    const { seqnumId } = file.header;
    let stretch = this.#current;
    if (stretch === undefined || stretch.seqnumId !== seqnumId || stretch.bootId !== bootId) {
      stretch =
        this.#stretchOf(seqnumId, bootId) ??
        this.#add({ writer: place.writer, seqnumId, bootId, first: monotonic, last: monotonic });
      this.#current = stretch;
    }
    if (monotonic > stretch.last) {
      stretch.last = monotonic;
      stretch.lastEntry = undefined;
      stretch.alsoRead = 0;
      stretch.met = 0;
    }
    if (monotonic === stretch.last) stretch.alsoRead += 1;
  }

  /** Whether the current entry of a persistent file was read in a runtime file; to be passed at once if so. */
  isCopy(member: Member, files: Iterable<Member>): boolean {
    const { file, place } = member;
    if (file.bootId !== member.comparedBoot) {
      member.comparedBoot = file.bootId;
      this.#compareWithSaved(member, files);
    }
    for (const stretch of this.#stretches) {
      if (file.monotonic < stretch.first || file.monotonic > stretch.last) continue;
      if (stretch.bootId !== file.bootId || stretch.writer !== place.writer) continue;
      if (file.monotonic < stretch.last || isReadAtLast(stretch, file)) return true;
    }
    return false;
  }

  /**
   * Where the agent was restarted and the runtime files are gone, only the cursors of their sequences are left. If the very entry of
   * one is in the persistent files, not before the current entry, then what is up to it are copies.
   */
  #compareWithSaved({ file, place }: Member, files: Iterable<Member>): void {
    const { bootId, monotonic, header } = file;
    const ends = this.#saved.filter(
      (end) =>
        end.bootId === bootId && (end.seqnumId === header.seqnumId ? monotonic < end.monotonic : monotonic <= end.monotonic),
    );
    if (ends.length === 0) return;
    const persistent = [...files].filter((other) => !other.place.isRuntime && other.place.writer === place.writer);
    for (const end of ends) {
      if (!persistent.some((other) => holds(other.file, end, file))) continue;
      const { seqnumId = '' } = end;
      const known = this.#stretchOf(seqnumId, bootId);
      // The copies may be in several files, where the persistent one was rotated meanwhile.
      if (known !== undefined) known.first = Math.min(known.first, monotonic);
      else this.#add({ writer: place.writer, seqnumId, bootId, first: monotonic, last: end.monotonic }, end);
    }
  }

  #stretchOf(seqnumId: string, bootId: string): Stretch | undefined {
    return this.#stretches.findLast((its) => its.seqnumId === seqnumId && its.bootId === bootId);
  }

  #add(stretch: Pick<Stretch, 'writer' | 'seqnumId' | 'bootId' | 'first' | 'last'>, lastEntry?: EntryIdentity): Stretch {
    const added: Stretch = { ...stretch, lastEntry, alsoRead: 0, met: 0 };
    this.#stretches.push(added);
    if (this.#stretches.length > MAX_STRETCHES) this.#stretches.shift();
    return added;
  }
}

/** Of several entries of one time, copies come in the order of the entries. */
function isReadAtLast(stretch: Stretch, file: JournalFile): boolean {
  if (stretch.lastEntry !== undefined) {
    if (stretch.lastEntry.hash === hashOf(file)) stretch.lastEntry = undefined;
    return true;
  }
  if (stretch.met >= stretch.alsoRead) return false;
  stretch.met += 1;
  return true;
}

/** Whether `file` has the very entry `end`, in the sequence of `from` not before its current one. */
function holds(file: JournalFile, end: EntryIdentity, from: JournalFile): boolean {
  const { tailSeqnum, seqnumId } = file.header;
  if (seqnumId !== from.header.seqnumId || tailSeqnum < from.seqnum) return false;
  let search: JournalFile;
  try {
    search = new JournalFile(file.path, () => {});
  } catch {
    return false;
  }
  // In the order of the file: what is of this boot and earlier, the entry, what is later, other boots.
  const isPast = (): boolean => search.bootId !== end.bootId || search.monotonic >= end.monotonic;
  let at = firstIndex(search, isPast, undefined, search.countBetween(0, from.seqnum));
  let found = false;
  while (!found && search.readAt(at++) && search.bootId === end.bootId && search.monotonic === end.monotonic) {
    found = isEntry(search, end);
  }
  search.close();
  return found;
}

function isEntry(file: JournalFile, { bootId, monotonic, hash }: EntryIdentity): boolean {
  return file.monotonic === monotonic && file.bootId === bootId && hashOf(file) === hash;
}

function hashOf({ hashHigh, hashLow }: JournalFile): bigint {
  return (BigInt(hashHigh) << 32n) | BigInt(hashLow);
}

/** What `b`, `m` and `x` of a cursor say; undefined where one is missing. */
function identityOf({ text, seqnumId, bootId, realtime }: Cursor): EntryIdentity | undefined {
  const monotonic = /;m=([0-9a-f]+)/.exec(text)?.[1];
  const hash = /;x=([0-9a-f]+)/.exec(text)?.[1];
  if (bootId === undefined || monotonic === undefined || hash === undefined) return undefined;
  return { seqnumId, bootId, monotonic: Number.parseInt(monotonic, 16), hash: BigInt(`0x${hash}`), realtime };
}

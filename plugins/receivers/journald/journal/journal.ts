/**
 * All journal files together, as one sequence of entries that goes on. `refresh` looks for what is new, `current` is the next entry
 * in order, `advance` passes it.
 *
 * journald writes one entry after the other, each into the file of the system or of a user. Whoever looks at these files in turn
 * can see entry 11 in one and have missed entry 10 in another that was looked at a moment before. So `refresh` looks twice: what
 * is numbered up to the highest number seen the first time is complete the second time, and what is numbered above it waits.
 */
import { errnoOf, SluiceError } from '../../../../src/core/errors.ts';
import type { Cursor } from '../file/cursor.ts';
import type { FoundFile, JournalDirectories } from './directories.ts';
import { type Damage, JournalFile } from '../file/journal_file.ts';
import { compareEntries } from './order.ts';
import type { Positions } from '../position/positions.ts';

interface Member {
  readonly file: JournalFile;
  inode: number;
  /** True once the file stands where reading begins. */
  isBegun: boolean;
  /** True when nothing of the file is left to be read, now or later. */
  isDone: boolean;
  /** True until the next listing where the file could not be opened. */
  isBlocked: boolean;
  /** How many listings in a row lacked the file; after a few it has not been renamed but removed. */
  missed: number;
}

const MAX_MISSED = 3;

export class Journal {
  readonly #directories: JournalDirectories;
  readonly #positions: Positions;
  readonly #onDamage: Damage;
  /** By file id. */
  readonly #members = new Map<string, Member>();
  /** By seqnum id, where the sequence was to begin when its first file was found. */
  readonly #origins = new Map<string, Cursor>();
  /** By seqnum id, the number up to which the entries of all files are complete. */
  readonly #horizons = new Map<string, number>();
  /** The members with the next entry and the one after that, until something changes. */
  #first: Member | undefined;
  #second: Member | undefined;
  /** That of the first's sequence; one that was just met has none yet, and no other files either. */
  #horizon = Infinity;
  /** Why directories and files cannot be read, by path. */
  readonly problems = new Map<string, string>();

  /** Sequences begin where `positions` has them when their first file is found. */
  constructor(directories: JournalDirectories, positions: Positions, onDamage: Damage) {
    this.#directories = directories;
    this.#positions = positions;
    this.#onDamage = onDamage;
  }

  /** The files that are there and can be read, in no order. */
  get files(): JournalFile[] {
    return [...this.#members.values()].filter(({ missed }) => missed === 0).map(({ file }) => file);
  }

  /** Looks for files and entries that have come since; for files also where no directory seems changed, with `listAgain`. */
  refresh(listAgain: boolean): void {
    if (listAgain) this.#list();
    this.#refreshHeaders();
    for (const { file } of this.#members.values()) {
      const { seqnumId, tailSeqnum } = file.header;
      this.#horizons.set(seqnumId, Math.max(this.#horizons.get(seqnumId) ?? 0, tailSeqnum));
    }
    if (this.#directories.hasChanged()) this.#list();
    this.#refreshHeaders();
    for (const member of this.#members.values()) {
      if (member.isBegun && !member.isDone && !member.file.hasEntry && !member.file.advance()) this.#settle(member);
    }
    this.#elect();
  }

  /** The file whose current entry is the next in order; undefined where there is none yet. */
  current(): JournalFile | undefined {
    const [first, second] = [this.#first, this.#second];
    const isStale =
      first !== undefined && (!first.file.hasEntry || (second !== undefined && compareEntries(second.file, first.file) < 0));
    if (isStale) this.#elect();
    const file = this.#first?.file;
    return file === undefined || this.#mustWait(file) ? undefined : file;
  }

  /** Passes the current entry. */
  advance(): void {
    const first = this.#first;
    if (first !== undefined && !first.file.advance()) this.#settle(first);
  }

  close(): void {
    for (const { file } of this.#members.values()) file.close();
    this.#members.clear();
    this.#first = undefined;
    this.#second = undefined;
  }

  #refreshHeaders(): void {
    for (const { file, isDone } of this.#members.values()) if (!isDone) file.refresh();
  }

  /**
   * An entry above the horizon waits for the next look; of one that is above its own file's last number too, the number is damaged,
   * and waiting is of no use.
   */
  #mustWait(file: JournalFile): boolean {
    return file.seqnum > this.#horizon && file.seqnum <= file.header.tailSeqnum;
  }

  #elect(): void {
    this.#pick();
    while (this.#first?.isBegun === false) {
      this.#begin(this.#first);
      this.#pick();
    }
    this.#horizon = this.#horizons.get(this.#first?.file.header.seqnumId ?? '') ?? Infinity;
  }

  #pick(): void {
    this.#first = undefined;
    this.#second = undefined;
    for (const member of this.#members.values()) {
      if (!isCandidate(member)) continue;
      if (this.#first === undefined || compareEntries(member.file, this.#first.file) < 0) {
        this.#second = this.#first;
        this.#first = member;
      } else if (this.#second === undefined || compareEntries(member.file, this.#second.file) < 0) this.#second = member;
    }
  }

  /** Opens a file whose turn seems to be next, and moves to where reading begins in it. */
  #begin(member: Member): void {
    const { file } = member;
    const error = tryReopen(file);
    if (error !== undefined) {
      // Most likely it was renamed: then the listing has its new name.
      this.#list();
      const again = tryReopen(file);
      if (again !== undefined) {
        this.#note(file.path, again);
        member.isBlocked = true;
        return;
      }
    }
    const { seqnum, realtime } = this.#originOf(file);
    if (seqnum === undefined) file.seekBehindTime(realtime);
    else file.seekBehindSeqnum(seqnum);
    member.isBegun = true;
    if (!file.advance()) this.#settle(member);
  }

  /** Lets go of what a file without a current entry does not need any more. */
  #settle(member: Member): void {
    const { file } = member;
    const isOver = file.isFinal || member.missed >= MAX_MISSED;
    if (isOver && file.isExhausted) {
      member.isDone = true;
      file.close();
    } else file.windows.shrink();
  }

  #list(): void {
    this.problems.clear();
    const found = this.#directories.list();
    for (const [path, reason] of this.#directories.problems) this.problems.set(path, reason);
    const byPath = new Map([...this.#members.values()].map((member) => [member.file.path, member]));
    const seen = new Set<Member>();
    for (const file of found) {
      const known = byPath.get(file.path);
      const member = known?.inode === file.inode ? known : this.#meet(file, seen);
      if (member !== undefined) seen.add(member);
    }
    for (const [fileId, member] of this.#members) {
      member.isBlocked = false;
      member.missed = seen.has(member) ? 0 : member.missed + 1;
      if (member.missed < MAX_MISSED) continue;
      if (!member.isDone && member.file.isOpen && member.isBegun && !member.file.isExhausted) continue;
      member.file.close();
      this.#members.delete(fileId);
    }
  }

  /** The member that a path not known so far leads to: a file that was renamed, or a new one. */
  #meet({ path, inode }: FoundFile, seen: ReadonlySet<Member>): Member | undefined {
    let file: JournalFile;
    try {
      file = new JournalFile(path, this.#onDamage);
    } catch (error) {
      this.#note(path, error);
      return undefined;
    }
    const known = this.#members.get(file.header.fileId);
    if (known === undefined) return this.#add(file, inode);
    file.close();
    if (!seen.has(known)) {
      known.file.path = path;
      known.inode = inode;
    }
    return known;
  }

  #add(file: JournalFile, inode: number): Member {
    const { header } = file;
    const { seqnum = 0 } = this.#originOf(file);
    const isPassed = file.isFinal && header.tailSeqnum > 0 && header.tailSeqnum <= seqnum;
    // Until it is begun, what the header says of its first entry stands for the file in the order.
    file.seqnum = Math.max(header.headSeqnum, seqnum + 1);
    file.realtime = header.headRealtime;
    if (file.isFinal) file.close();
    const member: Member = { file, inode, isBegun: false, isDone: isPassed, isBlocked: false, missed: 0 };
    this.#members.set(header.fileId, member);
    return member;
  }

  #originOf({ header: { seqnumId } }: JournalFile): Cursor {
    const known = this.#origins.get(seqnumId);
    if (known !== undefined) return known;
    const origin = this.#positions.of(seqnumId);
    this.#origins.set(seqnumId, origin);
    this.#positions.set(origin);
    return origin;
  }

  #note(path: string, error: unknown): void {
    const errno = errnoOf(error);
    // A file that is gone was renamed or removed since the directory was listed; one without a header is being made.
    if (errno === 'ENOENT' || (error instanceof SluiceError && error.transient)) return;
    this.problems.set(path, error instanceof SluiceError ? error.message : (errno ?? String(error)));
  }
}

function isCandidate({ file, isBegun, isDone, isBlocked }: Member): boolean {
  return !isDone && !isBlocked && (isBegun ? file.hasEntry : file.header.entryCount > 0);
}

function tryReopen(file: JournalFile): unknown {
  try {
    file.reopen();
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * All journal files together, as one sequence of entries that goes on. `refresh` looks for what is new, `current` is the next entry
 * in order, `advance` passes it.
 *
 * journald writes one entry after the other, each into the file of the system or of a user, and numbers them with one counter.
 * Whoever looks at these files in turn can see entry 11 in one and have missed entry 10 in another that was looked at a moment
 * before. So `refresh` looks twice: what is numbered up to the highest number seen the first time is complete the second time, and
 * what is numbered above it waits.
 */
import type { Cursor } from '../file/cursor.ts';
import type { Damage, JournalFile } from '../file/journal_file.ts';
import type { Positions } from '../position/positions.ts';
import type { JournalDirectories } from './directories.ts';
import { Flushes } from './flushes.ts';
import { Gaps, type Loss } from './gaps.ts';
import { type Member, Members } from './members.ts';
import { compareEntries } from './order.ts';

/** What one look for the next entry may take: in copies of entries that it passes, each of which is one, and files it cannot open. */
const MAX_WORK = 65_536;
const WORK_OF_UNOPENABLE = 1024;

export class Journal {
  readonly #directories: JournalDirectories;
  readonly #positions: Positions;
  readonly #members: Members;
  readonly #flushes: Flushes;
  readonly #gaps: Gaps;
  /** By seqnum id, where the sequence was to begin when its first file was found. */
  readonly #origins = new Map<string, Cursor>();
  /** By writer, the number up to which the entries of all its files are complete. */
  readonly #horizons = new Map<string, number>();
  /** Files that are getting over damage. */
  readonly #searching = new Set<Member>();
  #hasMore = false;
  /** The members with the next entry and the one after that, until something changes. */
  #first: Member | undefined;
  #second: Member | undefined;
  /** That of the first's writer; one that was just met has none yet. */
  #horizon = Infinity;

  /** Sequences begin where `positions` has them when their first file is found. `onLost` is told of entries that nobody can read. */
  constructor(directories: JournalDirectories, positions: Positions, onDamage: Damage, onLost: Loss = () => {}) {
    this.#directories = directories;
    this.#positions = positions;
    this.#flushes = new Flushes(positions.cursors);
    this.#members = new Members(directories, onDamage, {
      onMet: (member) => this.#begin(member),
      onGone: (member) => this.#gaps.gone(member),
    });
    this.#gaps = new Gaps(directories, this.#members, positions.cursors, onLost);
  }

  /** True where `current` has no answer yet but will have one soon: ask again in a later turn of the event loop. */
  get isSearching(): boolean {
    return this.#searching.size > 0 || this.#hasMore;
  }

  /** The files that are there and can be read, in no order. */
  get files(): JournalFile[] {
    return [...this.#members].filter(({ missed, isAway }) => missed === 0 && !isAway).map(({ file }) => file);
  }

  /** Why directories and files cannot be read, by path. */
  get problems(): ReadonlyMap<string, string> {
    return this.#members.problems;
  }

  /** Looks for files and entries that have come since; for files also where no directory seems changed, with `listAgain`. */
  refresh(listAgain: boolean): void {
    if (listAgain) this.#list();
    this.#refreshHeaders();
    this.#horizons.clear();
    for (const { file, place, isDone } of this.#members) {
      if (isDone) continue;
      this.#horizons.set(place.writer, Math.max(this.#horizons.get(place.writer) ?? 0, file.header.tailSeqnum));
    }
    if (this.#directories.hasChanged()) this.#list();
    this.#refreshHeaders();
    for (const member of this.#members) if (!member.isDone && !member.file.hasEntry) this.#step(member);
    this.#elect();
  }

  /** The file whose current entry is the next in order; undefined where there is none yet. */
  current(): JournalFile | undefined {
    this.#hasMore = false;
    if (this.#searching.size > 0 && !this.#search()) return undefined;
    for (let work = 0; work < MAX_WORK; work++) {
      const [first, second] = [this.#first, this.#second];
      const isStale =
        first !== undefined && (!first.file.hasEntry || (second !== undefined && compareMembers(second, first) <= 0));
      if (isStale) this.#elect();
      const member = this.#first;
      if (member === undefined) return undefined;
      if (!this.#isOpen(member)) {
        work += WORK_OF_UNOPENABLE;
        this.#elect();
        continue;
      }
      if (!this.#isCopy(member)) return this.#mustWait(member.file) ? undefined : member.file;
      this.#step(member);
      if (this.#searching.size > 0) return undefined;
    }
    this.#hasMore = true;
    return undefined;
  }

  /** Passes the current entry. */
  advance(): void {
    const first = this.#first;
    if (first === undefined) return;
    if (first.place.isRuntime) this.#flushes.passed(first);
    this.#step(first);
  }

  close(): void {
    this.#members.close();
    this.#searching.clear();
    this.#first = undefined;
    this.#second = undefined;
  }

  #list(): void {
    this.#members.list();
    this.#gaps.listed();
  }

  /** Runtime files come last, so that what was copied out of them is seen in them too. */
  #refreshHeaders(): void {
    for (const { file, place, isDone } of this.#members) if (!isDone && !place.isRuntime) file.refresh();
    for (const { file, place, isDone } of this.#members) if (!isDone && place.isRuntime) file.refresh();
  }

  /**
   * An entry above the horizon waits for the next look; of one that is above its own file's last number too, the number is damaged,
   * and waiting is of no use.
   */
  #mustWait(file: JournalFile): boolean {
    return file.seqnum > this.#horizon && file.seqnum <= file.header.tailSeqnum;
  }

  /** Finds the next entry. One that is in two files is the next in one of them and passed in the other. */
  #elect(): void {
    for (let twin = this.#pick(); twin !== undefined; twin = this.#pick()) if (this.#isOpen(twin)) this.#step(twin);
    this.#horizon = this.#horizons.get(this.#first?.place.writer ?? '') ?? Infinity;
  }

  /** Sets the first and the second; returns a member with the same entry as the first, if there is one. */
  #pick(): Member | undefined {
    this.#first = undefined;
    this.#second = undefined;
    for (const member of this.#members) {
      if (member.isDone || member.isBlocked || !member.file.hasEntry) continue;
      const order = this.#first === undefined ? -1 : compareMembers(member, this.#first);
      if (order === 0) return member;
      if (order < 0) {
        this.#second = this.#first;
        this.#first = member;
      } else if (this.#second === undefined || compareMembers(member, this.#second) < 0) this.#second = member;
    }
    this.#keepSequence();
    return undefined;
  }

  /** Clocks that were set back can lead in a circle, but the numbers of a sequence must rise: its position is one of them. */
  #keepSequence(): void {
    for (const member of this.#members) {
      const first = this.#first;
      if (first === undefined || member.isDone || member.isBlocked || !member.file.hasEntry) continue;
      if (member.file.header.seqnumId !== first.file.header.seqnumId || member.file.seqnum >= first.file.seqnum) continue;
      this.#second = first;
      this.#first = member;
    }
  }

  /** Moves to where reading begins in a file that was met. All that is needed for the order is known then, also when it is closed. */
  #begin(member: Member): void {
    const { file, place } = member;
    const origin = this.#originOf(file);
    const { seqnum, realtime } = origin;
    if (place.isRuntime && file.advance()) this.#flushes.resumed(member, origin);
    if (seqnum === undefined) this.#flushes.seekBehindTime(file, realtime);
    else file.seekBehindSeqnum(seqnum);
    const isPassed = file.isFinal && file.header.tailSeqnum > 0 && file.header.tailSeqnum <= (seqnum ?? 0);
    if (isPassed) this.#end(member);
    else this.#step(member);
    if (file.isFinal && file.hasEntry) file.close();
    else file.rest();
  }

  /** Moves to the file's next entry; lets go of what it does not need any more where there is none. */
  #step(member: Member): void {
    const { file } = member;
    if (!file.isOpen) return void this.#searching.delete(member);
    const hasEntry = file.advance();
    if (file.isSearching) this.#searching.add(member);
    else this.#searching.delete(member);
    if (hasEntry || file.isSearching) return;
    if (this.#members.isOver(member)) this.#end(member);
    else file.rest();
  }

  /** Goes on where a file took longer to get over damage than anybody can wait; nobody knows what comes next until it is done. */
  #search(): boolean {
    const [member] = this.#searching;
    if (member !== undefined) this.#step(member);
    this.#elect();
    return this.#searching.size === 0;
  }

  #end(member: Member): void {
    member.isDone = true;
    member.file.close();
  }

  /** Whether the file can be read now; if not, it is blocked, and others have their turn. */
  #isOpen(member: Member): boolean {
    if (!member.file.isOpen && !this.#members.open(member)) return false;
    if (!member.isStarted) this.#gaps.started(member);
    return true;
  }

  #isCopy(member: Member): boolean {
    if (member.place.isRuntime || !this.#flushes.isCopy(member, this.#members)) return false;
    this.#gaps.metCopy(member);
    return true;
  }

  #originOf({ header: { seqnumId } }: JournalFile): Cursor {
    const known = this.#origins.get(seqnumId);
    if (known !== undefined) return known;
    const origin = this.#positions.of(seqnumId);
    this.#origins.set(seqnumId, origin);
    this.#positions.set(origin);
    if (origin.seqnum !== undefined && origin.seqnum > 0) this.#gaps.begins(seqnumId, origin.seqnum);
    return origin;
  }
}

/** An entry of a runtime file comes before its copy, which is known to be one when that was read. */
function compareMembers(a: Member, b: Member): number {
  return compareEntries(a.file, b.file) || Number(b.place.isRuntime) - Number(a.place.isRuntime);
}

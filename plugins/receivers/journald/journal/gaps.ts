/**
 * Counts entries that nobody can read any more. Of files that are or were known, their headers and lists say what was not read.
 * Of files that came and went unseen, or while the agent was down, the numbers do: those between two files of one sequence which
 * no file of the same journald has.
 *
 * Numbers jump within a file without any loss (another file's entries are numbered by the same counter; after a flush it goes on
 * from elsewhere), so only what is between files counts. It is counted late rather than wrongly: when the file behind the hole is
 * being read, several listings have not filled it, and nothing is in the way that may have what is missing.
 *
 * What was vacuumed before a sequence was ever read nobody knows of. And where a file goes unseen in which numbers had jumped, which takes
 * a flush that is not that of the boot, the numbers passed over count as if they had been entries.
 */
import type { Cursor } from '../file/cursor.ts';
import type { LossReason } from '../lost_entries.ts';
import type { JournalDirectories } from './directories.ts';
import { countWithin, type Hole, overlapOf } from './holes.ts';
import type { Member, Members } from './members.ts';

/** Told of entries that are lost, and why. */
export type Loss = (reason: LossReason, count: number) => void;

/** Numbers of entries that are accounted for: those of a file of which only the header is left, or of a hole that was counted. */
interface Accounted {
  readonly writer: string;
  readonly seqnumId: string;
  readonly headSeqnum: number;
  readonly tailSeqnum: number;
  readonly entryCount: number;
}

const MAX_REMEMBERED = 256;

/** How many listings in a row must show a hole. */
const MIN_SIGHTINGS = 3;

export class Gaps {
  readonly #directories: JournalDirectories;
  readonly #members: Members;
  readonly #onLost: Loss;
  /** By seqnum id, the number up to which everything is accounted for. */
  readonly #accounted = new Map<string, number>();
  /** By seqnum id, the hole that was seen in it, and how often. */
  readonly #sightings = new Map<string, { readonly before: number; count: number }>();
  readonly #remembered: Accounted[] = [];
  /** How far sequences had been read before this start. */
  readonly #saved: readonly Cursor[];
  /** How much of what could not be read was told, by member. */
  readonly #told = new WeakMap<Member, number>();

  constructor(directories: JournalDirectories, members: Members, saved: readonly Cursor[], onLost: Loss) {
    this.#directories = directories;
    this.#saved = saved;
    this.#members = members;
    this.#onLost = onLost;
  }

  /** A sequence is read from behind this number. */
  begins(seqnumId: string, seqnum: number): void {
    this.#accounted.set(seqnumId, seqnum);
  }

  /** A file's current entry is the first of it that is read. */
  started(member: Member): void {
    member.isStarted = true;
    const { header, seqnum } = member.file;
    if (!this.#accounted.has(header.seqnumId)) this.#accounted.set(header.seqnumId, seqnum);
  }

  /** An entry of the file is the copy of one that was read: numbers have jumped when it was copied. */
  metCopy({ file }: Member): void {
    this.#account(file.header.seqnumId, file.seqnum);
  }

  /** A file was removed. */
  gone(member: Member): void {
    const { file, place } = member;
    const { seqnumId, headSeqnum, tailSeqnum, entryCount } = file.header;
    this.#tellUnreadable(member);
    // A runtime file that goes with its directory was flushed.
    const isFlushed = place.isRuntime && !this.#directories.has(place);
    if (!isFlushed && file.unreadCount > 0) this.#onLost('vacuumed', file.unreadCount);
    this.#account(seqnumId, tailSeqnum);
    this.#remember({ writer: place.writer, seqnumId, headSeqnum, tailSeqnum, entryCount });
  }

  /** The directories were listed. */
  listed(): void {
    for (const member of this.#members) this.#tellUnreadable(member);
    if (!this.#directories.isComplete) return;
    const bySequence = Map.groupBy(this.#members, ({ file }) => file.header.seqnumId);
    for (const [seqnumId, members] of bySequence) {
      const accounted = this.#accounted.get(seqnumId);
      if (accounted !== undefined) this.#findHole(seqnumId, members, accounted);
    }
  }

  /** Looks at the first hole of a sequence; the next one has its turn when this is accounted for. */
  #findHole(seqnumId: string, members: readonly Member[], accounted: number): void {
    const ordered = members
      .filter(({ file }) => file.header.entryCount > 0)
      .toSorted((a, b) => a.file.header.headSeqnum - b.file.header.headSeqnum);
    let after = accounted;
    for (const member of ordered) {
      const { headSeqnum, tailSeqnum } = member.file.header;
      if (headSeqnum > after + 1) return this.#sight(seqnumId, member, { after, before: headSeqnum });
      after = Math.max(after, tailSeqnum);
    }
    this.#sightings.delete(seqnumId);
  }

  #sight(seqnumId: string, member: Member, hole: Hole): void {
    const known = this.#sightings.get(seqnumId);
    const sighting = known?.before === hole.before ? known : { before: hole.before, count: 0 };
    this.#sightings.set(seqnumId, sighting);
    const { writer } = member.place;
    if (!member.isStarted || this.#isInTheWay(writer)) return;
    sighting.count += 1;
    if (sighting.count < MIN_SIGHTINGS) return;
    this.#sightings.delete(seqnumId);
    this.#account(seqnumId, hole.before);
    const after = Math.max(hole.after, this.#readBefore(writer));
    const lost = hole.before - after - 1 - this.#countElsewhere(writer, seqnumId, { after, before: hole.before });
    if (lost <= 0) return;
    this.#remember({ writer, seqnumId, headSeqnum: after + 1, tailSeqnum: hole.before - 1, entryCount: lost });
    this.#onLost(this.#problemsOf(writer).length > 0 ? 'unreadable' : 'vacuumed', lost);
  }

  /**
   * The number up to which entries of the writer had been read or counted before this start. That of another sequence may be further than
   * the one with the hole had come, and nobody knows which entries within the hole it had if its files are gone.
   */
  #readBefore(writer: string): number {
    const writers = new Map([...this.#members].map(({ file, place }) => [file.header.seqnumId, place.writer]));
    const own = this.#saved.filter((cursor) => writers.get(cursor.seqnumId ?? '') === writer);
    const latest = Math.max(...own.map(({ realtime }) => realtime));
    const candidates = this.#saved.filter(
      (cursor) => cursor.realtime >= latest && (writers.get(cursor.seqnumId ?? '') ?? writer) === writer,
    );
    return Math.max(0, ...candidates.map(({ seqnum = 0 }) => seqnum));
  }

  /** Entries within the hole that other sequences of the same journald have or had, and those that were counted in them as lost. */
  #countElsewhere(writer: string, seqnumId: string, hole: Hole): number {
    const others = [...this.#members].filter(({ file, place }) => place.writer === writer && file.header.seqnumId !== seqnumId);
    let count = countWithin(
      others.map(({ file }) => file),
      hole,
    );
    for (const its of this.#remembered) {
      if (its.writer === writer && its.seqnumId !== seqnumId) count += Math.min(overlapOf(its, hole), its.entryCount);
    }
    return count;
  }

  /** Whether there are files that cannot be read now, and later perhaps can. */
  #isInTheWay(writer: string): boolean {
    return this.#problemsOf(writer).some((path) => !this.#members.ruined.has(path));
  }

  /** Files and directories of the writer that cannot be read. */
  #problemsOf(writer: string): string[] {
    return [...this.#members.problems.keys()].filter((path) => path.split('/').slice(-2).includes(writer) || writer === '');
  }

  #tellUnreadable(member: Member): void {
    const count = member.file.unreadableCount;
    const told = this.#told.get(member) ?? 0;
    this.#told.set(member, Math.max(told, count));
    // What journald vacuums it empties first, so that not even who has it open can read on.
    if (count > told) this.#onLost(member.missed > 0 ? 'vacuumed' : 'unreadable', count - told);
  }

  #remember(accounted: Accounted): void {
    this.#remembered.push(accounted);
    if (this.#remembered.length > MAX_REMEMBERED) this.#remembered.shift();
  }

  #account(seqnumId: string, seqnum: number): void {
    const known = this.#accounted.get(seqnumId);
    if (known === undefined || known < seqnum) this.#accounted.set(seqnumId, seqnum);
  }
}

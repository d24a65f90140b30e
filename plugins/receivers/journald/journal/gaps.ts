/**
 * Counts entries that nobody can read any more. Of files that are or were known, their headers and lists say what was not read.
 * Of files that came and went unseen, or while the agent was down, the numbers do: those between two files of one sequence which
 * no file of the same journald has.
 *
 * Numbers jump within a file without any loss (another file's entries are numbered by the same counter; after a flush it goes on
 * from elsewhere), so only what is between files counts. It is counted late rather than wrongly: when the file behind the hole is
 * being read, several listings have not filled it, and nothing is in the way that may have what is missing.
 */
import type { LossReason } from '../lost_entries.ts';
import type { JournalDirectories } from './directories.ts';
import { countWithin, type Hole } from './holes.ts';
import type { Member, Members } from './members.ts';

/** Told of entries that are lost, and why. */
export type Loss = (reason: LossReason, count: number) => void;

/** A file of which only its header is left. */
interface GoneFile {
  readonly writer: string;
  readonly seqnumId: string;
  readonly headSeqnum: number;
  readonly tailSeqnum: number;
  readonly entryCount: number;
}

const MAX_GONE_FILES = 256;

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
  readonly #gone: GoneFile[] = [];
  /** How much of what could not be read was told, by member. */
  readonly #told = new WeakMap<Member, number>();

  constructor(directories: JournalDirectories, members: Members, onLost: Loss) {
    this.#directories = directories;
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
    this.#gone.push({ writer: place.writer, seqnumId, headSeqnum, tailSeqnum, entryCount });
    if (this.#gone.length > MAX_GONE_FILES) this.#gone.shift();
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
    const isRuined = this.#problemsOf(writer).length > 0;
    const lost = hole.before - hole.after - 1 - this.#countElsewhere(writer, seqnumId, hole);
    if (lost > 0) this.#onLost(isRuined ? 'unreadable' : 'vacuumed', lost);
  }

  /** Entries within the hole that other sequences of the same journald have, or had. */
  #countElsewhere(writer: string, seqnumId: string, hole: Hole): number {
    const others = [...this.#members].filter(({ file, place }) => place.writer === writer && file.header.seqnumId !== seqnumId);
    let count = countWithin(
      others.map(({ file }) => file),
      hole,
    );
    for (const gone of this.#gone) {
      if (gone.writer !== writer || gone.seqnumId === seqnumId) continue;
      const overlap = Math.min(gone.tailSeqnum, hole.before - 1) - Math.max(gone.headSeqnum, hole.after + 1) + 1;
      count += Math.max(0, Math.min(overlap, gone.entryCount));
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
    if (count > told) this.#onLost('unreadable', count - told);
  }

  #account(seqnumId: string, seqnum: number): void {
    const known = this.#accounted.get(seqnumId);
    if (known === undefined || known < seqnum) this.#accounted.set(seqnumId, seqnum);
  }
}

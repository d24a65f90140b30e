/**
 * The files that make up the journal, found by listing its directories. A file is known by the id in its header: it may be renamed,
 * as journald does when it archives it, turn up under a second path, or be back after its file system was away.
 */
import { errnoOf, SluiceError } from '../../../../src/core/errors.ts';
import { type Damage, JournalFile } from '../file/journal_file.ts';
import type { FoundFile, JournalDirectories, Place } from './directories.ts';

export interface Member {
  readonly file: JournalFile;
  place: Place;
  /** Device and inode. */
  identity: string;
  /** True when nothing of the file is left to be read, now or later. */
  isDone: boolean;
  /** True once its entries have had their turn. */
  isStarted: boolean;
  /** The boot of the entry that was compared last with what had been read before the start. */
  comparedBoot: string;
  /** True where the file could not be opened, until the directories are listed again or it turns up under another path. */
  isBlocked: boolean;
  /** True while the file cannot be seen for another reason than that it was removed. */
  isAway: boolean;
  /** How many listings in a row lacked the file; after a few it has not been renamed but removed. */
  missed: number;
}

/** What is to be done about a file that was met for the first time, and about one that is gone. */
export interface MemberEvents {
  readonly onMet: (member: Member) => void;
  readonly onGone: (member: Member) => void;
}

const MAX_MISSED = 3;

/** A file that still lacks its header after so many listings is not being made: it was cut off. */
const MAX_UNFINISHED = 6;

export class Members {
  readonly #directories: JournalDirectories;
  readonly #onDamage: Damage;
  readonly #events: MemberEvents;
  /** By file id. */
  readonly #members = new Map<string, Member>();
  /** Why directories and files cannot be read, by path. */
  readonly problems = new Map<string, string>();
  /** Those of them that are files which are damaged, so that nobody will ever be able to read them. */
  readonly ruined = new Set<string>();
  /** How many listings in a row a file had no header yet, by path. */
  #unfinished = new Map<string, number>();

  constructor(directories: JournalDirectories, onDamage: Damage, events: MemberEvents) {
    this.#directories = directories;
    this.#onDamage = onDamage;
    this.#events = events;
  }

  [Symbol.iterator](): Iterator<Member> & Iterable<Member> {
    return this.#members.values();
  }

  /** Looks for files that have come, gone or been renamed. What could not be opened before is tried again. */
  list(): void {
    this.#find();
    for (const member of this.#members.values()) member.isBlocked = false;
  }

  /**
   * Opens a file that was closed; where it is not found, looks for where it is now. False where it cannot be opened, until the next
   * `list`.
   */
  open(member: Member): boolean {
    const error = tryReopen(member.file);
    if (error === undefined) return true;
    // Most likely it was renamed: then the listing has its new name. Of many files that are gone, the first has their directory listed.
    if (isElsewhere(error) && this.#directories.hasChanged()) {
      this.#find();
      if (tryReopen(member.file) === undefined) return true;
    }
    this.#note(member.file.path, error);
    member.isBlocked = true;
    return false;
  }

  /** Whether the file's entries have all been given, and there will be no more. */
  isOver({ file, missed }: Member): boolean {
    return file.isExhausted && !file.isSearching && (file.isFinal || missed >= MAX_MISSED);
  }

  close(): void {
    for (const { file } of this.#members.values()) file.close();
    this.#members.clear();
  }

  #find(): void {
    this.problems.clear();
    this.ruined.clear();
    const unfinished = this.#unfinished;
    this.#unfinished = new Map();
    const found = this.#directories.list();
    for (const [path, reason] of this.#directories.problems) this.problems.set(path, reason);
    const byPath = new Map(this.#members.values().map((member) => [member.file.path, member]));
    const seen = new Set<Member>();
    for (const file of found) {
      const known = byPath.get(file.path);
      const member = known?.identity === file.identity ? known : this.#meet(file, seen, unfinished);
      if (member !== undefined) seen.add(member);
    }
    const missing = [...this.#members.values()].filter((member) => !seen.has(member));
    for (const member of seen) [member.missed, member.isAway] = [0, false];
    const removed = removedDirectories(missing);
    for (const member of missing) {
      const { file, place } = member;
      member.isAway = !file.isRemoved && !removed.has(place.identity) && !this.#directories.isRemovedFrom(place);
      if (!member.isAway) this.#miss(member);
    }
  }

  #miss(member: Member): void {
    const { file } = member;
    member.missed += 1;
    if (member.missed < MAX_MISSED) return;
    // What is open can be read to its end, whether it has a name or not.
    if (!member.isDone && file.isOpen && !file.isExhausted) return;
    this.#members.delete(file.header.fileId);
    this.#events.onGone(member);
    file.close();
  }

  /** The member that a path not known so far leads to: a file that was renamed, or a new one. */
  #meet(
    { path, identity, place }: FoundFile,
    seen: ReadonlySet<Member>,
    unfinished: ReadonlyMap<string, number>,
  ): Member | undefined {
    let file: JournalFile;
    try {
      file = new JournalFile(path, this.#onDamage);
    } catch (error) {
      if (isUnfinished(error)) this.#unfinished.set(path, (unfinished.get(path) ?? 0) + 1);
      this.#note(path, error);
      return undefined;
    }
    const known = this.#members.get(file.header.fileId);
    if (known === undefined) return this.#add(file, identity, place);
    file.close();
    if (!seen.has(known)) {
      const isAnother = known.identity !== identity;
      Object.assign(known, { identity, place, isBlocked: false });
      known.file.path = path;
      if (isAnother && known.file.isOpen) {
        known.file.close();
        tryReopen(known.file);
      }
    }
    return known;
  }

  #add(file: JournalFile, identity: string, place: Place): Member {
    const state = { isDone: false, isStarted: false, comparedBoot: '', isBlocked: false, isAway: false, missed: 0 };
    const member: Member = { file, place, identity, ...state };
    this.#members.set(file.header.fileId, member);
    this.#events.onMet(member);
    return member;
  }

  #note(path: string, error: unknown): void {
    const errno = errnoOf(error);
    // A file that is gone was renamed or removed since the directory was listed; one without a header is being made, at first.
    if (errno === 'ENOENT') return;
    const isYoung = error instanceof SluiceError && error.transient && (this.#unfinished.get(path) ?? 0) < MAX_UNFINISHED;
    if (isYoung) return;
    this.problems.set(path, error instanceof SluiceError ? error.message : (errno ?? String(error)));
    if (error instanceof SluiceError && error.code === 'state_invalid') this.ruined.add(path);
  }
}

/** Whether a file has no header, as one that was made a moment ago. */
function isUnfinished(error: unknown): boolean {
  return error instanceof SluiceError && error.transient && error.code === 'unsupported';
}

/**
 * Identities of directories that were removed, going by the files in them that cannot be seen but are open: those have no name any
 * more. What has one was moved away with its directory; and no file system can be unmounted while a file of it is open.
 */
function removedDirectories(missing: readonly Member[]): ReadonlySet<string> {
  const open = Map.groupBy(
    missing.filter(({ file }) => file.isOpen),
    ({ place }) => place.identity,
  );
  return new Set([...open].flatMap(([identity, its]) => (its.every(({ file }) => file.isRemoved) ? identity : [])));
}

/** Whether a file was not found at its path, or another one was. */
function isElsewhere(error: unknown): boolean {
  return errnoOf(error) === 'ENOENT' || (error instanceof SluiceError && error.code === 'path_conflict');
}

function tryReopen(file: JournalFile): unknown {
  try {
    file.reopen();
    return undefined;
  } catch (error) {
    return error;
  }
}

/**
 * Finds journal files: in each root directory, and in those of its subdirectories that belong to a machine, as journald lays them
 * out (`/var/log/journal/<machine id>/system.journal`). A machine's directory may be a link to one elsewhere, as it is for
 * containers; a directory to which several ways lead is listed once.
 */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { errnoOf } from '../../../../src/core/errors.ts';
import { isJournalFile, isMachineDirectory, isUserFile } from './names.ts';

/** Where journald keeps its files until it may write to /var/log/journal, where it copies them then (`journalctl --flush`). */
const RUNTIME_ROOT = '/run/log/journal';

/** Where the system's journald keeps its files, for good and until the next boot. */
export const SYSTEM_ROOTS: readonly string[] = ['/var/log/journal', RUNTIME_ROOT];

export interface DirectoryScope {
  /** Default: the default namespace; see `isMachineDirectory`. Files right in a root belong to none and are always found. */
  readonly namespace?: string | undefined;
  /** Whether files of users are found too. Default true. */
  readonly includeUsers?: boolean;
  /** The root in which files are kept only until they are flushed. Default /run/log/journal. */
  readonly runtimeRoot?: string;
}

/** A directory in which files were found. */
export interface Place {
  readonly path: string;
  /** Device and inode, which tell it from another that is mounted in its stead. */
  readonly identity: string;
  /** The root in which it lies; undefined for a root. */
  readonly root: Place | undefined;
  /**
   * Whose files these are: those in directories of the same name are written by the same journald, which numbers its entries with
   * one counter and moves them from the runtime root to the other.
   */
  readonly writer: string;
  readonly isRuntime: boolean;
}

export interface FoundFile {
  readonly path: string;
  /** Device and inode, which tell the file from another one that takes over its name. */
  readonly identity: string;
  readonly place: Place;
}

interface Listed {
  readonly place: Place;
  readonly changedMs: number;
  /** False where the directory was found changed: within the resolution of its time it may change once more. */
  readonly isSettled: boolean;
}

export class JournalDirectories {
  readonly roots: readonly string[];
  /** Whether all files of each writer are found, so that a number that is in none of them is missing. */
  readonly isComplete: boolean;
  readonly #namespace: string | undefined;
  readonly #runtimeRoot: string;
  #listed = new Map<string, Listed>();
  /** Why directories could not be listed, by path; those that do not exist are not among them. */
  readonly problems = new Map<string, string>();

  constructor(roots: readonly string[], { namespace, includeUsers = true, runtimeRoot = RUNTIME_ROOT }: DirectoryScope = {}) {
    this.roots = roots;
    this.isComplete = includeUsers;
    this.#namespace = namespace;
    this.#runtimeRoot = runtimeRoot;
  }

  /** What is looked for, and where, in words. */
  get described(): string {
    const where = this.roots.join(' or ');
    return this.#namespace === undefined ? `journal in ${where}` : `journal of namespace ${this.#namespace} in ${where}`;
  }

  /** The directories that are there, for watching. */
  get present(): Place[] {
    return [...this.#listed.values()].map(({ place }) => place);
  }

  /** Whether files may have come, gone or been renamed since the last `list`. */
  hasChanged(): boolean {
    for (const root of this.roots) if (!this.#listed.has(root) && this.#isNew(statOf(root))) return true;
    for (const [path, { changedMs, isSettled, place }] of this.#listed) {
      const stats = isSettled ? statOf(path) : undefined;
      if (stats === undefined || stats.mtimeMs !== changedMs || identityOf(stats) !== place.identity) return true;
    }
    return false;
  }

  /** All journal files there are now. */
  list(): FoundFile[] {
    const before = this.#listed;
    this.#listed = new Map();
    this.problems.clear();
    return this.roots.flatMap((root) => this.#list(root, undefined, before));
  }

  /**
   * Whether a file that was found in `place` and was not in the last list has been removed. What cannot be seen for another reason,
   * as when its file system is not mounted, may be back.
   */
  isRemovedFrom(place: Place): boolean {
    if (this.#listed.has(place.path)) return this.has(place) && !this.problems.has(place.path);
    return place.root !== undefined && this.isRemovedFrom(place.root);
  }

  /** Whether the directory was there in the last list, it and not another. */
  has(place: Place): boolean {
    return this.#listed.get(place.path)?.place.identity === place.identity;
  }

  #list(directory: string, root: Place | undefined, before: ReadonlyMap<string, Listed>): FoundFile[] {
    const stats = statOf(directory);
    if (stats === undefined || !this.#isNew(stats)) return [];
    const identity = identityOf(stats);
    const isRuntime = (root?.path ?? directory) === this.#runtimeRoot;
    const place = { path: directory, identity, root, writer: root === undefined ? '' : basename(directory), isRuntime };
    this.#listed.set(directory, {
      place,
      changedMs: stats.mtimeMs,
      isSettled: before.get(directory)?.changedMs === stats.mtimeMs,
    });
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      this.problems.set(directory, errnoOf(error) ?? String(error));
      return [];
    }
    return names.flatMap((name): FoundFile[] => {
      const path = join(directory, name);
      if (root === undefined && isMachineDirectory(name, this.#namespace)) return this.#list(path, place, before);
      if (!isJournalFile(name) || (!this.isComplete && isUserFile(name))) return [];
      const file = statOf(path);
      return file?.isFile() === true ? [{ path, identity: identityOf(file), place }] : [];
    });
  }

  /** Whether this is a directory, and none that was listed under another path. */
  #isNew(stats: Stats | undefined): boolean {
    if (stats?.isDirectory() !== true) return false;
    const identity = identityOf(stats);
    return !this.#listed.values().some(({ place }) => place.identity === identity);
  }
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** Undefined where nothing is there, or nothing that may be seen. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

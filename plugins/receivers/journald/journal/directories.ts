/**
 * Finds journal files: in each root directory, and in those of its subdirectories that are named for a machine id, as journald lays
 * them out (`/var/log/journal/<machine id>/system.journal`).
 */
import { readdirSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../../src/core/errors.ts';

export interface FoundFile {
  readonly path: string;
  /** Tells the file from another one that takes over its name. */
  readonly inode: number;
}

interface Listed {
  readonly changedMs: number;
  /** False where the directory was found changed: within the resolution of its time it may change once more. */
  readonly isSettled: boolean;
}

const MACHINE_ID = /^[0-9a-f]{32}$/;

/** `.journal~` are files that were left unclean. */
const JOURNAL = /\.journal~?$/;

export class JournalDirectories {
  readonly roots: readonly string[];
  #listed = new Map<string, Listed>();
  /** Why directories could not be listed, by path; those that do not exist are not among them. */
  readonly problems = new Map<string, string>();

  constructor(roots: readonly string[]) {
    this.roots = roots;
  }

  /** The directories that are there, for watching. */
  get present(): string[] {
    return [...this.#listed.keys()];
  }

  /** Whether files may have come, gone or been renamed since the last `list`. */
  hasChanged(): boolean {
    for (const root of this.roots) if (!this.#listed.has(root) && statOf(root) !== undefined) return true;
    for (const [path, { changedMs, isSettled }] of this.#listed) {
      if (!isSettled || statOf(path)?.mtimeMs !== changedMs) return true;
    }
    return false;
  }

  /** All journal files there are now. */
  list(): FoundFile[] {
    const before = this.#listed;
    this.#listed = new Map();
    this.problems.clear();
    return this.roots.flatMap((root) => this.#listDirectory(root, true, before));
  }

  #listDirectory(directory: string, isRoot: boolean, before: ReadonlyMap<string, Listed>): FoundFile[] {
    const stats = statOf(directory);
    if (stats === undefined || this.#listed.has(directory)) return [];
    this.#listed.set(directory, { changedMs: stats.mtimeMs, isSettled: before.get(directory)?.changedMs === stats.mtimeMs });
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (error) {
      this.problems.set(directory, errnoOf(error) ?? String(error));
      return [];
    }
    return names.flatMap((name): FoundFile[] => {
      const path = join(directory, name);
      if (isRoot && MACHINE_ID.test(name)) return this.#listDirectory(path, false, before);
      const file = JOURNAL.test(name) ? statOf(path) : undefined;
      return file?.isFile() === true ? [{ path, inode: file.ino }] : [];
    });
  }
}

/** Undefined where nothing is there, or nothing that may be seen. */
function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}

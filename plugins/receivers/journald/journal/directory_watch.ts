/** Tells of changes in directories as the system reports them; where it cannot, whoever listens has to look now and then. */
import { type FSWatcher, watch } from 'node:fs';

/** A directory, and what tells it from another one that is at the same path later. */
interface Watched {
  readonly path: string;
  readonly identity: string;
}

export class DirectoryWatch {
  readonly #onChange: () => void;
  /** By identity. */
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches these directories from now on, and no others. */
  follow(directories: readonly Watched[]): void {
    const wanted = new Set(directories.map(({ identity }) => identity));
    for (const identity of this.#watchers.keys()) if (!wanted.has(identity)) this.#drop(identity);
    for (const directory of directories) if (!this.#watchers.has(directory.identity)) this.#add(directory);
  }

  close(): void {
    this.follow([]);
  }

  #add({ path, identity }: Watched): void {
    try {
      const watcher = watch(path, { persistent: false }, this.#onChange);
      // The directory is gone, or the system's watches are used up: the regular look is enough until it can be watched again.
      watcher.on('error', () => this.#drop(identity));
      this.#watchers.set(identity, watcher);
    } catch {
      // As above.
    }
  }

  #drop(identity: string): void {
    this.#watchers.get(identity)?.close();
    this.#watchers.delete(identity);
  }
}

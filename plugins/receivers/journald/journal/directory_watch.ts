/** Tells of changes in directories as the system reports them; where it cannot, whoever listens has to look now and then. */
import { type FSWatcher, watch } from 'node:fs';

export class DirectoryWatch {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Watches these directories from now on, and no others. */
  follow(directories: readonly string[]): void {
    for (const path of this.#watchers.keys()) if (!directories.includes(path)) this.#drop(path);
    for (const path of directories) if (!this.#watchers.has(path)) this.#add(path);
  }

  close(): void {
    this.follow([]);
  }

  #add(path: string): void {
    try {
      const watcher = watch(path, { persistent: false }, this.#onChange);
      // The directory is gone, or the system's watches are used up: the regular look is enough until it can be watched again.
      watcher.on('error', () => this.#drop(path));
      this.#watchers.set(path, watcher);
    } catch {
      // As above.
    }
  }

  #drop(path: string): void {
    this.#watchers.get(path)?.close();
    this.#watchers.delete(path);
  }
}

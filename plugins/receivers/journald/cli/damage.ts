/** What could not be read, counted. */

/** What the reader's reasons stand for: of one, and of several. Others are ways to compress. */
const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  entry: ['entry', 'entries'],
  entry_array: ['list of entries', 'lists of entries'],
  data: ['field', 'fields'],
  too_large: ['field that is too large', 'fields that are too large'],
};

/** Files that are named. */
const MAX_PATHS = 5;

export class DamageCount {
  readonly #counts = new Map<string, number>();
  readonly #paths = new Set<string>();

  add(reason: string, path?: string): void {
    if (path !== undefined) this.#paths.add(path);
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** `2 entries, 1 field in /path`; empty where all could be read. */
  toString(): string {
    const counts = [...this.#counts].map(([reason, number]) => {
      const [one, several] = WORDS[reason] ?? [`field (${reason})`, `fields (${reason})`];
      return `${number} ${number === 1 ? one : several}`;
    });
    return this.#paths.size === 0 ? counts.join(', ') : `${counts.join(', ')} in ${this.#places()}`;
  }

  #places(): string {
    const paths = [...this.#paths].sort();
    const named = paths.slice(0, MAX_PATHS).join(', ');
    return paths.length > MAX_PATHS ? `${named} and ${paths.length - MAX_PATHS} other files` : named;
  }
}

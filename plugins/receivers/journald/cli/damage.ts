/** What could not be read, counted. */

/** What the reader's reasons stand for: of one, and of several. Others are ways to compress. */
const WORDS: Readonly<Record<string, readonly [string, string]>> = {
  entry: ['entry', 'entries'],
  entry_array: ['list of entries', 'lists of entries'],
  data: ['field', 'fields'],
  too_large: ['field that is too large', 'fields that are too large'],
};

export class DamageCount {
  readonly #counts = new Map<string, number>();

  add(reason: string): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
  }

  /** `2 entries, 1 field`; empty where all could be read. */
  toString(): string {
    return [...this.#counts]
      .map(([reason, number]) => {
        const [one, several] = WORDS[reason] ?? [`field (${reason})`, `fields (${reason})`];
        return `${number} ${number === 1 ? one : several}`;
      })
      .join(', ');
  }
}

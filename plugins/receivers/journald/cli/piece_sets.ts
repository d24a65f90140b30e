/**
 * What sets of long-lived objects amount to. Most entries of a service refer to the very same objects but for a few, so that set is found
 * by the objects' keys alone, and its pieces lie side by side.
 */

/** Pieces side by side in the shared bytes. */
export interface PieceSet {
  readonly keys: Uint32Array;
  /** Conditions of the selection that its fields fulfil. */
  readonly bits: number;
  /** Of all its pieces. */
  readonly start: number;
  readonly end: number;
  /** Of each piece: where it ends, and the id of its name. */
  readonly ends: Uint32Array;
  readonly names: Uint16Array;
}

/** Places are by hash alone: of two sets that fall on the same, the later one stays. */
const PLACES = 2048;

export class PieceSets {
  readonly #sets: (PieceSet | undefined)[] = Array.from({ length: PLACES }, () => undefined);

  /** The set of the first `count` of `keys`, with `hash` made of them too. */
  find(keys: Uint32Array, count: number, hash: number): PieceSet | undefined {
    const set = this.#sets[hash & (PLACES - 1)];
    if (set?.keys.length !== count) return undefined;
    const known = set.keys;
    for (let index = 0; index < count; index++) if (known[index] !== keys[index]) return undefined;
    return set;
  }

  add(set: PieceSet, hash: number): void {
    this.#sets[hash & (PLACES - 1)] = set;
  }

  clear(): void {
    this.#sets.fill(undefined);
  }
}

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

/** About what a set takes, in bytes, and what each of its keys takes with the piece that it stands for. */
const SET_BYTES = 512;
const PIECE_BYTES = 10;

export class PieceSets {
  readonly #sets: (PieceSet | undefined)[] = Array.from({ length: PLACES }, () => undefined);
  /** Memory that they take, in bytes. */
  memoryBytes = PLACES * 8;

  /** The set of the first `count` of `keys`, with `hash` made of them too. */
  find(keys: Uint32Array, count: number, hash: number): PieceSet | undefined {
    const set = this.#sets[hash & (PLACES - 1)];
    if (set?.keys.length !== count) return undefined;
    const known = set.keys;
    for (let index = 0; index < count; index++) if (known[index] !== keys[index]) return undefined;
    return set;
  }

  add(set: PieceSet, hash: number): void {
    const place = hash & (PLACES - 1);
    this.memoryBytes += bytesOf(set) - bytesOf(this.#sets[place]);
    this.#sets[place] = set;
  }

  clear(): void {
    this.#sets.fill(undefined);
    this.memoryBytes = PLACES * 8;
  }
}

function bytesOf(set: PieceSet | undefined): number {
  return set === undefined ? 0 : SET_BYTES + PIECE_BYTES * set.keys.length;
}

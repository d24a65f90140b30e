/** Drawn from a seed, so that what happens can be made to happen again: at least 0, below 1. */
export type Random = () => number;

/** A whole number, at least 0, below `bound`. */
export function below(random: Random, bound: number): number {
  return Math.floor(random() * bound);
}

/** A disk writes sectors whole, and those of one write in any order. */
const SECTOR_BYTES = 512;

/** How often a loss of power leaves unsynced writes as they were made up to some byte, rather than some of their sectors. */
const CHANCE_OF_TORN_END = 0.7;

/** What it takes to undo a write or a truncation. */
interface Change {
  readonly position: number;
  /** What a write wrote; undefined for a truncation. */
  readonly written: number | undefined;
  readonly sizeBefore: number;
  /** The bytes that were there before, from `position` on. */
  readonly before: Buffer;
}

/**
 * A file without its name. Bytes are kept as the processes see them, with what it takes to undo each change since the last sync, so
 * that writing and syncing cost no more than the bytes written.
 */
export class SimulatedInode {
  modifiedMs = 0;
  #bytes = Buffer.alloc(0);
  #size = 0;
  #changes: Change[] = [];

  get size(): number {
    return this.#size;
  }

  /** A view of what the file holds; not to be kept. */
  get content(): Buffer {
    return this.#bytes.subarray(0, this.#size);
  }

  read(into: Uint8Array, position: number): number {
    const end = Math.min(this.#size, position + into.length);
    if (end <= position) return 0;
    into.set(this.#bytes.subarray(position, end));
    return end - position;
  }

  write(piece: Uint8Array, position: number): void {
    const end = position + piece.length;
    const before = Buffer.from(this.#bytes.subarray(position, Math.max(position, Math.min(end, this.#size))));
    this.#changes.push({ position, written: piece.length, sizeBefore: this.#size, before });
    this.#reserve(end);
    this.#bytes.set(piece, position);
    this.#size = Math.max(this.#size, end);
  }

  truncate(bytes: number): void {
    const before = Buffer.from(this.#bytes.subarray(Math.min(bytes, this.#size), this.#size));
    this.#changes.push({ position: Math.min(bytes, this.#size), written: undefined, sizeBefore: this.#size, before });
    this.#reserve(bytes);
    this.#bytes.fill(0, Math.min(bytes, this.#size), Math.max(bytes, this.#size));
    this.#size = bytes;
  }

  /** What was changed so far survives a loss of power. */
  sync(): void {
    this.#changes = [];
  }

  /** Flips one bit of one byte, for good. */
  flip(position: number, bit: number): void {
    this.#bytes[position] = (this.#bytes[position] ?? 0) ^ (1 << bit);
  }

  /** What is left of the changes since the last sync when the power goes: all up to one, and a part of that one. */
  losePower(random: Random): void {
    const kept = below(random, this.#changes.length + 1);
    const torn = this.#changes[kept];
    const lost = this.#changes.splice(kept);
    const bytes = torn?.written === undefined ? undefined : this.#written(torn, lost);
    for (const change of lost.toReversed()) this.#undo(change);
    if (torn !== undefined && bytes !== undefined) this.#tear(torn, bytes, random);
    this.#changes = [];
  }

  /** What a write wrote, though later ones may have cut or overwritten it. */
  #written(change: Change, since: readonly Change[]): Buffer {
    const end = change.position + (change.written ?? 0);
    const bytes = Buffer.from(this.#bytes.subarray(change.position, end));
    for (const later of since.slice(1).toReversed()) {
      const start = Math.max(later.position, change.position);
      const kept = later.before.subarray(start - later.position, Math.max(0, end - later.position));
      if (start < end) bytes.set(kept, start - change.position);
    }
    return bytes;
  }

  #tear(change: Change, bytes: Buffer, random: Random): void {
    if (random() < CHANCE_OF_TORN_END) {
      const length = below(random, bytes.length + 1);
      if (length > 0) this.write(bytes.subarray(0, length), change.position);
      return;
    }
    // The file has grown, and of its new sectors some were never written.
    if (change.position + bytes.length > this.#size) this.truncate(change.position + bytes.length);
    for (let at = 0; at < bytes.length;) {
      const next = Math.min(bytes.length, at + SECTOR_BYTES - ((change.position + at) % SECTOR_BYTES));
      if (random() < 0.5) this.write(bytes.subarray(at, next), change.position + at);
      at = next;
    }
  }

  #undo({ position, sizeBefore, before }: Change): void {
    this.#reserve(sizeBefore);
    if (sizeBefore < this.#size) this.#bytes.fill(0, sizeBefore, this.#size);
    this.#bytes.set(before, position);
    this.#size = sizeBefore;
  }

  #reserve(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const grown = Buffer.alloc(Math.max(bytes, this.#bytes.length * 2, 4096));
    grown.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = grown;
  }
}

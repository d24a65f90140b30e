import { firstNotBefore } from '../kit/binary_search.ts';
import type { Entry } from './entry.ts';

/** The newest batches of a lane, in memory: by position, ascending; positions of dropped batches are left out. */
export class Tail {
  readonly #entries: Entry[] = [];
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get first(): Entry | undefined {
    return this.#entries[0];
  }

  get last(): Entry | undefined {
    return this.#entries.at(-1);
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  /** The oldest entry whose position is at least `position`. */
  firstFrom(position: number): Entry | undefined {
    return this.#entries[this.#indexFrom(position)];
  }

  /** From the oldest whose position is at least `position` on. The tail must not be changed meanwhile. */
  *from(position: number): Iterable<Entry> {
    for (let index = this.#indexFrom(position); index < this.#entries.length; index++) yield this.#entries[index]!; // below the length
  }

  removeFirst(): void {
    this.#bytes -= this.#entries.shift()?.bytes ?? 0;
  }

  remove(entry: Entry): void {
    const index = this.#indexFrom(entry.position);
    if (this.#entries[index] !== entry) throw new Error(`position ${entry.position} is not in memory`);
    this.#entries.splice(index, 1);
    this.#bytes -= entry.bytes;
  }

  #indexFrom(position: number): number {
    return firstNotBefore(this.#entries.length, (index) => this.#entries[index]!.position < position); // below the length
  }
}

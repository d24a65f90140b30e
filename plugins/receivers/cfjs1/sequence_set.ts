/**
 * Which numbers of one sequence have come, as a short list of runs: a stream without holes is one run, however long it is.
 *
 *     bottom            top
 *       ├──run──┤ hole ├─run─┤
 *
 * The territory from the first number that came up to the highest one is known; what lies below it is not remembered and never is
 * again. It is bounded in width and in runs: at either bound the lowest numbers are forgotten.
 */

/** Hears of numbers that were passed over. */
export interface HoleEvents {
  /** So many numbers were passed over, or came and were taken back. */
  holeOpened(numbers: number): void;
  /** So many of those have come after all. */
  holeFilled(numbers: number): void;
}

export interface SequenceBounds {
  /** Numbers below the highest one by this or more are forgotten; `MAX_HOLE` at most. */
  readonly maxWidth: number;
  readonly maxRuns: number;
}

/** A larger step is no hole, for nothing loses so many: the numbers begin anew, and what was known is forgotten. */
export const MAX_HOLE = 1e9;

export class SequenceSet {
  readonly #bounds: SequenceBounds;
  readonly #events: HoleEvents;
  /** First and last number of each run, ascending; between two runs there is at least one number. */
  readonly #runs: number[] = [];
  #bottom = 0;
  #top = -1;

  constructor(bounds: SequenceBounds, events: HoleEvents) {
    this.#bounds = bounds;
    this.#events = events;
  }

  /** The smallest number from `number` on that has come and is remembered; Infinity where there is none. */
  nextFrom(number: number): number {
    const at = this.#find(number);
    return at === this.#runs.length ? Infinity : Math.max(this.#runs[at]!, number); // at is below the length
  }

  /** Adds the numbers from `first` to `last`, of which none is in. Returns false where they are too low to be remembered. */
  add(first: number, last: number): boolean {
    if (first < this.#bottom) return false;
    if (first - this.#top > MAX_HOLE || this.#top < 0) this.#beginAt(first);
    if (first <= this.#top) this.#events.holeFilled(Math.min(last, this.#top) - first + 1);
    else if (first > this.#top + 1) this.#events.holeOpened(first - this.#top - 1);
    this.#insert(first, last);
    this.#top = Math.max(this.#top, last);
    this.#trim();
    return true;
  }

  /** Takes numbers out that were added together: they leave a hole. */
  remove(first: number, last: number): void {
    const runs = this.#runs;
    const from = Math.max(first, this.#bottom);
    const at = this.#find(from);
    if (from > last || at === runs.length || runs[at]! > from) return; // at is below the length
    const parts: number[] = [];
    if (runs[at]! < from) parts.push(runs[at]!, from - 1); // as above, here and below
    if (runs[at + 1]! > last) parts.push(last + 1, runs[at + 1]!);
    runs.splice(at, 2, ...parts);
    this.#events.holeOpened(last - from + 1);
  }

  #beginAt(first: number): void {
    this.#runs.length = 0;
    this.#bottom = first;
    this.#top = first - 1;
  }

  /** Index of the first run that ends at `number` or behind it. */
  #find(number: number): number {
    const runs = this.#runs;
    let low = 0;
    let high = runs.length / 2;
    if (high > 0 && runs[runs.length - 1]! < number) return runs.length; // the length is even and not 0
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (runs[middle * 2 + 1]! < number)
        low = middle + 1; // middle is below the number of runs
      else high = middle;
    }
    return low * 2;
  }

  #insert(first: number, last: number): void {
    const runs = this.#runs;
    const at = this.#find(first);
    const joinsBefore = at > 0 && runs[at - 1] === first - 1;
    const joinsAfter = at < runs.length && runs[at] === last + 1;
    if (joinsBefore && joinsAfter) runs.splice(at - 1, 2);
    else if (joinsBefore) runs[at - 1] = last;
    else if (joinsAfter) runs[at] = first;
    else runs.splice(at, 0, first, last);
  }

  #trim(): void {
    const { maxWidth, maxRuns } = this.#bounds;
    const runs = this.#runs;
    this.#bottom = Math.max(this.#bottom, this.#top - maxWidth + 1);
    while (runs.length > maxRuns * 2) {
      runs.splice(0, 2);
      this.#bottom = runs[0]!; // maxRuns of them are left, here and below
    }
    while (runs[1]! < this.#bottom) runs.splice(0, 2); // what was just added is not below
    if (runs[0]! < this.#bottom) runs[0] = this.#bottom;
  }
}

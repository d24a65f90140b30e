/**
 * All chance of a schedule, from one seed: sfc32 (C. Doty-Humphrey, PractRand), which is small, fast and passes the usual batteries.
 * Parts that draw independently of each other fork their own generator, so that a change to one does not shift the draws of the rest.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed` is a whole number; its low 53 bits count. */
  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 2 ** 32) | 0;
    this.#c = stream | 0;
    for (let round = 0; round < 12; round++) this.next();
  }

  /** Uniform in [0, 1). */
  readonly next = (): number => {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return (sum >>> 0) / 2 ** 32;
  };

  /** A generator of its own, which depends on the seed and on how often this one was asked before. */
  fork(): Random {
    return new Random(this.integer(0, 2 ** 32 - 1), this.integer(0, 2 ** 32 - 1));
  }

  /** Whole, both ends included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly [T, ...T[]]): T;
  pick<T>(from: readonly T[]): T | undefined;
  pick<T>(from: readonly T[]): T | undefined {
    return from[this.integer(0, from.length - 1)];
  }
}

/** Waits between attempts that grow exponentially and differ between the members of a fleet. */
export interface BackOffOptions {
  /** Shortest wait, so that a failing thing is never tried in a tight loop. Default 100. */
  readonly minMs?: number;
  /** Longest wait. Default 10 000. */
  readonly maxMs?: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/**
 * Exponential back-off with full jitter: each wait is uniform between `minMs` and a ceiling that starts at twice `minMs` and
 * doubles with every attempt up to `maxMs`. Full jitter spreads a fleet that failed at the same moment better than jitter around
 * the exponential value does (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
 */
export class BackOff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #ceilingMs: number;

  constructor({ minMs = 100, maxMs = 10_000, random = Math.random }: BackOffOptions = {}) {
    if (!(minMs > 0 && maxMs >= minMs)) throw new RangeError(`a back-off needs 0 < minMs <= maxMs, not ${minMs} and ${maxMs}`);
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#ceilingMs = minMs;
  }

  /** How long to wait before the next attempt, in milliseconds; the one after it will wait longer. */
  nextMs(): number {
    this.#ceilingMs = Math.min(this.#maxMs, this.#ceilingMs * 2);
    return this.#minMs + this.#random() * (this.#ceilingMs - this.#minMs);
  }

  /** To be called after a success: the next failure starts from the shortest waits again. */
  reset(): void {
    this.#ceilingMs = this.#minMs;
  }
}

/** A pending call; cancelling one that has run or was cancelled does nothing. */
export interface Timer {
  cancel(): void;
}

/** Time as a parameter, so that everything that waits can be run in virtual time. */
export interface Clock {
  /** Milliseconds that only ever go forward; for ages, deadlines and rates. */
  monotonicMs(): number;
  /** Whole microseconds since 1970-01-01 UTC; for the timestamps of records only, since it can be set back. */
  wallMicros(): number;
  /** Calls `run` once after `delayMs`. A pending timer keeps the process alive, so whoever stops cancels what it started. */
  after(delayMs: number, run: () => void): Timer;
}

/** Resolves after `delayMs` of the clock's time. */
export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(delayMs, resolve);
  });
}

/** How far the anchor below may be off before the wall clock counts as having been set, in milliseconds. */
const ANCHOR_TOLERANCE_MS = 2;

let anchorMs = Date.now() - performance.now();

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  // Date.now() has whole milliseconds only; the monotonic clock adds the fraction, re-anchored when the wall clock is set.
  wallMicros() {
    const monotonic = performance.now();
    if (Math.abs(Date.now() - anchorMs - monotonic) > ANCHOR_TOLERANCE_MS) anchorMs = Date.now() - monotonic;
    return Math.round((anchorMs + monotonic) * 1000);
  },
  after(delayMs, run) {
    const handle = setTimeout(run, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
};

import type { Clock, Timer } from '../../src/core/clock.ts';

/** 2026-11-20T07:00:00Z, where virtual time starts unless a test says otherwise. */
const START_WALL_MICROS = Date.UTC(2026, 10, 20, 7) * 1000;

/**
 * Turns of the event loop that `settle` gives to promises and to callbacks put off with `setImmediate`. One turn runs all that is
 * chained by promises alone; the others are for code that puts work off to a later turn and is then awaited by something else.
 */
const SETTLE_TURNS = 3;

interface PendingTimer {
  readonly dueMs: number;
  readonly run: () => void;
}

/**
 * Time that stands still until a test moves it. Timers run in the order in which they are due, and in the order in which they were
 * set where they are due together, each at exactly its own time.
 */
export class VirtualClock implements Clock {
  /** Sorted by due time, earliest first. */
  readonly #timers: PendingTimer[] = [];
  #nowMs = 0;
  #wallAtZeroMicros: number;

  constructor(startWallMicros = START_WALL_MICROS) {
    this.#wallAtZeroMicros = startWallMicros;
  }

  /** Timers that have neither run nor been cancelled; zero once everything that a test started has stopped. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMicros(): number {
    return this.#wallAtZeroMicros + Math.round(this.#nowMs * 1000);
  }

  /** Sets the wall clock, as an operator or NTP would; monotonic time and timers do not notice. */
  setWallMicros(micros: number): void {
    this.#wallAtZeroMicros = micros - Math.round(this.#nowMs * 1000);
  }

  after(delayMs: number, run: () => void): Timer {
    const timer: PendingTimer = { dueMs: this.#nowMs + Math.max(0, delayMs), run };
    const later = this.#timers.findIndex(({ dueMs }) => dueMs > timer.dueMs);
    this.#timers.splice(later === -1 ? this.#timers.length : later, 0, timer);
    return {
      cancel: () => {
        const at = this.#timers.indexOf(timer);
        if (at !== -1) this.#timers.splice(at, 1);
      },
    };
  }

  /**
   * Moves time forward by `ms` and runs the timers that fall due on the way, those included that they set themselves. Promises
   * get no turn in between: use `run` where the code under test awaits.
   */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms;
    while (this.#runNext(endMs));
    this.#nowMs = endMs;
  }

  /** Like `advance`, but lets promises settle before, between and after timers. */
  async run(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    await this.settle();
    while (this.#runNext(endMs)) await this.settle();
    this.#nowMs = endMs;
    await this.settle();
  }

  /** Lets everything run that waits for promises or for the next turns of the event loop, without moving time. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < SETTLE_TURNS; turn++) {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
    }
  }

  /** Runs the earliest timer if it is due by `endMs`, at its own time; false where there is none. */
  #runNext(endMs: number): boolean {
    const next = this.#timers[0];
    if (next === undefined || next.dueMs > endMs) return false;
    this.#timers.shift();
    this.#nowMs = next.dueMs;
    next.run();
    return true;
  }
}

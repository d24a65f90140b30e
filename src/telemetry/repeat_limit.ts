import type { Clock } from '../core/clock.ts';

/** Lines of one kind that are let through in a window. */
const MAX_PER_WINDOW = 10;
const WINDOW_MS = 60_000;

/** Kinds of line that are remembered; the oldest window is forgotten for a new one. */
const MAX_KINDS = 1000;

interface Window {
  readonly startedMs: number;
  passed: number;
  suppressed: number;
}

/** Keeps a line that repeats from filling the agent's own log: ten a minute of each kind pass, the others are counted. */
export class RepeatLimit {
  readonly #clock: Clock;
  /** In the order in which the windows were opened. */
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How many lines of this kind were left out before this one, or undefined where this one is to be left out too. */
  admit(kind: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const window = this.#windows.get(kind);
    if (window !== undefined && nowMs - window.startedMs < WINDOW_MS) {
      if (window.passed >= MAX_PER_WINDOW) {
        window.suppressed += 1;
        return undefined;
      }
      window.passed += 1;
      return 0;
    }
    this.#open(kind, nowMs);
    return window?.suppressed ?? 0;
  }

  #open(kind: string, nowMs: number): void {
    this.#windows.delete(kind);
    if (this.#windows.size >= MAX_KINDS) {
      const [oldest] = this.#windows.keys();
      if (oldest !== undefined) this.#windows.delete(oldest);
    }
    this.#windows.set(kind, { startedMs: nowMs, passed: 1, suppressed: 0 });
  }
}

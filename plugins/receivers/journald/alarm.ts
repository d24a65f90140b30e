import type { Clock } from '../../../src/core/clock.ts';

/** A wait that can be cut short. */
export class Alarm {
  readonly #clock: Clock;
  #ring: (() => void) | undefined;
  #isOff = false;
  /** Whether it has rung while nobody waited. */
  #hasRung = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Resolves after `delayMs`, or `soonMs` after `ring`, or at once when it is switched off. A ring from before the wait counts as one at
   * its beginning. One wait at a time.
   */
  wait(delayMs: number, soonMs: number): Promise<void> {
    const hasRung = this.#hasRung;
    this.#hasRung = false;
    if (this.#isOff || (hasRung && soonMs <= 0)) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#ring = undefined;
        resolve();
      };
      let timer = this.#clock.after(hasRung ? Math.min(soonMs, delayMs) : delayMs, end);
      let isSoon = hasRung;
      this.#ring = () => {
        const isDue = this.#isOff || soonMs <= 0;
        if (isDue) end();
        if (isDue || isSoon) return;
        isSoon = true;
        timer.cancel();
        timer = this.#clock.after(Math.min(soonMs, delayMs), end);
      };
    });
  }

  /** Cuts the wait short, or else the next one. */
  ring(): void {
    if (this.#ring === undefined) this.#hasRung = true;
    else this.#ring();
  }

  /** Ends the wait, and every later one. */
  switchOff(): void {
    this.#isOff = true;
    this.#ring?.();
  }
}

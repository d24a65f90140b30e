import type { Clock } from '../../../src/core/clock.ts';

/** A wait that can be cut short. */
export class Alarm {
  readonly #clock: Clock;
  #ring: (() => void) | undefined;
  #isOff = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Resolves after `delayMs`, or `soonMs` after `ring`, or at once when it is switched off. One wait at a time. */
  wait(delayMs: number, soonMs: number): Promise<void> {
    if (this.#isOff) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer.cancel();
        this.#ring = undefined;
        resolve();
      };
      let timer = this.#clock.after(delayMs, end);
      let isSoon = false;
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

  /** Cuts the wait short, if there is one. */
  ring(): void {
    this.#ring?.();
  }

  /** Ends the wait, and every later one. */
  switchOff(): void {
    this.#isOff = true;
    this.#ring?.();
  }
}

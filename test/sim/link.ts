/** One direction between two machines, with the weather on it. */
import type { Machine } from './incarnation.ts';
import type { Random } from './random.ts';
import type { Timeline } from './timeline.ts';

export interface Weather {
  /** Least time that a packet takes, and what is added to it at random, in milliseconds. */
  readonly latencyMs: number;
  readonly jitterMs: number;
}

/** TCP sends what was lost again within so long after a blocked direction is open. */
const RETRANSMISSION_MS = 1500;

export class Link {
  readonly from: Machine;
  readonly to: Machine;
  weather: Weather;
  readonly #timeline: Timeline;
  readonly #random: Random;
  #isBlocked = false;
  #waiting: (() => void)[] = [];

  constructor(from: Machine, to: Machine, weather: Weather, timeline: Timeline, random: Random) {
    this.from = from;
    this.to = to;
    this.weather = weather;
    this.#timeline = timeline;
    this.#random = random;
  }

  /** Whether packets get through; one that does not is sent again once they do. */
  get isOpen(): boolean {
    return !this.#isBlocked && this.to.isUp && this.from.isUp;
  }

  get nowMs(): number {
    return this.#timeline.nowMs;
  }

  delayMs(): number {
    return this.weather.latencyMs + this.#random.next() * this.weather.jitterMs;
  }

  /** Calls `run` after `delayMs`, or once packets get through again where they do not then. */
  after(delayMs: number, run: () => void): void {
    this.#timeline.after(delayMs, () => {
      if (this.isOpen) run();
      else this.#waiting.push(run);
    });
  }

  block(): void {
    this.#isBlocked = true;
  }

  unblock(): void {
    this.#isBlocked = false;
    this.retry();
  }

  /** To be called when a machine has power again. */
  retry(): void {
    for (const run of this.#waiting.splice(0)) this.after(this.#random.between(0, RETRANSMISSION_MS), run);
  }
}

/**
 * One life of a process, from its start to its end. What it has set in motion counts for as long as it lives: code of a process that
 * has crashed still runs here where it awaited something that was under way, but its clock, disk and connections are dead.
 */
import type { Clock, Timer } from '../../src/core/clock.ts';
import type { Timeline } from './timeline.ts';

/** 2026-11-20T07:00:00Z, where virtual time starts. */
const START_WALL_MICROS = Date.UTC(2026, 10, 20, 7) * 1000;

/** What lives as long as the machine, and so longer than its processes. */
export interface Machine {
  readonly name: string;
  /** What was added to its wall clock since the start, in microseconds. */
  wallOffsetMicros: number;
  /** Down means that it has no power; its disk keeps what was synced. */
  isUp: boolean;
}

export class Incarnation {
  readonly machine: Machine;
  /** Counts up with each start of the process. */
  readonly number: number;
  readonly clock: Clock;
  readonly #timeline: Timeline;
  readonly #held: (() => void)[] = [];
  #isAlive = true;
  #isFrozen = false;
  #timers = 0;
  #crashIn = Infinity;
  #onCrash: () => void = () => {};

  constructor(timeline: Timeline, machine: Machine, number: number) {
    const startMs = timeline.nowMs;
    this.#timeline = timeline;
    this.machine = machine;
    this.number = number;
    this.clock = {
      monotonicMs: () => timeline.nowMs - startMs,
      wallMicros: () => START_WALL_MICROS + machine.wallOffsetMicros + Math.round(timeline.nowMs * 1000),
      after: (delayMs, run) => this.#timer(delayMs, run),
    };
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Timers of its clock that have neither run nor been cancelled. */
  get pendingTimers(): number {
    return this.#timers;
  }

  /** Something that the outside does to the process: it happens only if the process lives then, and waits while it is frozen. */
  schedule(delayMs: number, run: () => void): Timer {
    return this.#timeline.after(delayMs, () => this.#deliver(run));
  }

  /** Calls `crash` in the middle of the `operations`th thing that the process asks of the outside from now on. */
  crashAfter(operations: number, crash: () => void): void {
    this.#crashIn = operations;
    this.#onCrash = crash;
  }

  /** To be called for whatever the process asks of the outside. Whether it lives to see it done. */
  operate(): boolean {
    if (!this.#isAlive) return false;
    this.#crashIn -= 1;
    if (this.#crashIn === 0) this.#onCrash();
    return this.#isAlive;
  }

  die(): void {
    this.#isAlive = false;
    this.#held.length = 0;
  }

  /** As SIGSTOP does: nothing reaches the process until it goes on. */
  freeze(): void {
    this.#isFrozen = true;
  }

  thaw(): void {
    this.#isFrozen = false;
    for (const run of this.#held.splice(0)) this.schedule(0, run);
  }

  #timer(delayMs: number, run: () => void): Timer {
    let isPending = true;
    const done = (): boolean => {
      if (!isPending) return false;
      isPending = false;
      this.#timers -= 1;
      return true;
    };
    this.#timers += 1;
    const planned = this.schedule(delayMs, () => {
      if (done()) run();
    });
    return {
      cancel: () => {
        if (done()) planned.cancel();
      },
    };
  }

  #deliver(run: () => void): void {
    if (!this.#isAlive) return;
    if (this.#isFrozen) this.#held.push(run);
    else run();
  }
}

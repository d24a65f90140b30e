/**
 * Health is progress, not connection. Alive means that every stage with work to do has moved within its deadline; ready means that
 * every stage says that it takes records into its final store.
 */
import type { Clock, Timer } from '../core/clock.ts';
import type { Readiness } from '../core/component.ts';

/**
 * How often the stages are looked at, in milliseconds. Between two looks a stage may get work and finish it unseen, which is
 * progress; a stage counts as stuck from the first look that finds it with work and where it was.
 */
const LOOK_INTERVAL_MS = 1000;

export interface ProgressProbe {
  /** Whether the stage has anything to do now. */
  hasWork(): boolean;
  /** Any number that changes whenever the stage gets something done. */
  progress(): number;
  /** How long the stage may have work and not move, in milliseconds. */
  readonly deadlineMs: number;
}

/** A stage that is not as it should be, and why. */
export interface Finding {
  readonly stage: string;
  readonly reason: string;
}

interface WatchedStage {
  readonly probe: ProgressProbe;
  progress: number;
  /** When the stage was last seen to move or to have nothing to do, monotonic clock. */
  movedAtMs: number;
}

export class Health {
  readonly #clock: Clock;
  readonly #readiness = new Map<string, () => Readiness>();
  readonly #watched = new Map<string, WatchedStage>();
  #timer: Timer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks `read` whenever readiness is judged. Registering a name again replaces it. */
  register(stage: string, read: () => Readiness): void {
    this.#readiness.set(stage, read);
  }

  /** Watches a stage for progress. Registering a name again replaces it. */
  registerProgress(stage: string, probe: ProgressProbe): void {
    this.#watched.set(stage, { probe, progress: probe.progress(), movedAtMs: this.#clock.monotonicMs() });
  }

  /** Forgets a stage that is there no more. */
  unregister(stage: string): void {
    this.#readiness.delete(stage);
    this.#watched.delete(stage);
  }

  start(): void {
    this.#timer ??= this.#clock.after(LOOK_INTERVAL_MS, () => {
      this.#timer = undefined;
      this.stalled();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** The stages that have work and have not moved within their deadline; empty when the agent is alive. */
  stalled(): Finding[] {
    const nowMs = this.#clock.monotonicMs();
    const findings: Finding[] = [];
    for (const [stage, watched] of this.#watched) {
      const progress = watched.probe.progress();
      if (progress !== watched.progress || !watched.probe.hasWork()) {
        watched.progress = progress;
        watched.movedAtMs = nowMs;
      }
      const stuckMs = nowMs - watched.movedAtMs;
      if (stuckMs > watched.probe.deadlineMs) findings.push({ stage, reason: describeStall(stuckMs, watched.probe.deadlineMs) });
    }
    return findings;
  }

  /** The stages that are not ready; empty when the agent is. */
  notReady(): Finding[] {
    const findings: Finding[] = [];
    for (const [stage, read] of this.#readiness) {
      const { ready, reason } = read();
      if (!ready) findings.push({ stage, reason });
    }
    return findings;
  }
}

function describeStall(stuckMs: number, deadlineMs: number): string {
  return `has work and has not moved for ${seconds(stuckMs)}, more than the ${seconds(deadlineMs)} it may take`;
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}

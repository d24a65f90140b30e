/**
 * A pipe or socket that a component has open can lose its path: somebody removes the file, or replaces it, and those who open the
 * path from then on find nothing, or somebody else. The keeper notices within a second and has it put right, however often that
 * takes.
 */
import { statSync } from 'node:fs';
import type { Clock, Timer } from '../core/clock.ts';
import { BackOff } from './back_off.ts';

export const LOOK_INTERVAL_MS = 1000;

export interface PathKeeperOptions {
  readonly clock: Clock;
  /** Whether all is well. */
  isInPlace(): boolean;
  /** Puts it right; throws where it cannot now, and is called again after a growing wait. */
  restore(): void | Promise<void>;
  /** Hears of each attempt that threw. */
  failed(error: unknown): void;
}

export class PathKeeper {
  readonly #o: PathKeeperOptions;
  readonly #backOff = new BackOff();
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #isStopped = false;

  constructor(options: PathKeeperOptions) {
    this.#o = options;
  }

  start(): void {
    this.#lookIn(LOOK_INTERVAL_MS);
  }

  /** Resolves when no attempt is under way any more; none is made after that. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#looking;
  }

  #lookIn(delayMs: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#o.clock.after(delayMs, () => {
      this.#looking = this.#look().then((nextMs) => this.#lookIn(nextMs));
    });
  }

  /** Returns when to look again, in milliseconds. */
  async #look(): Promise<number> {
    try {
      if (this.#o.isInPlace()) this.#backOff.reset();
      else await this.#o.restore();
      return LOOK_INTERVAL_MS;
    } catch (error) {
      this.#o.failed(error);
      return this.#backOff.nextMs();
    }
  }
}

/** What tells the file at a path, or one that is open, from every other one that exists (stat(2): device and inode). */
export type FileIdentity = string;

/** The identity of the file at `path`; undefined where there is none, or it cannot be seen. */
export function identityAt(path: string): FileIdentity | undefined {
  try {
    return identityOf(statSync(path, { bigint: true }));
  } catch {
    return undefined;
  }
}

export function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): FileIdentity {
  return `${dev}:${ino}`;
}

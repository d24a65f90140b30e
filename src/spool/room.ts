/**
 * Who has to wait for memory, and for how long. Receivers whose source keeps the records wait from half the bound on, and those that block
 * their writers from three quarters on, so that the rest stays free for those that must not wait. These do so but for a moment.
 */
import type { Clock } from '../core/clock.ts';
import type { OverflowRule } from './lane.ts';

/** Receivers that are pushed back wait from this share of the bound on memory on. */
const PUSH_BACK_SHARE = 0.5;

const BLOCK_SHARE = 0.75;

/** Receivers that drop pause from this share on, while the disk is being written to. */
const PAUSE_SHARE = 0.75;
/** A pause: less than it takes a busy writer to fill the buffer of a pipe. */
const MAX_PAUSE_MS = 40;
const PAUSE_AGAIN_AFTER_MS = 100;

export interface RoomOptions {
  readonly clock: Clock;
  readonly maxMemoryBytes: number;
  readonly usedBytes: () => number;
  /** Whether memory will be free soon, since something is on its way to the disk. */
  readonly isWriting: () => boolean;
}

/** Somebody who goes on when less than `bytes` are used. */
interface Waiter {
  readonly bytes: number;
  readonly resolve: () => void;
}

export class Room {
  readonly #o: RoomOptions;
  #waiters: Waiter[] = [];
  #noPauseBeforeMs = 0;

  constructor(options: RoomOptions) {
    this.#o = options;
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiters.length;
  }

  hasRoomFor(bytes: number): boolean {
    return this.#o.usedBytes() + bytes <= this.#o.maxMemoryBytes;
  }

  /** Undefined when a receiver with this rule may read on; otherwise resolves when it may. */
  when(rule: OverflowRule): Promise<void> | undefined {
    const { maxMemoryBytes } = this.#o;
    switch (rule) {
      case 'push_back':
        return this.#whenBelow(maxMemoryBytes * PUSH_BACK_SHARE);
      case 'block':
        return this.#whenBelow(maxMemoryBytes * BLOCK_SHARE);
      case 'drop_oldest':
      case 'drop_newest':
        return this.#whenWritten(maxMemoryBytes * PAUSE_SHARE);
    }
  }

  /** To be called when less is used. */
  wake(): void {
    if (this.#waiters.length === 0) return;
    const used = this.#o.usedBytes();
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ bytes }) => used >= bytes);
    for (const { bytes, resolve } of waiters) if (used < bytes) resolve();
  }

  /** Lets everybody go on, since nobody will be kept waiting any more. */
  stop(): void {
    for (const { resolve } of this.#waiters.splice(0)) resolve();
  }

  #whenBelow(bytes: number): Promise<void> | undefined {
    if (this.#o.usedBytes() < bytes) return undefined;
    return new Promise((resolve) => {
      this.#waiters.push({ bytes, resolve });
    });
  }

  /**
   * A short pause, in which what a writer writes is in the kernel's buffer, saves records that the disk would take a moment later.
   * Where it did not help, the disk is slower than the writer, and the rule has to do for a while.
   */
  #whenWritten(bytes: number): Promise<void> | undefined {
    const { clock, isWriting } = this.#o;
    if (!isWriting() || clock.monotonicMs() < this.#noPauseBeforeMs) return undefined;
    if (this.#o.usedBytes() < bytes) return undefined;
    return new Promise((resolve) => {
      const timer = clock.after(MAX_PAUSE_MS, () => {
        this.#noPauseBeforeMs = clock.monotonicMs() + PAUSE_AGAIN_AFTER_MS;
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        resolve();
      });
      const waiter: Waiter = {
        bytes,
        resolve: () => {
          timer.cancel();
          resolve();
        },
      };
      this.#waiters.push(waiter);
    });
  }
}

/**
 * Moves batches from memory to disk, and removes from disk what every destination has. One write is under way at a time.
 *
 * `overflow`: when memory is used above a mark, the oldest batches go, until it is used below another one. `always`: what has come is
 * written each commit interval. Batches whose source keeps them go only where one destination has them and another lags.
 */
import type { Clock, Timer } from '../core/clock.ts';
import { BackOff } from '../kit/back_off.ts';
import { describeError, errnoOf } from '../core/errors.ts';
import type { ReceiverRecords } from './disk/types.ts';
import type { Entry } from './entry.ts';
import type { Lane } from './lane.ts';

/** Shares of the bound on memory at which batches begin to go to disk, and at which it is enough. */
const BEGIN_SHARE = 0.25;
const ENOUGH_SHARE = 0.125;

/** What is written and synced at once: little enough that memory becomes free in steps. */
const MAX_WRITE_BYTES = 16 * 1024 * 1024;
const WRITE_SHARE = 1 / 4;

/** Why the oldest gives way, where it is not the system that says so. */
const BOUND_REACHED = 'spool.disk.max_bytes is reached';

/** When it is looked again whether a disk that has reached its bound has room. */
const FULL_RETRY_MS = 250;

/** Errors that end when something is removed. */
const FULL_ERRORS = new Set(['ENOSPC', 'EDQUOT']);

export interface SpillerOptions {
  readonly lanes: readonly Lane[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly maxMemoryBytes: number;
  readonly maxDiskBytes: number;
  readonly durability: 'overflow' | 'always';
  readonly commitIntervalMs: number;
  readonly events: SpillerEvents;
}

export interface SpillerEvents {
  /** Memory or disk has become free, or something left the spool. */
  freed(): void;
  written(bytes: number): void;
  /** The oldest segment was given up for what is newer. */
  droppedOldest(held: readonly ReceiverRecords[], reason: string): void;
  /** Records were on disk and could not be read back. */
  lost(held: readonly ReceiverRecords[]): void;
  failed(error: unknown): void;
  recovered(): void;
}

export class Spiller {
  readonly #o: SpillerOptions;
  readonly #backOff: BackOff;
  readonly #writeBytes: number;
  #running: Promise<void> | undefined;
  #timer: Timer | undefined;
  #isFailing = false;
  #isFlushing = false;
  #isStopped = false;

  constructor(options: SpillerOptions) {
    this.#o = options;
    this.#writeBytes = Math.min(MAX_WRITE_BYTES, options.maxMemoryBytes * WRITE_SHARE);
    this.#backOff = new BackOff({ minMs: 250, maxMs: 30_000, random: options.random });
  }

  /** Whether the disk does not take what it is given. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Whether something is on its way to the disk, so that memory will be free soon. */
  get isWriting(): boolean {
    return this.#running !== undefined && !this.#isFailing;
  }

  get memoryBytes(): number {
    return this.#o.lanes.reduce((sum, { tail }) => sum + tail.bytes, 0);
  }

  get diskBytes(): number {
    return this.#o.lanes.reduce((sum, { log }) => sum + (log?.bytes ?? 0), 0);
  }

  /** To be called when something has come or was settled. */
  poke(): void {
    if (this.#running !== undefined || this.#timer !== undefined || this.#isStopped) return;
    const { durability, commitIntervalMs } = this.#o;
    const isAtOnce = durability === 'overflow' || this.#isFlushing;
    if (durability === 'overflow' && !this.#isMemoryShort && !this.#isFlushing) return;
    if (!this.#hasWork()) return;
    if (isAtOnce) this.#start();
    else this.#later(commitIntervalMs);
  }

  /** Lets go of what is on disk already, for something that needs the memory at once. */
  evict(bytes: number): void {
    const { lanes, maxMemoryBytes } = this.#o;
    for (const lane of lanes) lane.evict(() => this.memoryBytes + bytes <= maxMemoryBytes);
  }

  /** Writes everything that is in memory and may go, and from now on what comes at once. */
  flush(): void {
    this.#isFlushing = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.poke();
  }

  /** Writes everything that is in memory and `mayGo`; resolves, whatever comes of that, when nothing is under way any more. */
  async stop(mayGo: (lane: Lane, entry: Entry) => boolean): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#running;
    for (const lane of this.#o.lanes) {
      if (lane.log === undefined) continue;
      for (let entries = this.#next(lane, mayGo); entries.length > 0; entries = this.#next(lane, mayGo))
        if (!(await this.#write(lane, entries))) break;
    }
  }

  /** Removes from disk what every destination has settled. What fails is tried again the next time. */
  async removeSettled(): Promise<void> {
    for (const lane of this.#o.lanes) {
      try {
        const lost = (await lane.log?.removeBelow(lane.doneBelow)) ?? [];
        if (lost.length > 0) this.#o.events.lost(lost);
      } catch (error) {
        this.#o.events.failed(error);
      }
    }
  }

  get #isMemoryShort(): boolean {
    return this.memoryBytes >= this.#o.maxMemoryBytes * BEGIN_SHARE;
  }

  #start(): void {
    this.#running = this.#run().then((isStuck) => {
      this.#running = undefined;
      if (this.#isStopped) return;
      if (this.#isFailing) this.#later(this.#backOff.nextMs());
      else if (isStuck) this.#later(FULL_RETRY_MS);
      else this.poke();
    });
  }

  #later(delayMs: number): void {
    this.#timer = this.#o.clock.after(delayMs, () => {
      this.#timer = undefined;
      this.#start();
    });
  }

  /** True where there is something to write and the disk cannot take it. */
  async #run(): Promise<boolean> {
    const { lanes, durability, maxMemoryBytes } = this.#o;
    const isEnough = (): boolean => this.memoryBytes < maxMemoryBytes * (durability === 'always' ? BEGIN_SHARE : ENOUGH_SHARE);
    const stuck = new Set<Lane>();
    for (;;) {
      for (const lane of lanes) lane.evict(isEnough);
      this.#o.events.freed();
      if (this.#isStopped || (durability === 'overflow' && isEnough() && !this.#isFlushing)) return false;
      const lane = this.#fullest(stuck);
      if (lane === undefined) return stuck.size > 0;
      if (await this.#write(lane, this.#next(lane, this.#mayGoNow))) continue;
      if (this.#isFailing) return true;
      stuck.add(lane); // at the bound, another lane may have something that may give way
    }
  }

  /** The lane that takes most memory of those that have something to write. */
  #fullest(stuck: ReadonlySet<Lane>): Lane | undefined {
    const writable = this.#o.lanes.filter((lane) => !stuck.has(lane) && this.#next(lane, this.#mayGoNow).length > 0);
    return writable.toSorted((a, b) => b.tail.bytes - a.tail.bytes)[0];
  }

  #next(lane: Lane, mayGo: (lane: Lane, entry: Entry) => boolean): Entry[] {
    return lane.log === undefined ? [] : lane.writable(this.#writeBytes, (entry) => mayGo(lane, entry));
  }

  /** False where the disk cannot take it now. */
  async #write(lane: Lane, entries: readonly Entry[]): Promise<boolean> {
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    try {
      const isWritten = await lane.whileWriting(entries, async () => {
        if (!(await this.#makeRoom(lane, bytes))) return false;
        await this.#writeOrMakeRoom(lane, entries);
        return true;
      });
      if (!isWritten) return false;
    } catch (error) {
      this.#isFailing = true;
      this.#o.events.failed(error);
      return false;
    }
    this.#o.events.written(bytes);
    if (this.#isFailing) this.#o.events.recovered();
    this.#isFailing = false;
    this.#backOff.reset();
    return true;
  }

  /** A file system that is full before the spool has reached its bound makes the oldest give way too, where its lane says so. */
  async #writeOrMakeRoom(lane: Lane, entries: readonly Entry[]): Promise<void> {
    try {
      await lane.write(entries);
    } catch (error) {
      if (!FULL_ERRORS.has(errnoOf(error) ?? '') || !(await this.#dropOldest(lane, describeError(error)))) throw error;
      await lane.write(entries);
    }
  }

  /** False where the spool may take no more of the disk. */
  async #makeRoom(lane: Lane, bytes: number): Promise<boolean> {
    while (this.diskBytes + bytes > this.#o.maxDiskBytes) if (!(await this.#dropOldest(lane, BOUND_REACHED))) return false;
    return true;
  }

  async #dropOldest(lane: Lane, reason: string): Promise<boolean> {
    if (lane.rule !== 'drop_oldest') return false;
    const dropped = await lane.dropOldest();
    if (dropped === undefined) return false;
    this.#o.events.droppedOldest(dropped, reason);
    return true;
  }

  #hasWork(): boolean {
    return this.#o.lanes.some(
      (lane) => (this.#isMemoryShort && lane.tail.first?.isSafe === true) || this.#next(lane, this.#mayGoNow).length > 0,
    );
  }

  /** A batch whose source keeps it goes to disk only on behalf of a destination that lags behind another. */
  readonly #mayGoNow = ({ rule }: Lane, entry: Entry): boolean =>
    rule !== 'push_back' || (entry.isTaken && (this.#isMemoryShort || this.#isFlushing));
}

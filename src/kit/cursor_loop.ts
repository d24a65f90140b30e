/**
 * What simple exporters share: one cursor, one write under way at a time, groups as large as what waits.
 *
 *     read a group ──▶ write ──▶ settle it ──▶ (next group)
 *          ▲             │ throws
 *          └── back off ◀┘ rewind: the same records, the same ids
 *
 * While one group is being written the next one gathers, so the cost of a write (a sync, a round trip) is shared by as many
 * records as came in meanwhile, and a record that comes alone waits for nothing.
 */
import type { Clock } from '../core/clock.ts';
import { type Cursor, type Delivery, READY, type Readiness } from '../core/component.ts';
import { describeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { BackOff } from './back_off.ts';

/** A delivery that the store will never take. */
export interface RefusedDelivery {
  readonly delivery: Delivery;
  /** Why, in the store's words. */
  readonly detail: string;
}

export interface CursorLoopOptions {
  readonly cursor: Cursor;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Puts the deliveries into the store and resolves once they are as safe there as the exporter promises, with what was refused
   * for good. Throws where trying again may help: then none of the deliveries counts as written, and all of them come again.
   */
  write(deliveries: readonly Delivery[]): Promise<readonly RefusedDelivery[]>;
  /** A group is closed once its batches take this much memory. Default 8 MiB. */
  readonly maxBytes?: number;
  /** Most batches of a group. Default 256. */
  readonly maxDeliveries?: number;
  readonly backOff?: BackOff;
  /** Called once, when no write is under way and none will come any more: at the end of `stop`, or later where a write hangs. */
  close?(): Promise<void>;
}

export class CursorLoop {
  readonly #options: CursorLoopOptions;
  readonly #maxBytes: number;
  readonly #maxDeliveries: number;
  readonly #backOff: BackOff;
  #readiness = READY;
  #stopping = false;
  /** Set when the deadline of `stop` has passed: from then on nothing may be settled any more. */
  #abandoned = false;
  #idle = false;
  /** Ends the pause that the loop is in; does nothing where it is in none. */
  #wake: () => void = () => {};
  #running: Promise<void> = Promise.resolve();

  constructor(options: CursorLoopOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? 8 * 1024 * 1024;
    this.#maxDeliveries = options.maxDeliveries ?? 256;
    this.#backOff = options.backOff ?? new BackOff();
  }

  start(): void {
    // New records end the wait for records, but not the wait after a failure.
    this.#options.cursor.onReadable(() => {
      if (this.#idle) this.#wake();
    });
    this.#running = this.#run();
  }

  /** Not ready, with the reason, from a failed write until one succeeds. */
  readiness(): Readiness {
    return this.#readiness;
  }

  /**
   * Writes what the cursor still holds and resolves when it is empty or `deadlineMs` (monotonic clock) has passed. A failing
   * store is tried again at once, and then with back-off. A write that is under way at the deadline is left alone: its records
   * stay unsettled whatever becomes of it.
   */
  async stop(deadlineMs: number): Promise<void> {
    this.#stopping = true;
    this.#wake();
    const { clock } = this.#options;
    const expired = Promise.withResolvers<void>();
    const deadline = clock.after(Math.max(0, deadlineMs - clock.monotonicMs()), () => {
      this.#abandoned = true;
      this.#wake();
      expired.resolve();
    });
    await Promise.race([this.#running, expired.promise]);
    deadline.cancel();
  }

  async #run(): Promise<void> {
    while (!this.#abandoned) {
      const group = this.#read();
      if (group.length > 0) await this.#writeGroup(group);
      else if (this.#stopping) break;
      else await this.#waitForRecords();
    }
    try {
      await this.#options.close?.();
    } catch (error) {
      this.#options.log.warn('the store could not be closed', { reason: describeError(error) });
    }
  }

  /** The next deliveries, as many as there are within the bounds. */
  #read(): Delivery[] {
    const { cursor } = this.#options;
    const group: Delivery[] = [];
    let bytes = 0;
    while (bytes < this.#maxBytes && group.length < this.#maxDeliveries) {
      const delivery = cursor.next();
      if (delivery === undefined) break;
      group.push(delivery);
      bytes += delivery.batch.memoryBytes;
    }
    return group;
  }

  async #writeGroup(group: readonly Delivery[]): Promise<void> {
    const { cursor } = this.#options;
    let refusals: readonly RefusedDelivery[];
    try {
      refusals = await this.#options.write(group);
    } catch (error) {
      if (!this.#abandoned) await this.#retryLater(describeError(error));
      return;
    }
    if (this.#abandoned) return;
    for (const { delivery, detail } of refusals) {
      const all = Array.from({ length: delivery.batch.count }, (_, index) => index);
      cursor.refused(delivery, all, { reason: 'refused', detail, attempts: 1 });
    }
    cursor.deliveredThrough(group.at(-1)!.position); // a group that is written has a delivery or more
    this.#backOff.reset();
    if (!this.#readiness.ready) this.#options.log.info('the store takes records again');
    this.#readiness = READY;
  }

  async #retryLater(reason: string): Promise<void> {
    this.#options.cursor.rewind();
    // Once for each reason: an outage of hours must not fill the log, least of all where the log's disk is the full one.
    if (reason !== this.#readiness.reason) {
      this.#options.log.warn('the store does not take records; they are kept and tried again', { reason });
    }
    this.#readiness = { ready: false, reason };
    const timer = this.#options.clock.after(this.#backOff.nextMs(), () => this.#wake());
    await this.#pause();
    timer.cancel();
  }

  async #waitForRecords(): Promise<void> {
    this.#idle = true;
    await this.#pause();
    this.#idle = false;
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** The cursor of an exporter that has one destination. */
export function onlyCursor(cursors: readonly Cursor[]): Cursor {
  const [cursor] = cursors;
  if (cursor === undefined || cursors.length > 1)
    throw new TypeError(`an exporter of one destination was given ${cursors.length} cursors`);
  return cursor;
}

/**
 * The buffer between a pipeline and its exporters: one append-only sequence of batches, read by one cursor a destination.
 *
 *     head                                    tail
 *      │ settled by a ··· │ read by a │ waits  │<── append
 *      │ settled by b │ read by b │    waits   │
 *      └─ a batch leaves at the head when every cursor has settled it
 *
 * It is bounded by the memory that its batches keep. What happens at the bound is each receiver's own rule: receivers whose source
 * keeps the records (`push_back`) are made to wait from half the bound on, so that the other half stays free for those whose
 * source does not; `drop_oldest` gives up the oldest batch of such a receiver that no destination is being sent just now,
 * `drop_newest` the batch that comes; `block` makes the receiver wait.
 */
import { randomBytes } from 'node:crypto';
import { DELIVERED } from '../core/ack.ts';
import type { Batch } from '../core/batch.ts';
import type { Delivery, OnFull } from '../core/component.ts';
import { SpoolCursor } from './spool_cursor.ts';

export type OverflowRule = OnFull | 'push_back';

/** Why records were dropped here, as the ledger shows it. */
export const SPOOL_FULL = 'spool_full';

/** Receivers that are pushed back wait from this share of the bound on. */
const PUSH_BACK_SHARE = 0.5;

/** What a batch takes besides its bytes and columns, as measured; without it a flood of tiny batches would be held nearly for free. */
export const BATCH_OVERHEAD_BYTES = 4096;

export interface SpoolOptions {
  /** Bound on the memory of the batches held. */
  readonly maxBytes: number;
  /** Names of the destinations; one cursor each. */
  readonly destinations: readonly string[];
  /** Hears of records that left the spool, before their batch is settled. */
  readonly events: SpoolEvents;
}

export interface SpoolEvents {
  delivered(receiver: string, records: number): void;
  /** Refused for good by one destination or more. */
  refused(receiver: string, records: number, reason: string): void;
  dropped(receiver: string, records: number, reason: string): void;
}

export interface Entry extends Delivery {
  readonly bytes: number;
  readonly rule: OverflowRule;
  /** The most records that one destination refused, and why. */
  refused: number;
  refusedReason: string;
}

export interface HeldCount {
  readonly receiver: string;
  /** Read by a destination that has not settled them yet. */
  inFlight: number;
  /** Waiting to be read, or settled by some destinations and waiting for the others. */
  spooled: number;
}

export class Spool {
  readonly maxBytes: number;
  readonly cursors: readonly SpoolCursor[];
  /** Names all records of this spool that their source has not numbered. Made anew at each start, since the memory is gone then. */
  readonly epoch = randomBytes(8).toString('hex');
  readonly #events: SpoolEvents;
  /** By position, ascending; positions of dropped batches are left out. */
  readonly #entries: Entry[] = [];
  #nextPosition = 0;
  #bytes = 0;
  #nextSequence = 1;
  #waiters: { readonly bytes: number; readonly resolve: () => void }[] = [];

  constructor({ maxBytes, destinations, events }: SpoolOptions) {
    this.maxBytes = maxBytes;
    this.#events = events;
    this.cursors = destinations.map((destination) => new SpoolCursor(destination, this));
  }

  /** Memory of the batches held. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Takes over a batch that is not empty: gives its records their ids, where they have none, and keeps or drops it by `rule`. */
  append(batch: Batch, rule: OverflowRule): void {
    if (batch.epoch === undefined) this.#number(batch);
    const bytes = batch.memoryBytes + BATCH_OVERHEAD_BYTES;
    if (rule === 'drop_oldest' && bytes <= this.maxBytes) this.#dropOldestFor(bytes);
    if ((rule === 'drop_oldest' || rule === 'drop_newest') && this.#bytes + bytes > this.maxBytes) {
      this.#drop(batch);
      return;
    }
    this.#entries.push({ position: this.#nextPosition++, batch, bytes, rule, refused: 0, refusedReason: '' });
    this.#bytes += bytes;
    for (const cursor of this.cursors) cursor.wake();
  }

  /** Undefined when a receiver with this rule may read on; otherwise resolves when it may. */
  whenRoom(rule: OverflowRule): Promise<void> | undefined {
    if (rule !== 'push_back' && rule !== 'block') return undefined;
    const bound = rule === 'block' ? this.maxBytes : this.maxBytes * PUSH_BACK_SHARE;
    if (this.#bytes < bound) return undefined;
    return new Promise((resolve) => {
      this.#waiters.push({ bytes: bound, resolve });
    });
  }

  /** The oldest batch held whose position is at least `position`. For cursors. */
  firstFrom(position: number): Entry | undefined {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.position < position)
        low = middle + 1; // middle is below the length
      else high = middle;
    }
    return this.#entries[low];
  }

  /** Books that a destination, which has settled the batch at this position, refused records of it. For cursors. */
  refuse(position: number, records: number, reason: string): void {
    const entry = this.firstFrom(position);
    if (entry?.position !== position || records <= entry.refused) return;
    entry.refused = records;
    entry.refusedReason = reason;
  }

  /** Lets go of what every cursor has settled. For cursors. */
  trim(): void {
    const settled = Math.min(...this.cursors.map((cursor) => cursor.settledPosition));
    for (let oldest = this.#entries[0]; oldest !== undefined && oldest.position < settled; oldest = this.#entries[0]) {
      this.#entries.shift();
      this.#finish(oldest);
    }
    this.#wakeWaiters();
  }

  /** Counts, batch by batch, the records that are held for each receiver: the ledger's other side. */
  *held(): Iterable<HeldCount> {
    const byReceiver = new Map<string, HeldCount>();
    for (const { position, batch } of this.#entries) {
      const { receiver, count } = batch;
      let held = byReceiver.get(receiver);
      if (held === undefined) byReceiver.set(receiver, (held = { receiver, inFlight: 0, spooled: 0 }));
      if (this.cursors.some((cursor) => cursor.isReading(position))) held.inFlight += count;
      else held.spooled += count;
    }
    yield* byReceiver.values();
  }

  /**
   * Tells the sources of all that is still held that it was not delivered, and `given` what that was and whether the source keeps it.
   * The spool must not be used after that.
   */
  abandon(given: (receiver: string, records: number, isKept: boolean) => void): void {
    for (const { batch, rule } of this.#entries.splice(0)) {
      given(batch.receiver, batch.count, rule === 'push_back' && batch.isKept);
      batch.settle({ kind: 'failed', reason: 'the agent stopped before it was delivered' });
    }
    this.#bytes = 0;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve();
  }

  #number(batch: Batch): void {
    batch.epoch = this.epoch;
    const { sequence } = batch.columns;
    for (let index = 0; index < batch.count; index++) sequence[index] = this.#nextSequence++;
  }

  #finish(entry: Entry): void {
    const { batch, refused } = entry;
    this.#bytes -= entry.bytes;
    if (refused < batch.count) this.#events.delivered(batch.receiver, batch.count - refused);
    if (refused > 0) this.#events.refused(batch.receiver, refused, entry.refusedReason);
    batch.settle(refused === 0 ? DELIVERED : { kind: 'rejected', reason: entry.refusedReason });
  }

  #dropOldestFor(bytes: number): void {
    for (let index = 0; index < this.#entries.length && this.#bytes + bytes > this.maxBytes;) {
      const entry = this.#entries[index]!; // index is below the length
      if (entry.rule !== 'drop_oldest' || this.cursors.some((cursor) => cursor.isReading(entry.position))) {
        index += 1;
        continue;
      }
      this.#entries.splice(index, 1);
      this.#bytes -= entry.bytes;
      this.#drop(entry.batch);
    }
  }

  #drop(batch: Batch): void {
    this.#events.dropped(batch.receiver, batch.count, SPOOL_FULL);
    batch.settle({ kind: 'dropped', reason: SPOOL_FULL });
  }

  #wakeWaiters(): void {
    if (this.#waiters.length === 0) return;
    const waiters = this.#waiters;
    this.#waiters = waiters.filter(({ bytes }) => this.#bytes >= bytes);
    for (const { bytes, resolve } of waiters) if (this.#bytes < bytes) resolve();
  }
}

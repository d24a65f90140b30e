/**
 * The buffer between a pipeline and its exporters: append-only sequences of batches (*lanes*, one for each rule for a full spool), the
 * newest in memory and older ones on disk, read by one cursor a destination.
 *
 *     append ──▶ lane push_back   ├─ disk ─┤├──── memory ────┤ ──▶ places of log-a, log-b ──┐
 *            ──▶ lane drop_oldest ├─ disk ─┤├──── memory ────┤ ──▶ places of log-a, log-b ──┴▶ cursor of log-a, of log-b
 *
 * A batch leaves when every destination has settled it. Its source hears of that, or that the disk has the batch, synced: from then on
 * the spool answers for it. Lanes keep receivers that can wait apart from those that cannot, so that neither's backlog is the other's.
 *
 * At the bound on memory, what is on disk is let go of first. Then the receiver's own rule counts: those whose source keeps the records
 * (`push_back`) are made to wait (`room.ts`); `drop_oldest` gives up the oldest batch in memory that no destination is being sent, and at
 * the bound on disk the oldest segment; `drop_newest` the batch that comes; `block` makes the receiver wait.
 */
import type { Batch } from '../core/batch.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { FileSystem } from '../core/files.ts';
import type { Recovery, SpoolMark } from '../core/spool_mark.ts';
import type { ReceiverRecords } from './disk/types.ts';
import { BATCH_OVERHEAD_BYTES, Entry } from './entry.ts';
import { newEpoch } from './epoch.ts';
import type { SpoolEvents, SpoolOutcomes } from './events.ts';
import { Lane, OVERFLOW_RULES, type OverflowRule } from './lane.ts';
import { Place } from './place.ts';
import { type DeadLetters, Refusals, type RefusedRecords } from './refusals.ts';
import { Room } from './room.ts';
import { Spiller } from './spiller.ts';
import { SpoolCursor } from './spool_cursor.ts';
import { SpoolDisk } from './spool_disk.ts';

/** How often it is saved how far destinations have come, and what they all have is removed from disk. */
const TIDY_MS = 1000;

/** How long a stop waits for the disk. */
const STOP_GRACE_MS = 10_000;

/** Why records were dropped here, as the ledger shows it. */
const SPOOL_FULL = 'spool_full';
/** Records were on disk, and what is there now is not them. */
const DAMAGED = 'damaged';

export interface SpoolOptions {
  /** Names of the destinations; one cursor each. */
  readonly destinations: readonly string[];
  readonly maxMemoryBytes: number;
  /** Undefined where everything stays in memory. */
  readonly disk: { readonly directory: string; readonly maxBytes: number } | undefined;
  readonly durability: 'overflow' | 'always';
  readonly commitIntervalMs: number;
  readonly clock: Clock;
  readonly files: FileSystem;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly outcomes: SpoolOutcomes;
  readonly events: SpoolEvents;
  /** Undefined where refused records are not kept. */
  readonly deadLetters: DeadLetters | undefined;
}

export interface HeldCount {
  readonly receiver: string;
  /** Read by a destination that has not settled them yet. */
  readonly inFlight: number;
  /** Waiting to be read, or settled by some destinations and waiting for the others. */
  readonly spooled: number;
  /** Of both, those that a crash cannot take. */
  readonly safe: number;
}

/** Told, when the spool stops, of records that are neither delivered nor on disk. */
export type Abandoned = (receiver: string, records: number, isKept: boolean) => void;

export class Spool {
  readonly cursors: readonly SpoolCursor[];
  readonly #o: SpoolOptions;
  readonly #lanes: readonly Lane[];
  readonly #spiller: Spiller;
  readonly #room: Room;
  #disk: SpoolDisk | undefined;
  #nextPosition = 0;
  #isStopped = false;
  #tidyTimer: Timer | undefined;
  #tidying: Promise<void> = Promise.resolve();
  readonly #refusals: Refusals;

  constructor(options: SpoolOptions) {
    const { destinations, events, random, disk, maxMemoryBytes } = options;
    this.#o = options;
    this.#refusals = new Refusals(options.deadLetters);
    this.#lanes = OVERFLOW_RULES.map((rule) => new Lane(rule, newEpoch(random), (...finished) => this.#finished(...finished)));
    this.cursors = destinations.map((destination) => this.#cursorOf(destination));
    this.#spiller = new Spiller({
      ...options,
      lanes: this.#lanes,
      maxDiskBytes: disk?.maxBytes ?? 0,
      events: {
        freed: () => this.#room.wake(),
        written: (bytes) => events.written(bytes),
        droppedOldest: (held, reason) => events.droppedOldest(this.#bookDropped(held, SPOOL_FULL), reason),
        lost: (held) => events.lost(this.#bookDropped(held, DAMAGED)),
        failed: (error) => events.diskFailed(error),
        recovered: () => events.diskRecovered(),
      },
    });
    this.#room = new Room({ ...options, usedBytes: () => this.bytes, isWriting: () => this.#spiller.isWriting });
    events.observe({
      memoryBytes: () => this.bytes,
      maxMemoryBytes,
      diskBytes: () => this.#spiller.diskBytes,
      maxDiskBytes: disk?.maxBytes,
      isDiskFailing: () => this.#spiller.isFailing,
    });
  }

  /** Memory of the batches that are held. */
  get bytes(): number {
    return this.#spiller.memoryBytes;
  }

  /** True when every destination has settled everything. */
  get isEmpty(): boolean {
    return this.cursors.every((cursor) => cursor.isEmpty);
  }

  /**
   * Takes up what an earlier run has left on disk; before anything else is done with the spool. `mark` is a moment of that run which the
   * records are to be told apart by. Resolves with those that wait there, by receiver. Throws a SluiceError where the directory cannot be used or another process has it.
   */
  async start(mark?: SpoolMark): Promise<Recovery> {
    if (this.#o.disk === undefined) return { records: new Map(), hasDamage: false };
    const { disk, ...parts } = this.#o;
    this.#disk = await SpoolDisk.open({ ...parts, ...disk, lanes: this.#lanes, mark });
    this.#nextPosition = this.#disk.nextPosition;
    this.#scheduleTidying();
    return this.#disk.recovery;
  }

  /** How far it has come at this moment; undefined where nothing of it outlives the process. */
  mark(): SpoolMark | undefined {
    return this.#disk?.mark(this.#nextPosition);
  }

  /** Takes over a batch that is not empty: gives its records their ids, where they have none, and keeps or drops it by `rule`. */
  append(batch: Batch, rule: OverflowRule): void {
    // What its source does not keep must not wait for being asked again, whoever received it.
    const lane = this.#laneOf(rule === 'push_back' && !batch.isKept ? 'block' : rule);
    lane.number(batch);
    const bytes = batch.memoryBytes + BATCH_OVERHEAD_BYTES;
    if (!this.#room.hasRoomFor(bytes)) this.#makeRoomFor(bytes, lane);
    if ((lane.rule === 'drop_oldest' || lane.rule === 'drop_newest') && !this.#room.hasRoomFor(bytes)) {
      this.#drop(new Entry(this.#nextPosition++, batch, 'waits'));
      return;
    }
    lane.tail.push(new Entry(this.#nextPosition++, batch, 'waits'));
    this.#spiller.poke();
    for (const cursor of this.cursors) cursor.wake();
  }

  /** Undefined when a receiver with this rule may read on; otherwise resolves when it may. */
  whenRoom(rule: OverflowRule): Promise<void> | undefined {
    return this.#room.when(rule);
  }

  /** Counts, batch by batch, the records that are held for each receiver: the ledger's other side. */
  held(): HeldCount[] {
    const reading = new Map(
      this.cursors.flatMap((cursor) => [...cursor.reading()]).map(({ position, batch }) => [position, batch]),
    );
    const inFlight = sumByReceiver([...reading.values()].map(({ receiver, count }) => ({ receiver, records: count })));
    const all = this.#lanes.flatMap((lane) => [...lane.held()]);
    const safe = sumByReceiver(all.filter(({ isSafe }) => isSafe));
    return [...sumByReceiver(all)].map(([receiver, records]) => {
      const reading = inFlight.get(receiver) ?? 0;
      return { receiver, inFlight: reading, spooled: records - reading, safe: safe.get(receiver) ?? 0 };
    });
  }

  /** Puts what is held on disk, without letting go of it: it is delivered all the same, and outlives the process. */
  flush(): void {
    this.#spiller.flush();
  }

  /**
   * Puts what is held on disk, but for what no destination has and its source keeps; the sources of the rest are told that it was not
   * delivered, and `abandoned` what that was. A disk that hangs is not waited for beyond a grace. The spool must not be used after that.
   */
  async stop(abandoned: Abandoned): Promise<void> {
    this.#isStopped = true;
    this.#tidyTimer?.cancel();
    const isWritten = await this.#withinGrace(this.#finishWriting());
    for (const lane of this.#lanes) for (const entry of lane.takeAll()) this.#abandon(lane, entry, abandoned);
    if (!isWritten || !(await this.#withinGrace(this.#disk?.close(this.#nextPosition)))) this.#o.events.diskHangs(STOP_GRACE_MS);
    this.#room.stop();
  }

  async #finishWriting(): Promise<void> {
    await this.#refusals.stop();
    await this.#tidying;
    for (const cursor of this.cursors) cursor.close();
    await this.#spiller.stop(({ rule }, { isTaken }) => rule !== 'push_back' || isTaken);
  }

  /** False where it takes too long. */
  async #withinGrace(work: Promise<void> | undefined): Promise<boolean> {
    const { promise: isDone, resolve } = Promise.withResolvers<boolean>();
    const timer = this.#o.clock.after(STOP_GRACE_MS, () => resolve(false));
    void Promise.resolve(work).then(() => resolve(true));
    const isInTime = await isDone;
    timer.cancel();
    return isInTime;
  }

  #laneOf(rule: OverflowRule): Lane {
    return this.#lanes[OVERFLOW_RULES.indexOf(rule)]!; // there is a lane for each rule, in their order
  }

  #cursorOf(destination: string): SpoolCursor {
    const { clock, random, events } = this.#o;
    const stations = this.#lanes.map((lane) => {
      const place = new Place(lane, clock, random, {
        fetched: () => cursor.wake(),
        readFailed: (error) => events.readFailed(destination, error),
        skipped: () => events.segmentSkipped(destination),
      });
      lane.places.push(place);
      return { lane, place };
    });
    const cursor: SpoolCursor = new SpoolCursor({
      destination,
      stations,
      putDeadLetters: (delivery, refused) => this.#refusals.put(delivery, destination, refused),
      settled: () => {
        this.#spiller.poke(); // for a laggard, where another destination has taken what its source keeps
        this.#room.wake();
      },
    });
    return cursor;
  }

  #makeRoomFor(bytes: number, lane: Lane): void {
    this.#spiller.evict(bytes);
    while (lane.rule === 'drop_oldest' && bytes <= this.#o.maxMemoryBytes && !this.#room.hasRoomFor(bytes)) {
      const oldest = lane.takeOldest();
      if (oldest === undefined) return;
      this.#drop(oldest);
    }
  }

  #drop(entry: Entry): void {
    const { receiver, count } = entry.batch;
    this.#o.outcomes.dropped(receiver, count, SPOOL_FULL);
    entry.acknowledge({ kind: 'dropped', reason: SPOOL_FULL });
    entry.letGo();
  }

  #abandon({ rule }: Lane, entry: Entry, abandoned: Abandoned): void {
    const { receiver, count } = entry.batch;
    if (!entry.isSafe) abandoned(receiver, count, rule === 'push_back');
    entry.acknowledge({ kind: 'failed', reason: 'the agent stopped before it was delivered' });
    entry.letGo();
  }

  #bookDropped(held: readonly ReceiverRecords[], reason: string): number {
    for (const { receiver, records } of held) this.#o.outcomes.dropped(receiver, records, reason);
    return held.reduce((sum, { records }) => sum + records, 0);
  }

  #finished({ receiver, count }: Batch, refused: RefusedRecords): void {
    const { outcomes } = this.#o;
    if (refused.size < count) outcomes.delivered(receiver, count - refused.size);
    for (const { isKept, reason } of refused.values()) {
      if (isKept) outcomes.deadLettered(receiver, 1, reason);
      else outcomes.dropped(receiver, 1, reason);
    }
  }

  #scheduleTidying(): void {
    if (this.#isStopped) return;
    this.#tidyTimer = this.#o.clock.after(TIDY_MS, () => {
      this.#tidying = this.#tidy().then(() => this.#scheduleTidying());
    });
  }

  async #tidy(): Promise<void> {
    await this.#disk?.save(this.#nextPosition);
    await this.#spiller.removeSettled();
    this.#spiller.poke();
    this.#room.wake();
  }
}

function sumByReceiver(counts: readonly ReceiverRecords[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const { receiver, records } of counts) sums.set(receiver, (sums.get(receiver) ?? 0) + records);
  return sums;
}

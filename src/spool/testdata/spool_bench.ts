/** A spool on a simulated disk, in virtual time, with what became of everything that was put into it. */
import { makeBatch, readBatch } from '../../../test/helpers/batches.ts';
import { RecordingLog, RecordingMetrics } from '../../../test/helpers/recording.ts';
import { SimulatedDisk } from '../../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { Ack, type Outcome } from '../../core/ack.ts';
import type { Batch, BatchFacts } from '../../core/batch.ts';
import type { Clock, Timer } from '../../core/clock.ts';
import type { RecoveredRecords, SpoolMark } from '../../core/spool_mark.ts';
import { BATCH_OVERHEAD_BYTES } from '../entry.ts';
import { SpoolEvents } from '../events.ts';
import type { OverflowRule } from '../lane.ts';
import type { DeadLetters } from '../refusals.ts';
import { Spool } from '../spool.ts';

export const DIRECTORY = '/spool';

/** Names of batches, in order. */
export function range(from: number, through: number): string[] {
  return Array.from({ length: through - from + 1 }, (_, index) => `${from + index}`);
}

export interface SpoolBenchOptions {
  readonly destinations?: readonly string[];
  /** Bound on memory, in batches of one record as `add` makes them. */
  readonly batchesThatFit?: number;
  /** Default none: everything stays in memory. */
  readonly maxDiskBytes?: number;
  readonly durability?: 'overflow' | 'always';
  readonly deadLetters?: DeadLetters;
  readonly random?: () => number;
  /** One that another bench has left. */
  readonly disk?: SimulatedDisk;
}

export class SpoolBench {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLog();
  readonly metrics = new RecordingMetrics();
  readonly disk: SimulatedDisk;
  readonly counts = { delivered: 0, deadLettered: 0, dropped: 0 };
  readonly reasons: string[] = [];
  /** `<name> <outcome>`, in the order in which sources were told. */
  readonly outcomes: string[] = [];
  spool: Spool;
  readonly #options: SpoolBenchOptions;
  /** Those of the process that runs now. */
  readonly #timers: Timer[] = [];

  constructor(options: SpoolBenchOptions = {}) {
    this.#options = options;
    this.disk = options.disk ?? new SimulatedDisk({ random: options.random ?? (() => 0.5), clock: this.clock });
    this.spool = this.#create();
  }

  get maxMemoryBytes(): number {
    const one = makeBatch([''.padEnd(10, '.')]).memoryBytes + BATCH_OVERHEAD_BYTES;
    return one * (this.#options.batchesThatFit ?? 1000);
  }

  /** Records that the spool says it holds. */
  get held(): number {
    return this.spool.held().reduce((sum, { inFlight, spooled }) => sum + inFlight + spooled, 0);
  }

  get files(): string[] {
    return [...this.disk.contents.keys()].map((path) => path.slice(DIRECTORY.length + 1));
  }

  /** A process that takes the place of the one before. */
  async start(): Promise<ReadonlyMap<string, number>> {
    const recovered = await this.startAt(undefined);
    return new Map([...recovered].map(([receiver, { known, newer }]) => [receiver, known + newer]));
  }

  async startAt(mark: SpoolMark | undefined): Promise<ReadonlyMap<string, RecoveredRecords>> {
    this.spool = this.#create();
    return (await this.#settled(this.spool.start(mark))).records;
  }

  /** Ends the process without a word; the machine goes on, or loses power too. */
  crash(what: 'process' | 'machine' = 'process'): void {
    this.#timers.splice(0).forEach((timer) => timer.cancel());
    if (what === 'machine') this.disk.crash();
    else this.disk.kill();
  }

  /** Ends it in good order; returns what no disk has, by `<receiver> <records> <whether its source keeps it>`. */
  async stop(): Promise<string[]> {
    const abandoned: string[] = [];
    await this.#settled(this.spool.stop((...one) => abandoned.push(one.join(' '))));
    return abandoned;
  }

  /** Puts a batch of records into the spool whose bodies begin with `name`. */
  add(name: string, rule: OverflowRule = 'drop_oldest', records = 1, facts: Partial<BatchFacts> = {}): Batch {
    const ack = new Ack((outcome: Outcome) => void this.outcomes.push(`${name} ${outcome.kind}`));
    const batch = makeBatch(Array.from({ length: records }, () => name.padEnd(10, '.')), { receiver: 'pipe', ack, ...facts });
    this.spool.append(batch, rule);
    return batch;
  }

  /** Reads and settles all that a destination has not got; the names of its batches, in order. */
  async drain(destination: string, limit = Infinity): Promise<string[]> {
    const cursor = this.cursor(destination);
    const names: string[] = [];
    for (let idleMs = 0; !cursor.isEmpty && idleMs < 60_000 && names.length < limit;) {
      const delivery = cursor.next();
      if (delivery === undefined) {
        await this.clock.run(10);
        idleMs += 10;
        continue;
      }
      names.push((readBatch(delivery.batch)[0]?.body ?? '').replaceAll('.', ''));
      cursor.deliveredThrough(delivery.position);
      idleMs = 0;
    }
    await this.clock.settle();
    return names;
  }

  cursor(destination: string) {
    const cursor = this.spool.cursors.find((one) => one.destination === destination);
    if (cursor === undefined) throw new Error(`there is no destination ${destination}`);
    return cursor;
  }

  /** Lets time pass until a promise settles. */
  async #settled<T>(promise: Promise<T>): Promise<T> {
    const state = { isSettled: false };
    const settle = (): void => void (state.isSettled = true);
    void promise.then(settle, settle);
    for (let waitedMs = 0; !state.isSettled && waitedMs < 60_000; waitedMs += 10) await this.clock.run(10);
    return promise;
  }

  /** Its timers end with the process. */
  #clockOfProcess(): Clock {
    return {
      monotonicMs: () => this.clock.monotonicMs(),
      wallMicros: () => this.clock.wallMicros(),
      after: (delayMs, run) => {
        const timer = this.clock.after(delayMs, run);
        this.#timers.push(timer);
        return timer;
      },
    };
  }

  #create(): Spool {
    const { destinations = ['a'], maxDiskBytes, durability = 'overflow', deadLetters, random = Math.random } = this.#options;
    return new Spool({
      destinations,
      maxMemoryBytes: this.maxMemoryBytes,
      disk: maxDiskBytes === undefined ? undefined : { directory: DIRECTORY, maxBytes: maxDiskBytes },
      durability,
      commitIntervalMs: 50,
      clock: this.#clockOfProcess(),
      files: this.disk.mount(),
      random,
      outcomes: {
        delivered: (_, records) => void (this.counts.delivered += records),
        deadLettered: (_, records, reason) => {
          this.counts.deadLettered += records;
          this.reasons.push(reason);
        },
        dropped: (_, records, reason) => {
          this.counts.dropped += records;
          this.reasons.push(reason);
        },
      },
      events: new SpoolEvents(this.log, this.metrics),
      deadLetters,
    });
  }
}

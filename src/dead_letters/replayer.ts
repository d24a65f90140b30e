/**
 * Sends letters again. What a command has put into the inbox is emitted into the pipeline, each record only for the destination that it is
 * missing at, with the bytes and so the id that it had. A file goes when all of it has settled: its records were delivered, or refused again
 * and are letters again. Until then it stays, so after a crash it is sent from its beginning: some of it twice, none of it never.
 *
 * Files of one destination go one after the other, those of different destinations side by side, and of each no more is under way than a
 * bounded part: a destination that is away holds up neither the other ones' letters nor the pipeline's other records.
 */
import { join } from 'node:path';
import type { Outcome } from '../core/ack.ts';
import type { Batch } from '../core/batch.ts';
import type { Clock, Timer } from '../core/clock.ts';
import { errnoOf } from '../core/errors.ts';
import type { FileFacts, FileSystem } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { Flight } from './flight.ts';
import { readLines } from './lines.ts';
import { inboxOf, isInboxName, laneOfInboxName } from './names.ts';
import { type ReplayContext, ReplayParser } from './replay_batches.ts';
import { ReplayEvents } from './replay_events.ts';
import type { DeadLetterStore } from './store.ts';

export interface ReplayerOptions {
  /** That of the store. */
  readonly directory: string;
  readonly store: Pick<DeadLetterStore, 'putBack'>;
  /** Name of its account in the ledger, `dead_letters/<pipeline>`. */
  readonly receiver: string;
  /** Those of the pipeline. */
  readonly destinations: readonly string[];
  /** Takes a batch past the processors, which it has seen before. Settles it `delivered`, or `rejected` once its letters are stored. */
  readonly emit: (batch: Batch) => void;
  /** Undefined when there is room; otherwise resolves when there is. */
  readonly whenRoom: () => Promise<void> | undefined;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
  /** With a label that tells pipelines apart. */
  readonly metrics: Metrics;
}

const POLL_MS = 1000;
/** How long a file is left alone that could not be sent, read or removed. */
const RETRY_MS = 30_000;

/** What may be under way of each destination. */
const MAX_FLIGHT_BYTES = 1024 * 1024;

export class Replayer {
  readonly #options: ReplayerOptions;
  readonly #events: ReplayEvents;
  readonly #inbox: string;
  /** Files that are being worked on, by the lane that they are in. */
  readonly #lanes = new Map<string, Promise<void>>();
  readonly #notBeforeMs = new Map<string, number>();
  readonly #stopped = Promise.withResolvers<void>();
  readonly #closed = Promise.withResolvers<void>();
  #isStopped = false;
  #timer: Timer | undefined;
  #madeParser: ReplayParser | undefined;

  constructor(options: ReplayerOptions) {
    this.#options = options;
    this.#events = new ReplayEvents(options.log, options.metrics);
    this.#inbox = inboxOf(options.directory);
  }

  /** Begins to look for letters; what was left of the last run is taken first. */
  start(): void {
    void this.#poll();
  }

  /** Emits nothing more. What is under way may settle after that. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#stopped.resolve();
  }

  /** To be called when no batch will settle any more; resolves when the files of those that did are removed. */
  async close(): Promise<void> {
    this.stop();
    this.#closed.resolve();
    await Promise.all(this.#lanes.values());
  }

  async #poll(): Promise<void> {
    const names = await this.#waitingFiles();
    for (const name of this.#notBeforeMs.keys()) if (!names.includes(name)) this.#notBeforeMs.delete(name);
    for (const name of names) {
      const lane = laneOfInboxName(name);
      const notBeforeMs = this.#notBeforeMs.get(name) ?? -Infinity;
      if (this.#isStopped || this.#lanes.has(lane) || this.#options.clock.monotonicMs() < notBeforeMs) continue;
      this.#lanes.set(
        lane,
        this.#work(name).then(() => this.#ended(lane)),
      );
    }
    if (!this.#isStopped) this.#timer = this.#options.clock.after(POLL_MS, () => void this.#poll());
  }

  #ended(lane: string): void {
    this.#lanes.delete(lane);
    if (this.#lanes.size === 0) this.#madeParser = undefined;
  }

  /** In the order in which they were made. */
  async #waitingFiles(): Promise<string[]> {
    try {
      return (await this.#options.files.list(this.#inbox)).filter(isInboxName).sort();
    } catch {
      return []; // the store makes the directory, and tells where it cannot
    }
  }

  async #work(name: string): Promise<void> {
    const path = join(this.#inbox, name);
    try {
      if ((await this.#replay(path)) || this.#isStopped) return;
      this.#events.undelivered(path, RETRY_MS);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return; // somebody has taken it back
      this.#events.failed(path, error, RETRY_MS);
    }
    this.#notBeforeMs.set(name, this.#options.clock.monotonicMs() + RETRY_MS);
  }

  /** Sends a file and removes it; false where some of it is still to be sent. */
  async #replay(path: string): Promise<boolean> {
    const { files } = this.#options;
    const before = await files.stat(path);
    const flight = new Flight();
    try {
      if (!(await this.#send(path, flight))) return false;
    } finally {
      await Promise.race([flight.downTo(0), this.#closed.promise]);
    }
    if (!flight.isGood || !flight.isEmpty || !(await this.#isSame(path, before))) return false;
    if (flight.problems.size > 0) await this.#putBack(path, flight.problems);
    await files.remove(path);
    await files.syncDirectory(this.#inbox);
    this.#events.replayed(path, flight.records);
    return true;
  }

  /** Emits what can be sent of a file; false where it was stopped before it had all. */
  async #send(path: string, flight: Flight): Promise<boolean> {
    for await (const piece of this.#pieces(path)) {
      const { batches, problems } = this.#parser.parse(piece, this.#contextOf(flight));
      flight.met(problems);
      for (const batch of batches) {
        if (!(await this.#hasRoom(flight))) return false;
        flight.took(batch);
        this.#options.emit(batch);
      }
    }
    return true;
  }

  /** Gives the store what cannot be sent, in a second reading, so that it is neither held in memory nor given back with each try. */
  async #putBack(path: string, problems: ReadonlyMap<string, number>): Promise<void> {
    for await (const piece of this.#pieces(path)) {
      const { returned, returnedLines } = this.#parser.parse(piece, this.#contextOf(new Flight()));
      if (returnedLines > 0) await this.#options.store.putBack(returned, returnedLines);
    }
    this.#events.returned(path, problems);
  }

  async *#pieces(path: string): AsyncGenerator<Buffer> {
    const file = await this.#options.files.open(path, 'read');
    try {
      yield* readLines(file, { withRest: true });
    } finally {
      await file.close();
    }
  }

  /** Made anew for each time that there is something to do, since it keeps the memory that its longest line took. */
  get #parser(): ReplayParser {
    return (this.#madeParser ??= new ReplayParser());
  }

  #contextOf(flight: Flight): ReplayContext {
    const { receiver, destinations, clock } = this.#options;
    const settled = (batch: Batch, outcome: Outcome): void => flight.settled(batch, outcome);
    return { receiver, destinations, nowMicros: clock.wallMicros(), settled };
  }

  /** Waits until one more batch may be emitted; false where none may be any more. */
  async #hasRoom(flight: Flight): Promise<boolean> {
    const { whenRoom } = this.#options;
    await Promise.race([flight.downTo(MAX_FLIGHT_BYTES), this.#stopped.promise]);
    for (let room = whenRoom(); room !== undefined && !this.#isStopped; room = whenRoom()) {
      await Promise.race([room, this.#stopped.promise]);
    }
    return !this.#isStopped;
  }

  /** Whether a file is as long as it was; one that was put there by hand may still be growing. */
  async #isSame(path: string, before: FileFacts): Promise<boolean> {
    const { bytes, modifiedMs } = await this.#options.files.stat(path);
    return bytes === before.bytes && modifiedMs === before.modifiedMs;
  }
}

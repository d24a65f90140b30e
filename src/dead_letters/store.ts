/**
 * The dead letters of one pipeline, in files of lines that an operator can read (letter.ts says what is in a line, names.ts what is in the
 * directory). Letters that come while the disk is busy are written together and synced once. When the disk does not take them, whoever put
 * them is told, and the next ones are tried anew.
 */
import type { Batch } from '../core/batch.ts';
import { type Clock, sleep, type Timer } from '../core/clock.ts';
import type { Refusal } from '../core/component.ts';
import { describeError, SluiceError } from '../core/errors.ts';
import type { FileSystem } from '../core/files.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { ByteWriter } from '../kit/byte_writer.ts';
import { Cfjs1Encoder } from '../kit/cfjs1_encoder.ts';
import { DeadLetterEvents } from './events.ts';
import { writeLetters } from './letter.ts';
import { LetterFiles } from './letter_files.ts';
import { startError } from './start_error.ts';

export interface DeadLetterStoreOptions {
  /** Its own; made where it is missing. */
  readonly directory: string;
  /** Disk that the letters may take; the oldest file goes when a new letter needs its room. */
  readonly maxBytes: number;
  /** Files whose last letter is older are removed. */
  readonly maxAgeMs: number;
  readonly files: FileSystem;
  readonly clock: Clock;
  readonly log: Log;
  /** With a label that tells pipelines apart. */
  readonly metrics: Metrics;
}

/** How much is written at once, beside the last of the waiting puts, which is never parted. */
const MAX_GROUP_BYTES = 1024 * 1024;

/** What is encoded into; where a large put has made it larger than the bound, it is not kept. */
const INITIAL_BYTES = 64 * 1024;
const MAX_KEPT_BYTES = 2 * MAX_GROUP_BYTES;

/** How often it is looked whether a command asks for something. */
const POLL_MS = 1000;
/** How often old letters are looked for, in polls. */
const POLLS_PER_CLEANING = 60;

/** A command holds the agent's lock for a moment only; who holds it longer is another agent. */
const LOCK_TRIES = 50;
const LOCK_RETRY_MS = 100;

interface Waiting {
  readonly write: (writer: ByteWriter) => void;
  readonly records: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class DeadLetterStore {
  readonly #options: DeadLetterStoreOptions;
  readonly #events: DeadLetterEvents;
  readonly #files: LetterFiles;
  readonly #encoder = new Cfjs1Encoder();
  #writer = new ByteWriter(INITIAL_BYTES);
  readonly #waiting: Waiting[] = [];
  /** Everything that touches the files, one after the other. */
  #work: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #isStopped = false;
  #timer: Timer | undefined;
  #polls = 0;

  constructor(options: DeadLetterStoreOptions) {
    this.#options = options;
    this.#events = new DeadLetterEvents(options.log, options.metrics);
    this.#files = new LetterFiles({ ...options, events: this.#events });
    this.#events.observe(this.#files);
  }

  /** Disk that its letters take. */
  get bytes(): number {
    return this.#files.bytes;
  }

  /** Letters that it holds. */
  get records(): number {
    return this.#files.records;
  }

  /**
   * Takes the directory and mends what a crash left in it. Throws a SluiceError where the operator must act: rights, a path that is taken,
   * another agent. A disk that is full or broken is none of these: letters are refused until it works again.
   */
  async start(): Promise<void> {
    try {
      await this.#take();
    } catch (error) {
      const fatal = startError(this.#options.directory, error);
      if (fatal !== undefined) throw fatal;
      this.#events.failed('write', error);
    }
    this.#pollLater();
  }

  /**
   * Stores records of a batch, by their indexes, as letters, and resolves once they are on the disk. The batch must not be released before
   * that. Rejects with a SluiceError (`store_unavailable`) where the disk does not take them; they are then nobody's but the caller's.
   */
  async put(batch: Batch, records: readonly number[], destination: string, refusal: Refusal): Promise<void> {
    const letters = { batch, records, destination, refusal };
    const nowMicros = this.#options.clock.wallMicros();
    await this.#append(records.length, (writer) => writeLetters(letters, nowMicros, this.#encoder, writer));
    this.#events.stored(destination, refusal.reason, records.length);
  }

  /** Stores whole lines as they are, each with its newline: letters that could not be replayed. Like `put` in everything else. */
  putBack(lines: Buffer, count: number): Promise<void> {
    return this.#append(count, (writer) => writer.append(lines));
  }

  /** Resolves when everything that was put has settled and the directory is given back. */
  async stop(): Promise<void> {
    if (this.#isStopped) return this.#work;
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#exclusively(() => this.#files.close()).catch((error: unknown) => this.#events.failed('write', error));
  }

  async #take(): Promise<void> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#exclusively(() => this.#files.prepare());
      } catch (error) {
        const isLocked = error instanceof SluiceError;
        if (!isLocked || tries === LOCK_TRIES) throw error;
        await sleep(this.#options.clock, LOCK_RETRY_MS);
      }
    }
  }

  #append(records: number, write: (writer: ByteWriter) => void): Promise<void> {
    if (this.#isStopped) return Promise.reject(this.#unavailable(new Error('the agent is stopping')));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ write, records, resolve, reject });
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      void this.#exclusively(() => this.#writeWaiting());
    }
    return promise;
  }

  #exclusively(job: () => Promise<void>): Promise<void> {
    const done = this.#work.then(job);
    this.#work = done.catch(() => {});
    return done;
  }

  async #writeWaiting(): Promise<void> {
    this.#isScheduled = false;
    while (this.#waiting.length > 0) {
      const group = this.#encodeGroup();
      try {
        await this.#files.append(this.#writer.written(), sumRecords(group));
        this.#events.worked('write');
        for (const { resolve } of group) resolve();
      } catch (error) {
        this.#events.writeFailed(error);
        for (const { reject } of group) reject(this.#unavailable(error));
      }
    }
  }

  /** Takes puts from the waiting ones and encodes them. */
  #encodeGroup(): Waiting[] {
    if (this.#writer.bytes.length > MAX_KEPT_BYTES) this.#writer = new ByteWriter(INITIAL_BYTES);
    const writer = this.#writer;
    const bound = Math.min(MAX_GROUP_BYTES, this.#files.fileBytes);
    let taken = 0;
    for (writer.length = 0; taken < this.#waiting.length && writer.length < bound; taken++) {
      this.#waiting[taken]!.write(writer); // taken is below the length
    }
    return this.#waiting.splice(0, taken);
  }

  #pollLater(): void {
    if (this.#isStopped) return;
    this.#timer = this.#options.clock.after(POLL_MS, () => void this.#poll());
  }

  async #poll(): Promise<void> {
    try {
      await this.#exclusively(() => this.#lookAround());
      this.#events.worked('look');
    } catch (error) {
      this.#events.failed('look', error);
    }
    this.#pollLater();
  }

  async #lookAround(): Promise<void> {
    if (this.#isStopped) return;
    await this.#files.prepare();
    if (await this.#files.isAsked()) await this.#files.answer();
    if (++this.#polls % POLLS_PER_CLEANING > 0) return;
    await this.#files.refresh();
    await this.#files.removeOld();
  }

  #unavailable(cause: unknown): SluiceError {
    return new SluiceError(
      'store_unavailable',
      `dead letters cannot be kept in ${this.#options.directory} (${describeError(cause)})`,
      {
        hint: 'make room there or repair the disk; the agent tries again with the next one',
        transient: true,
        cause,
      },
    );
  }
}

function sumRecords(group: readonly Waiting[]): number {
  return group.reduce((sum, { records }) => sum + records, 0);
}

/**
 * The driver that lets `journalctl --output=export --follow` read. journalctl is a process that may end, hang or write something
 * else at any time: all of that is noticed, and it is started again behind the last entry that was read.
 */
import { setImmediate } from 'node:timers/promises';
import { BackOff } from '../../../../src/kit/back_off.ts';
import { Alarm } from '../alarm.ts';
import type { Driver, DriverSetup } from '../driver.ts';
import type { JournalDirectories } from '../journal/directories.ts';
import type { Positions } from '../position/positions.ts';
import { readerOptions } from '../reader_options.ts';
import { Child } from './child.ts';
import { journalctlArgs, PROGRAM } from './command.ts';
import { JournalctlEvents, type RunEnd } from './events.ts';
import { ExportReader } from './export_reader.ts';
import { isAhead, startPlace } from './places.ts';
import { StallWatch } from './stall_watch.ts';
import { readTails, type Tail } from './tails.ts';

/** A batch that does not become full is emitted when its first entry was read so long ago. */
const BATCH_AGE_MS = 20;

/** How often the headers of the files are looked at. */
const LOOK_MS = 5000;

const BACK_OFF = { minMs: 1000, maxMs: 60_000 };

/** After so long a run the next wait is a short one again. */
const WELL_MS = 60_000;

/** Runs that end in the middle of the same entry before it is passed over. */
const MAX_TRIES = 3;

export class JournalctlDriver implements Driver {
  readonly name = 'journalctl';
  readonly #setup: DriverSetup;
  readonly #directories: JournalDirectories;
  /** How far entries were read. */
  readonly #reached: Positions;
  readonly #program: string;
  readonly #events: JournalctlEvents;
  readonly #reader: ExportReader;
  readonly #alarm: Alarm;
  readonly #rest: Alarm;
  readonly #stall: StallWatch;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #running: Promise<unknown> = Promise.resolve();
  /** What the last look has shown. */
  #ahead: readonly Tail[] = [];
  #lookedMs = -Infinity;
  /** The entry in which the last runs have ended, and how many did. */
  #hurdle = { text: '', tries: 0 };
  /** The one that was passed over last. */
  #passedOver = '';
  fileCount = 0;
  problemCount = 0;

  /** Begins behind `reached`, and moves it. */
  constructor(setup: DriverSetup, directories: JournalDirectories, reached: Positions, program = PROGRAM) {
    const { context } = setup;
    this.#setup = setup;
    this.#directories = directories;
    this.#reached = reached;
    this.#program = program;
    this.#events = new JournalctlEvents(context);
    this.#reader = new ExportReader(readerOptions(setup), reached);
    this.#alarm = new Alarm(context.clock);
    this.#rest = new Alarm(context.clock);
    this.#stall = new StallWatch(context.clock);
  }

  get lagSeconds(): number {
    const { lastRealtime } = this.#reader;
    // What was ahead at the last look may have been read since.
    if (lastRealtime === 0 || !this.#ahead.some((tail) => isAhead(tail, this.#reached))) return 0;
    return Math.max(0, this.#setup.context.clock.wallMicros() - lastRealtime) / 1e6;
  }

  run(): Promise<'stopped'> {
    const running = this.#supervise();
    this.#running = running;
    return running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.resolve();
    this.#alarm.switchOff();
    this.#rest.switchOff();
    await this.#running;
  }

  async #supervise(): Promise<'stopped'> {
    const { clock } = this.#setup.context;
    const backOff = new BackOff(BACK_OFF);
    while (!this.#isStopped) {
      const startedMs = clock.monotonicMs();
      const end = await this.#runOnce();
      if (end === undefined) break;
      if (clock.monotonicMs() - startedMs >= WELL_MS) backOff.reset();
      const waitMs = backOff.nextMs();
      this.#events.ended(end, waitMs);
      await this.#rest.wait(waitMs, waitMs);
    }
    return 'stopped';
  }

  /** Starts journalctl and reads what it writes until that ends; how it did, or undefined where the driver was stopped. */
  async #runOnce(): Promise<RunEnd | undefined> {
    const { context, options } = this.#setup;
    this.#look();
    this.#stall.heard();
    this.#reader.begin();
    const place = startPlace(this.#reached, this.#ahead);
    const child = new Child({
      program: this.#program,
      args: journalctlArgs(options, place, place.text !== this.#passedOver),
      clock: context.clock,
      onChange: () => this.#alarm.ring(),
      onErrorLine: (line) => this.#events.said(line),
    });
    const end = await this.#follow(child);
    this.#emit();
    await child.stop();
    if (end !== undefined) this.#noteHurdle();
    return end;
  }

  async #follow(child: Child): Promise<RunEnd | undefined> {
    const reader = this.#reader;
    const { clock } = this.#setup.context;
    let batchMs = Infinity;
    while (!this.#isStopped) {
      if (!reader.hasRead) await this.#waitForRoom();
      if (clock.monotonicMs() - this.#lookedMs >= LOOK_MS) this.#look();
      const state = reader.read();
      if (state === 'broken') return { reason: 'not_export', detail: reader.problem };
      const chunk = state === 'hungry' ? child.read() : undefined;
      if (chunk !== undefined) {
        this.#stall.heard();
        reader.push(chunk);
        continue;
      }
      batchMs = reader.hasRead ? Math.min(batchMs, clock.monotonicMs()) : Infinity;
      const remainingMs = batchMs + BATCH_AGE_MS - clock.monotonicMs();
      if (state === 'full' || remainingMs <= 0 || (reader.hasRead && child.ending !== undefined)) {
        this.#emit();
        batchMs = Infinity;
        await setImmediate();
      } else if (child.ending !== undefined) return child.ending;
      else if (this.#stall.isStalled(this.#ahead)) return { reason: 'stalled', detail: 'it is ended' };
      else await this.#alarm.wait(Math.min(remainingMs, reader.dueMs, LOOK_MS), 0);
    }
    return undefined;
  }

  async #waitForRoom(): Promise<void> {
    const room = this.#setup.context.whenRoom();
    if (room === undefined) return;
    await Promise.race([room, this.#stopped.promise]);
    this.#stall.heard();
  }

  #emit(): void {
    const { context, events, commits } = this.#setup;
    const batch = this.#reader.take(commits);
    if (batch === undefined) return;
    events.entriesRead(batch.count);
    context.emit(batch);
  }

  /** Passes over an entry that journalctl cannot show, or no other would ever be seen. */
  #noteHurdle(): void {
    const { unfinished } = this.#reader;
    const text = unfinished?.text ?? '';
    this.#hurdle = { text, tries: text === this.#hurdle.text ? this.#hurdle.tries + 1 : 1 };
    if (unfinished === undefined || this.#hurdle.tries < MAX_TRIES) return;
    this.#setup.events.damaged('entry');
    this.#events.passedOver(text);
    this.#passedOver = text;
    this.#reached.set(unfinished);
  }

  #look(): void {
    this.#lookedMs = this.#setup.context.clock.monotonicMs();
    const { tails, problems } = readTails(this.#directories);
    this.#ahead = tails.filter((tail) => isAhead(tail, this.#reached));
    this.fileCount = tails.length;
    this.problemCount = problems.size;
    this.#setup.events.looked(this.#directories, { files: tails, problems });
  }
}

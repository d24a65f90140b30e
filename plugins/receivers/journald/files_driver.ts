/** The driver that reads the journal's files itself: looks for new entries in turns, and emits what it finds. */
import { setImmediate } from 'node:timers/promises';
import type { Batch } from '../../../src/core/batch.ts';
import { Alarm } from './alarm.ts';
import type { Driver, DriverSetup } from './driver.ts';
import { DirectoryWatch } from './journal/directory_watch.ts';
import type { JournalDirectories } from './journal/directories.ts';
import { Journal } from './journal/journal.ts';
import { ForeignFiles } from './journalctl/foreign_files.ts';
import { Positions } from './position/positions.ts';
import { readerOptions } from './reader_options.ts';
import { BatchReader, type Progress } from './records/batch_reader.ts';

/** A change that the system reports is looked at after this, together with those that come with it. */
const SOON_MS = 10;

/** How often directories are listed although they seem unchanged; more often while something in them cannot be read. */
const LIST_AGAIN_MS = 10_000;
const LIST_TROUBLED_MS = 1000;

export class FilesDriver implements Driver {
  readonly name = 'files';
  readonly #setup: DriverSetup;
  readonly #directories: JournalDirectories;
  readonly #journal: Journal;
  readonly #reader: BatchReader;
  /** Files for which another driver is needed; undefined where none is to be used. */
  readonly #foreign: ForeignFiles | undefined;
  /** Behind what was emitted. */
  readonly #emitted = new Positions(0);
  readonly #progress: Progress;
  readonly #alarm: Alarm;
  readonly #watch: DirectoryWatch;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #running: Promise<unknown> = Promise.resolve();
  #hasCaughtUp = true;

  constructor(setup: DriverSetup, directories: JournalDirectories) {
    const { options, context, events, positions } = setup;
    this.#setup = setup;
    this.#directories = directories;
    this.#journal = new Journal(
      directories,
      positions,
      (reason, path) => events.damaged(reason, path),
      (reason, count) => events.lost(reason, count),
    );
    this.#reader = new BatchReader(this.#journal, readerOptions(setup));
    this.#foreign = options.driver === 'auto' ? new ForeignFiles(options, context) : undefined;
    this.#progress = {
      ackFor: (cursor) => {
        if (cursor !== undefined) this.#emitted.advance(cursor);
        return setup.commits.ackFor(cursor);
      },
      passed: (cursor) => {
        this.#emitted.advance(cursor);
        setup.commits.passed(cursor);
      },
    };
    this.#alarm = new Alarm(context.clock);
    this.#watch = new DirectoryWatch(() => this.#alarm.ring());
  }

  get fileCount(): number {
    return this.#journal.files.length;
  }

  get problemCount(): number {
    return this.#journal.problems.size;
  }

  get lagSeconds(): number {
    const last = this.#reader.lastRealtime;
    if (this.#hasCaughtUp || last === 0) return 0;
    return Math.max(0, this.#setup.context.clock.wallMicros() - last) / 1e6;
  }

  /** How far entries were read and emitted, delivered or not. */
  get reached(): Positions {
    const reached = this.#setup.positions.copy();
    for (const cursor of this.#emitted.cursors.toReversed()) reached.advance(cursor);
    return reached;
  }

  run(): Promise<'stopped' | 'unsupported'> {
    const running = this.#follow();
    this.#running = running;
    return running;
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.resolve();
    this.#alarm.switchOff();
    await this.#running;
    this.#watch.close();
    this.#journal.close();
  }

  async #follow(): Promise<'stopped' | 'unsupported'> {
    const { context, events, options } = this.#setup;
    const { clock } = context;
    const journal = this.#journal;
    let listedMs = -Infinity;
    while (!this.#isStopped) {
      const age = clock.monotonicMs() - listedMs;
      const mustList = age >= (journal.problems.size > 0 ? LIST_TROUBLED_MS : LIST_AGAIN_MS);
      if (mustList) listedMs = clock.monotonicMs();
      journal.refresh(mustList);
      events.looked(this.#directories, journal);
      this.#watch.follow(this.#directories.present);
      if (journal.problems.size > 0 && (await this.#isUnsupported())) return this.#finish();
      await this.#drain();
      await this.#alarm.wait(Math.min(options.poll_interval, this.#reader.dueMs), SOON_MS);
    }
    return 'stopped';
  }

  /** Whether there is something to read that only another driver can. To be asked before what is later is emitted. */
  async #isUnsupported(): Promise<boolean> {
    return this.#foreign !== undefined && (await this.#foreign.needJournalctl(this.#journal.problems.keys(), this.reached));
  }

  /** Leaves nothing pending for whoever goes on behind `reached`. */
  #finish(): 'unsupported' {
    const read = (): Batch | undefined => this.#reader.finish(this.#progress);
    for (let batch = read(); batch !== undefined; batch = read()) this.#emit(batch);
    return 'unsupported';
  }

  /** Emits what there is to be read now, as fast as there is room for it. */
  async #drain(): Promise<void> {
    const { context } = this.#setup;
    for (;;) {
      const room = context.whenRoom();
      if (room !== undefined) await Promise.race([room, this.#stopped.promise]);
      if (this.#isStopped) return;
      const reading = this.#reader.read(this.#progress);
      this.#hasCaughtUp = reading === undefined && !this.#journal.isSearching;
      if (this.#hasCaughtUp) return;
      if (reading !== undefined && reading !== 'passed') this.#emit(reading);
      await setImmediate();
    }
  }

  #emit(batch: Batch): void {
    const { context, events } = this.#setup;
    events.entriesRead(batch.count);
    context.emit(batch);
  }
}

/** The driver that reads the journal's files itself: looks for new entries in turns, and emits what it finds. */
import { setImmediate } from 'node:timers/promises';
import { Alarm } from './alarm.ts';
import type { Driver, DriverSetup } from './driver.ts';
import { DirectoryWatch } from './journal/directory_watch.ts';
import type { JournalDirectories } from './journal/directories.ts';
import { Journal } from './journal/journal.ts';
import { BatchReader } from './records/batch_reader.ts';
import { FieldTable } from './records/fields.ts';
import { EntrySelection } from './select/selection.ts';

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
  readonly #alarm: Alarm;
  readonly #watch: DirectoryWatch;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #running: Promise<unknown> = Promise.resolve();
  #hasCaughtUp = true;

  constructor(setup: DriverSetup, directories: JournalDirectories) {
    const { options, context, events, positions } = setup;
    const selection = new EntrySelection(options.include, options.exclude);
    this.#setup = setup;
    this.#directories = directories;
    this.#journal = new Journal(directories, positions, (reason) => events.damaged(reason));
    this.#reader = new BatchReader(this.#journal, {
      receiver: context.id,
      format: options.log_format,
      selection,
      table: new FieldTable({ fields: options.fields, service: options.service, conditions: selection.fields }),
      maxValueBytes: options.max_field_bytes,
      parseJson: options.parse_json,
      now: () => context.clock.monotonicMs(),
      onDamage: (reason) => events.damaged(reason),
      onCut: () => events.truncated(),
      onLeftOut: (count) => events.leftOut(count),
      onSuppressed: ({ count, unit }) => events.lost('suppressed', count, unit),
    });
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
      await this.#drain();
      await this.#alarm.wait(Math.min(options.poll_interval, this.#reader.dueMs), SOON_MS);
    }
    return 'stopped';
  }

  /** Emits what there is to be read now, as fast as there is room for it. */
  async #drain(): Promise<void> {
    const { context, events, commits } = this.#setup;
    for (;;) {
      const room = context.whenRoom();
      if (room !== undefined) await Promise.race([room, this.#stopped.promise]);
      if (this.#isStopped) return;
      const reading = this.#reader.read(commits);
      this.#hasCaughtUp = reading === undefined;
      if (reading === undefined) return;
      if (reading !== 'passed') {
        events.entriesRead(reading.count);
        context.emit(reading);
      }
      await setImmediate();
    }
  }
}

/** Follows the journal and emits what is written to it. */
import { stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';
import { Alarm } from './alarm.ts';
import { BatchReader } from './records/batch_reader.ts';
import { Commits } from './position/commits.ts';
import { CursorFile } from './position/cursor_file.ts';
import { JournalDirectories } from './journal/directories.ts';
import { DirectoryWatch } from './journal/directory_watch.ts';
import { Events } from './events.ts';
import { FieldTable, type Selection } from './records/fields.ts';
import { Journal } from './journal/journal.ts';
import { resume } from './position/resume.ts';

export interface JournaldOptions {
  readonly directory?: string | undefined;
  readonly start_at: 'end' | 'beginning';
  readonly log_format: string;
  readonly fields: Selection;
  readonly parse_json: boolean;
  readonly max_field_bytes: number;
  readonly poll_interval: number;
  readonly commit_interval: number;
}

/** Where journald keeps its files, for good and until the next boot. */
const SYSTEM_DIRECTORIES: readonly string[] = ['/var/log/journal', '/run/log/journal'];

/** A change that the system reports is looked at after this, together with those that come with it. */
const SOON_MS = 10;

/** How often directories are listed although they seem unchanged; more often while something in them cannot be read. */
const LIST_AGAIN_MS = 10_000;
const LIST_TROUBLED_MS = 1000;

export class JournaldReceiver implements Receiver {
  readonly #options: JournaldOptions;
  readonly #context: ReceiverContext;
  readonly #events: Events;
  readonly #alarm: Alarm;
  readonly #directories: JournalDirectories;
  readonly #watch: DirectoryWatch;
  readonly #stopped = Promise.withResolvers<void>();
  #isStopped = false;
  #journal: Journal | undefined;
  #reader: BatchReader | undefined;
  #commits: Commits | undefined;
  #loop: Promise<void> | undefined;
  #hasCaughtUp = true;

  constructor(options: JournaldOptions, context: ReceiverContext) {
    const { metrics } = context;
    this.#options = options;
    this.#context = context;
    this.#events = new Events(context);
    this.#alarm = new Alarm(context.clock);
    this.#directories = new JournalDirectories(options.directory === undefined ? SYSTEM_DIRECTORIES : [options.directory]);
    this.#watch = new DirectoryWatch(() => this.#alarm.ring());
    metrics.observed(
      'sluice_journald_files',
      'Journal files that are there and can be read.',
      () => this.#journal?.files.length ?? 0,
    );
    metrics.observed(
      'sluice_journald_unreadable_paths',
      'Journal files and directories that are there and cannot be read.',
      () => this.#journal?.problems.size ?? 0,
    );
    metrics.observed(
      'sluice_journald_lag_seconds',
      'How long ago the entry that was read last was written, while there are more to read; else 0.',
      () => this.#lagSeconds(),
    );
  }

  /** Finds where to begin and starts to read. Throws a `SluiceError` where the configured directory is missing. */
  async start(): Promise<void> {
    const { clock, log, stateDirectory, id } = this.#context;
    const { directory, start_at: startAt, commit_interval: intervalMs } = this.#options;
    if (directory !== undefined) await requireDirectory(directory);
    const file = new CursorFile(stateDirectory);
    const saved = await file.load();
    const positions = resume({ directories: this.#directories, saved, startAt, now: clock.wallMicros(), log });
    this.#journal = new Journal(this.#directories, positions, (reason) => this.#events.damaged(reason));
    this.#reader = new BatchReader(this.#journal, {
      receiver: id,
      format: this.#options.log_format,
      table: new FieldTable(this.#options.fields),
      maxValueBytes: this.#options.max_field_bytes,
      parseJson: this.#options.parse_json,
      onDamage: (reason) => this.#events.damaged(reason),
      onCut: () => this.#events.truncated(),
    });
    this.#commits = new Commits({ file, positions, intervalMs, clock, events: this.#events });
    // Saved before anything is read, so that a restart goes on here even if not a single entry comes until then.
    await this.#commits.save();
    this.#loop = this.#follow(this.#journal, this.#reader, this.#commits);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#stopped.resolve();
    this.#alarm.switchOff();
    await this.#loop;
    this.#watch.close();
    this.#journal?.close();
  }

  async close(): Promise<void> {
    await this.#commits?.close();
  }

  async #follow(journal: Journal, reader: BatchReader, commits: Commits): Promise<void> {
    const { clock } = this.#context;
    let listedMs = -Infinity;
    while (!this.#isStopped) {
      const age = clock.monotonicMs() - listedMs;
      const mustList = age >= (journal.problems.size > 0 ? LIST_TROUBLED_MS : LIST_AGAIN_MS);
      if (mustList) listedMs = clock.monotonicMs();
      journal.refresh(mustList);
      this.#events.looked(this.#directories, journal);
      this.#watch.follow(this.#directories.present);
      await this.#drain(reader, commits);
      await this.#alarm.wait(this.#options.poll_interval, SOON_MS);
    }
  }

  /** Emits what there is to be read now, as fast as there is room for it. */
  async #drain(reader: BatchReader, commits: Commits): Promise<void> {
    for (;;) {
      const room = this.#context.whenRoom();
      if (room !== undefined) await Promise.race([room, this.#stopped.promise]);
      if (this.#isStopped) return;
      const batch = reader.read((cursor) => commits.ackFor(cursor));
      this.#hasCaughtUp = batch === undefined;
      if (batch === undefined) return;
      this.#events.entriesRead(batch.count);
      this.#context.emit(batch);
      await setImmediate();
    }
  }

  #lagSeconds(): number {
    const last = this.#reader?.lastRealtime ?? 0;
    if (this.#hasCaughtUp || last === 0) return 0;
    return Math.max(0, this.#context.clock.wallMicros() - last) / 1e6;
  }
}

async function requireDirectory(path: string): Promise<void> {
  let isDirectory: boolean;
  try {
    isDirectory = (await stat(path)).isDirectory();
  } catch (error) {
    // What may not be looked at now may be later; that is reported, and nothing to fail for.
    if (errnoOf(error) !== 'ENOENT') return;
    isDirectory = false;
  }
  if (isDirectory) return;
  throw new SluiceError('path_missing', `there is no directory ${path}`, {
    hint: 'set directory to where journald keeps its files, or leave it out for /var/log/journal and /run/log/journal',
  });
}

/** Follows the journal and emits what is written to it: the life of the receiver, whoever reads for it. */
import { stat } from 'node:fs/promises';
import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';
import type { Driver, DriverSetup } from './driver.ts';
import { Events } from './events.ts';
import { FilesDriver } from './files_driver.ts';
import { JournalDirectories, SYSTEM_ROOTS } from './journal/directories.ts';
import { requireJournalctl } from './journalctl/command.ts';
import { JournalctlDriver } from './journalctl/driver.ts';
import type { JournaldOptions } from './options.ts';
import { currentBootId } from './position/boot.ts';
import { Commits } from './position/commits.ts';
import { CursorFile } from './position/cursor_file.ts';
import type { Positions } from './position/positions.ts';
import { resume } from './position/resume.ts';

export class JournaldReceiver implements Receiver {
  readonly #options: JournaldOptions;
  readonly #context: ReceiverContext;
  readonly #events: Events;
  readonly #directories: JournalDirectories;
  #driver: Driver | undefined;
  #commits: Commits | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;

  constructor(options: JournaldOptions, context: ReceiverContext) {
    const { metrics } = context;
    this.#options = options;
    this.#context = context;
    this.#events = new Events(context);
    this.#directories = new JournalDirectories(options.directory === undefined ? SYSTEM_ROOTS : [options.directory], {
      namespace: options.namespace,
      includeUsers: options.include_users,
    });
    for (const driver of ['files', 'journalctl']) {
      const help = 'Who reads the journal: 1 for the driver in use, 0 for the other.';
      metrics.observed('sluice_journald_driver', help, () => (this.#driver?.name === driver ? 1 : 0), { driver });
    }
    metrics.observed(
      'sluice_journald_files',
      'Journal files that are there and can be read.',
      () => this.#driver?.fileCount ?? 0,
    );
    metrics.observed(
      'sluice_journald_unreadable_paths',
      'Journal files and directories that are there and cannot be read.',
      () => this.#driver?.problemCount ?? 0,
    );
    metrics.observed(
      'sluice_journald_lag_seconds',
      'How long ago the entry that was read last was written, while there are more to read; else 0.',
      () => this.#driver?.lagSeconds ?? 0,
    );
  }

  /**
   * Finds where to begin and starts to read. Throws a `SluiceError` where the configured directory is missing, or the saved position
   * cannot be read, or must not be moved although its entry is gone, or the driver asked for cannot be run.
   */
  async start(): Promise<void> {
    const { clock, stateDirectory } = this.#context;
    const { directory, commit_interval: intervalMs, ...options } = this.#options;
    if (directory !== undefined) await requireDirectory(directory);
    if (options.driver === 'journalctl') await requireJournalctl(this.#options);
    const file = new CursorFile(stateDirectory);
    const saved = await file.load();
    const positions = resume({
      directories: this.#directories,
      saved,
      savedIn: file.path,
      startAt: options.start_at,
      onStale: options.on_stale_cursor,
      onReport: (report) => this.#events.staleCursor(report),
      now: clock.wallMicros(),
      bootId: currentBootId(),
    });
    const [newest] = positions.cursors;
    this.#events.started(saved === undefined ? placeOf(options.start_at) : 'from the saved position', newest?.text);
    const commits = new Commits({ file, positions, intervalMs, clock, events: this.#events });
    this.#commits = commits;
    // Saved before anything is read, so that a restart goes on here even if not a single entry comes until then.
    await commits.save();
    const setup = { options: this.#options, context: this.#context, events: this.#events, positions, commits };
    this.#running = options.driver === 'journalctl' ? this.#runJournalctl(setup, positions.copy()) : this.#runFiles(setup);
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#driver?.stop();
    await this.#running;
  }

  async close(): Promise<void> {
    this.#events.close();
    await this.#commits?.close();
  }

  async #runFiles(setup: DriverSetup): Promise<void> {
    const driver = new FilesDriver(setup, this.#directories);
    this.#driver = driver;
    if ((await driver.run()) === 'stopped') return;
    const { reached } = driver;
    await driver.stop();
    if (!this.#isStopped) await this.#runJournalctl(setup, reached);
  }

  async #runJournalctl(setup: DriverSetup, reached: Positions): Promise<void> {
    const driver = new JournalctlDriver(setup, this.#directories, reached);
    this.#driver = driver;
    await driver.run();
  }
}

function placeOf(startAt: JournaldOptions['start_at']): string {
  switch (startAt) {
    case 'end':
      return 'from now on: no position was saved, and start_at is end';
    case 'boot':
      return 'from the beginning of this boot: no position was saved';
    case 'beginning':
      return 'from its beginning: no position was saved';
    default:
      return `from ${startAt} on: no position was saved`;
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

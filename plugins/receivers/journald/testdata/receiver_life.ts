/**
 * A receiver that reads made-up journals until it is stopped or killed, and goes on where the one before it was. Its directories are the
 * test's, one of them for runtime files; apart from that it is put together as the receiver does it.
 */
import { DELIVERED } from '../../../../src/core/ack.ts';
import { type EmittedBatch, FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import type { SimulatedDisk } from '../../../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { Events } from '../events.ts';
import { FilesDriver } from '../files_driver.ts';
import definition from '../index.ts';
import { JournalDirectories } from '../journal/directories.ts';
import { Commits } from '../position/commits.ts';
import { CursorFile } from '../position/cursor_file.ts';
import { Positions } from '../position/positions.ts';
import { resume } from '../position/resume.ts';
import type { Root } from './journal_reader.ts';

/** On the disk that holds the positions. */
export const STATE = '/state';

export class ReceiverLife {
  readonly context: FakeReceiverContext;
  /** Where it goes on. */
  readonly begun: Positions;
  readonly #clock: VirtualClock;
  readonly #disk: SimulatedDisk;
  readonly #commits: Commits;
  readonly #driver: FilesDriver;

  private constructor(context: FakeReceiverContext, disk: SimulatedDisk, clock: VirtualClock, begun: Positions, parts: Parts) {
    this.context = context;
    this.begun = begun;
    this.#clock = clock;
    this.#disk = disk;
    this.#commits = parts.commits;
    this.#driver = parts.driver;
  }

  static async begin(root: Root, disk: SimulatedDisk, given: Readonly<Record<string, unknown>>): Promise<ReceiverLife> {
    const clock = new VirtualClock();
    const context = new FakeReceiverContext({ id: 'journald', clock });
    const options = definition.options.parse({ driver: 'files', start_at: 'beginning', ...given });
    const events = new Events(context);
    const directories = new JournalDirectories([root.persistent, root.runtime], { runtimeRoot: root.runtime });
    const file = new CursorFile(STATE, disk.mount());
    const positions = resume({
      directories,
      saved: await file.load(),
      savedIn: file.path,
      startAt: options.start_at,
      onStale: options.on_stale_cursor,
      onReport: (report) => events.staleCursor(report),
      now: clock.wallMicros(),
      bootId: undefined,
    });
    const begun = positions.copy();
    const commits = new Commits({ file, positions, intervalMs: options.commit_interval, clock, events });
    await commits.save();
    const driver = new FilesDriver({ options, context, events, positions, commits }, directories);
    void driver.run();
    return new ReceiverLife(context, disk, clock, begun, { commits, driver });
  }

  /** What a receiver that begins now would go on behind. */
  get saved(): Positions {
    return Positions.parse(this.#disk.contents.get(`${STATE}/cursor`)?.toString() ?? '', STATE);
  }

  /** Those that are neither delivered nor failed. */
  get open(): EmittedBatch[] {
    return this.context.emitted.filter(({ batch }) => !batch.settled);
  }

  async run(milliseconds: number): Promise<void> {
    await this.#clock.run(milliseconds);
  }

  deliver(emitted: EmittedBatch): void {
    emitted.batch.settle(DELIVERED);
  }

  /** The agent ends: reading first, and then what is `delivered` has been, and the rest fails. */
  async stop(delivered: (open: readonly EmittedBatch[]) => void): Promise<void> {
    await this.#driver.stop();
    delivered(this.open);
    this.context.settleAll({ kind: 'failed', reason: 'shutdown' });
    await this.#commits.close();
  }

  /** The agent ends, and does nothing more. */
  async kill(): Promise<void> {
    this.#disk.kill();
    await this.#driver.stop();
  }
}

interface Parts {
  readonly commits: Commits;
  readonly driver: FilesDriver;
}

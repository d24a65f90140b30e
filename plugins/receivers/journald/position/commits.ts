/**
 * Saves the position behind what was delivered, now and then and at the end.
 *
 * A batch fails when the agent stops before it was delivered, and only then: a spool never gives up a batch of a source that can be
 * asked again, but keeps it for as long as it takes. So it is enough that the position stays before it, and that it is read again after
 * the restart.
 */
import { Ack } from '../../../../src/core/ack.ts';
import type { Clock, Timer } from '../../../../src/core/clock.ts';
import { describeError } from '../../../../src/core/errors.ts';
import type { Cursor } from '../file/cursor.ts';
import type { CursorFile } from './cursor_file.ts';
import type { Events } from '../events.ts';
import type { Positions } from './positions.ts';
import { SettledPrefix } from './settled_prefix.ts';

export interface CommitOptions {
  readonly file: CursorFile;
  readonly positions: Positions;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly events: Events;
}

export class Commits {
  readonly #options: CommitOptions;
  readonly #prefix: SettledPrefix<Cursor>;
  #timer: Timer | undefined;
  #isDirty = false;
  #isSaving = false;
  #isOverdue = false;
  #isClosed = false;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: CommitOptions) {
    this.#options = options;
    this.#prefix = new SettledPrefix({
      advance: (cursor) => this.#advance(cursor),
      fail: (reason) => options.events.deliveryFailed(reason),
      merge: furtherOf,
    });
  }

  /**
   * An ack for the next batch. When it and all before it have settled, reading goes on behind `cursor` after a restart: that is the
   * batch's last entry, or an earlier one where a later one must be read again (undefined where there is none before that).
   */
  ackFor(cursor: Cursor | undefined): Ack {
    return new Ack(this.#prefix.add(cursor));
  }

  /**
   * Says that of the entries up to `cursor`, behind the batch that was given an ack last, none became a record. They count as passed
   * when all batches before them have settled. Cheap, and kept once for each sequence however often it is called.
   */
  passed(cursor: Cursor): void {
    this.#prefix.pass(cursor);
  }

  /** Saves the positions as they are. What fails is reported, and tried again at the next interval. */
  async save(): Promise<void> {
    this.#isDirty = false;
    this.#saving = this.#saving.then(() => this.#write());
    await this.#saving;
  }

  /** Saves for the last time, what is settled from now on apart. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#saving;
    if (this.#isDirty) await this.save();
  }

  #advance(cursor: Cursor): void {
    if (!this.#options.positions.advance(cursor)) return;
    this.#isDirty = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#isClosed) return;
    this.#timer = this.#options.clock.after(this.#options.intervalMs, () => {
      this.#timer = undefined;
      // A save that takes longer than the interval, as on a disk that hangs, is waited for.
      if (this.#isSaving) this.#isOverdue = true;
      else void this.save();
    });
  }

  async #write(): Promise<void> {
    const { file, positions, events } = this.#options;
    this.#isSaving = true;
    try {
      await file.save(positions);
      events.saved();
    } catch (error) {
      events.saveFailed(describeError(error), file.path);
      this.#isDirty = true;
      this.#schedule();
    }
    this.#isSaving = false;
    if (this.#isOverdue && !this.#isClosed) void this.save();
    this.#isOverdue = false;
  }
}

/** Undefined where the cursors are of different sequences. */
function furtherOf(a: Cursor, b: Cursor): Cursor | undefined {
  if (a.seqnumId !== b.seqnumId) return undefined;
  return (a.seqnum ?? 0) > (b.seqnum ?? 0) ? a : b;
}

/** A spool's directory: taken up at the start, kept up to date, and left in order. */
import { errnoOf } from '../core/errors.ts';
import type { FileLock, FileSystem } from '../core/files.ts';
import type { RecoveredRecords, Recovery, SpoolMark } from '../core/spool_mark.ts';
import { SegmentLog } from './disk/segment_log.ts';
import { openSpoolDirectory } from './disk/spool_directory.ts';
import { StateFile, type SpoolState } from './disk/state_file.ts';
import { newEpoch } from './epoch.ts';
import type { ReceiverRecords } from './disk/types.ts';
import type { SpoolEvents } from './events.ts';
import type { Lane, Numbering } from './lane.ts';

/** Segments are this share of the bound, within limits: what is given up when the disk is full, and how late it is freed. */
const SEGMENT_SHARE = 1 / 32;
const MIN_SEGMENT_BYTES = 1024 * 1024;
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;

export interface SpoolDiskOptions {
  readonly directory: string;
  readonly maxBytes: number;
  readonly files: FileSystem;
  readonly random: () => number;
  /** Opened with what is found for each. */
  readonly lanes: readonly Lane[];
  /** In the order of the lanes' places. */
  readonly destinations: readonly string[];
  /** How far the spool had come at a moment that may be later than when its own state was saved. */
  readonly mark: SpoolMark | undefined;
  readonly events: SpoolEvents;
}

export class SpoolDisk {
  readonly #o: SpoolDiskOptions;
  #lock: FileLock;
  readonly #file: StateFile;
  readonly #recovered = new Map<string, RecoveredRecords>();
  #hasDamage = false;
  #id: string;
  #nextPosition = 0;
  #saved = '';
  /** Whether it is saved that nothing is left on disk. */
  #isEmptySaved = false;

  private constructor(options: SpoolDiskOptions, lock: FileLock) {
    const { directory, files, events } = options;
    this.#o = options;
    this.#id = newEpoch(options.random);
    this.#lock = lock;
    this.#file = new StateFile({ directory, files, damaged: (path) => events.stateDamaged(path) });
  }

  /** Takes the directory and opens the lanes. Throws a SluiceError where it cannot be used or another process has it. */
  static async open(options: SpoolDiskOptions): Promise<SpoolDisk> {
    const disk = new SpoolDisk(options, await openSpoolDirectory(options.directory, options.files));
    try {
      await disk.#open();
    } catch (error) {
      await disk.#lock.release();
      throw error;
    }
    return disk;
  }

  /** What an earlier run has left. */
  get recovery(): Recovery {
    return { records: this.#recovered, hasDamage: this.#hasDamage };
  }

  /** How far the spool has come. */
  mark(nextPosition: number): SpoolMark {
    const { lanes, destinations } = this.#o;
    const cursors = destinations.map((destination, index) => [
      destination,
      Object.fromEntries(lanes.map(({ rule, places }) => [rule, places[index]?.settled ?? 0])),
    ]);
    return { id: this.#id, nextPosition, cursors: Object.fromEntries(cursors) };
  }

  /** Larger than every position that has been given. */
  get nextPosition(): number {
    return this.#nextPosition;
  }

  /**
   * Saves how far destinations have come, for as long as something is on disk for which that matters, and once more when they have all of it:
   * files may be left of which a crash would have everything sent again.
   */
  async save(nextPosition: number): Promise<void> {
    const isEmpty = this.#o.lanes.every(({ log }) => log?.isEmpty !== false);
    if (isEmpty && this.#isEmptySaved) return;
    this.#isEmptySaved = (await this.#save(nextPosition, false)) && isEmpty;
  }

  async close(nextPosition: number): Promise<void> {
    for (const { log } of this.#o.lanes) await log?.close();
    await this.#save(nextPosition, true);
    await this.#lock.release();
  }

  async #open(): Promise<void> {
    const { lanes, destinations, events } = this.#o;
    const state = await this.#file.load();
    const gone = Object.keys(state?.cursors ?? {}).filter((name) => !destinations.includes(name));
    if (gone.length > 0) events.destinationsGone(gone);
    this.#id = state?.id ?? this.#id;
    const mark = this.#o.mark?.id === this.#id ? this.#o.mark : undefined;
    this.#nextPosition = Math.max(state?.nextPosition ?? 0, mark?.nextPosition ?? 0);
    const opened: { lane: Lane; log: SegmentLog }[] = [];
    for (const lane of lanes) opened.push({ lane, log: await this.#openLane(lane, state, mark) });
    if (await this.#save(this.#nextPosition, false)) return;
    // The disk may still say that the last end was in good order, so nothing may be numbered where it left off.
    for (const { lane, log } of opened) lane.open(log, this.#newNumbering());
  }

  #addRecovered(held: Iterable<ReceiverRecords>, newer: ReadonlyMap<string, number>): void {
    for (const { receiver, records } of held) {
      const sum = this.#recovered.get(receiver) ?? { known: 0, newer: 0 };
      const since = newer.get(receiver) ?? 0;
      this.#recovered.set(receiver, { known: sum.known + records - since, newer: sum.newer + since });
    }
  }

  async #openLane(lane: Lane, state: SpoolState | undefined, mark: SpoolMark | undefined): Promise<SegmentLog> {
    const { directory, files, maxBytes, destinations, events } = this.#o;
    const segmentBytes = Math.min(Math.max(maxBytes * SEGMENT_SHARE, MIN_SEGMENT_BYTES), MAX_SEGMENT_BYTES);
    const log = new SegmentLog({ directory, lane: lane.rule, files, segmentBytes, events });
    // A destination that was not there before gets everything that is held.
    const settled = destinations.map((name) =>
      Math.max(state?.cursors[name]?.[lane.rule] ?? 0, mark?.cursors[name]?.[lane.rule] ?? 0),
    );
    const { newer, hasDamage } = await log.recover(Math.min(...settled), mark?.nextPosition);
    this.#addRecovered(log.held(), newer);
    this.#hasDamage ||= hasDamage;
    const known = state?.isClean === true ? state.lanes[lane.rule] : undefined;
    lane.open(log, known ?? this.#newNumbering());
    for (const [index, place] of lane.places.entries()) place.open(settled[index] ?? 0);
    this.#nextPosition = Math.max(this.#nextPosition, log.lastPosition + 1);
    return log;
  }

  #newNumbering(): Numbering {
    return { epoch: newEpoch(this.#o.random), nextSequence: 1 };
  }

  /** False where the disk refuses. */
  async #save(nextPosition: number, isClean: boolean): Promise<boolean> {
    const state = this.#stateOf(nextPosition, isClean);
    const text = JSON.stringify(state);
    if (text === this.#saved) return true;
    try {
      await this.#file.save(state);
      this.#saved = text;
      this.#o.events.stateSaved();
      return true;
    } catch (error) {
      this.#o.events.stateNotSaved(error);
      if (errnoOf(error) === 'ENOENT') await this.#makeAnew();
      return false;
    }
  }

  /** Somebody has taken the directory away: what was in it is lost, what comes need not be. */
  async #makeAnew(): Promise<void> {
    const { directory, files, lanes, events } = this.#o;
    try {
      this.#lock = await openSpoolDirectory(directory, files);
      for (const { log } of lanes) await log?.startAnew();
    } catch (error) {
      events.diskFailed(error);
    }
  }

  #stateOf(nextPosition: number, isClean: boolean): SpoolState {
    const lanes = this.#o.lanes.map(({ rule, numbering }) => [rule, numbering]);
    return { ...this.mark(nextPosition), isClean, lanes: Object.fromEntries(lanes) };
  }
}

/** What the disk layer of the spool takes and gives. The layout of its files is described in `src/spool/FORMAT.md`. */
import type { Batch } from '../../core/batch.ts';
import type { FileSystem } from '../../core/files.ts';

/** A batch and the position that names it: a whole number below 2^53, ascending inside a lane, with gaps. */
export interface StoredBatch {
  readonly position: number;
  readonly batch: Batch;
}

/** Records of one receiver. */
export interface ReceiverRecords {
  readonly receiver: string;
  readonly records: number;
}

export interface SegmentLogOptions {
  /** Directory of the spool; it exists and is locked by this process. */
  readonly directory: string;
  /** Name of the lane: letters, digits and underscores, 32 at most. */
  readonly lane: string;
  readonly files: FileSystem;
  /** A segment that would grow beyond this is followed by a new one. One append is never divided, so it may be larger than this. */
  readonly segmentBytes: number;
  readonly events: SegmentLogEvents;
}

/** What went wrong with files, each told once. */
export interface SegmentLogEvents {
  /** Bytes of a segment are not what was written there; whatever records they held will not be read. */
  damaged(damage: Damage): void;
  /** The unfinished end of a segment was cut off, after a crash. */
  cut(segment: string, bytes: number): void;
}

export interface Damage {
  /** File name of the segment. */
  readonly segment: string;
  readonly offset: number;
  readonly bytes: number;
  /** Path of the copy; undefined where none could be made, or where there are too many already. */
  readonly copy: string | undefined;
}

/** What a lane holds on disk when it is opened. */
export interface Recovered {
  /** The highest position found; -1 where there is none. */
  readonly lastPosition: number;
  /** Of the records that are held, by receiver, those at or above the position from which on they are newer than what is known otherwise. */
  readonly newer: ReadonlyMap<string, number>;
  /** Whether there are damaged places of which it cannot be told what was there. */
  readonly hasDamage: boolean;
}

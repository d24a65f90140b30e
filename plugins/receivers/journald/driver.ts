/**
 * Who reads the journal: the files driver, which is the receiver's own reader, or journalctl where that is asked for or needed. A
 * driver reads entries from where the positions are, in the journal's order, and hands them on as batches.
 */
import type { ReceiverContext } from '../../../src/core/component.ts';
import type { Events } from './events.ts';
import type { JournaldOptions } from './options.ts';
import type { Commits } from './position/commits.ts';
import type { Positions } from './position/positions.ts';

/** What all drivers are given. */
export interface DriverSetup {
  readonly options: JournaldOptions;
  readonly context: ReceiverContext;
  readonly events: Events;
  /** Where to begin; moved by `commits` as batches are settled. */
  readonly positions: Positions;
  readonly commits: Commits;
}

export interface Driver {
  readonly name: 'files' | 'journalctl';
  /**
   * Reads and emits until `stop`, waiting for room before each batch. Resolves when it has stopped, or earlier with `unsupported`
   * where it met files that it cannot read and another driver might; what it has emitted until then stays good. Never rejects.
   */
  run(): Promise<'stopped' | 'unsupported'>;
  /** Ends `run`, and resolves when that has ended and everything is closed. May be called twice, and without `run`. */
  stop(): Promise<void>;
  /** Files that can be read, and paths that are there and cannot be; 0 where the driver does not know. */
  readonly fileCount: number;
  readonly problemCount: number;
  /** How long ago the entry that was read last was written, in seconds, while there are more to read; else 0. */
  readonly lagSeconds: number;
}

/** What a spool logs and counts. */
import type { Log } from '../core/log.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import { describeError } from '../core/errors.ts';
import type { Damage } from './disk/types.ts';

/** What became of records, as the ledger books it. Each record once. */
export interface SpoolOutcomes {
  delivered(receiver: string, records: number): void;
  /** Refused for good by a destination, and kept as dead letters. */
  deadLettered(receiver: string, records: number, reason: string): void;
  dropped(receiver: string, records: number, reason: string): void;
}

/** What is read when it is scraped. */
export interface ObservedSpool {
  readonly memoryBytes: () => number;
  readonly maxMemoryBytes: number;
  readonly diskBytes: () => number;
  /** Undefined where there is no disk. */
  readonly maxDiskBytes: number | undefined;
  readonly isDiskFailing: () => boolean;
}

export class SpoolEvents {
  readonly #log: Log;
  readonly #metrics: Metrics;
  readonly #writtenBytes: Counter;
  readonly #damagedBytes: Counter;
  readonly #errors: Counter;
  #problem: string | undefined;
  #stateProblem: string | undefined;

  constructor(log: Log, metrics: Metrics) {
    this.#log = log;
    this.#metrics = metrics;
    this.#writtenBytes = metrics.counter(
      'sluice_spool_written_bytes_total',
      'Bytes of batches that were written to disk, as they were counted in memory.',
    );
    this.#damagedBytes = metrics.counter(
      'sluice_spool_damaged_bytes_total',
      'Bytes on disk that were not what had been written there.',
    );
    this.#errors = metrics.counter('sluice_spool_disk_errors_total', 'Reads and writes of the spool that failed.');
  }

  observe({ memoryBytes, maxMemoryBytes, diskBytes, maxDiskBytes, isDiskFailing }: ObservedSpool): void {
    const metrics = this.#metrics;
    metrics.observed('sluice_spool_memory_bytes', 'Memory of the batches that wait for delivery.', memoryBytes);
    metrics.observed('sluice_spool_memory_max_bytes', 'spool.memory.max_bytes.', () => maxMemoryBytes);
    if (maxDiskBytes === undefined) return;
    metrics.observed('sluice_spool_disk_bytes', 'Disk that batches take which wait for delivery.', diskBytes);
    metrics.observed('sluice_spool_disk_max_bytes', 'spool.disk.max_bytes.', () => maxDiskBytes);
    metrics.observed('sluice_spool_disk_failing', '1 while the disk does not take batches.', () => Number(isDiskFailing()));
  }

  written(bytes: number): void {
    this.#writtenBytes.add(bytes);
  }

  /** Once for each reason: an outage of hours must not fill the log, least of all where the log's disk is the full one. */
  diskFailed(error: unknown): void {
    this.#errors.add();
    const problem = describeError(error);
    if (problem !== this.#problem) {
      this.#log.error('the disk does not take what memory cannot hold; it is tried again', { reason: problem });
    }
    this.#problem = problem;
  }

  diskRecovered(): void {
    this.#problem = undefined;
    this.#log.info('the disk takes batches again');
  }

  readFailed(destination: string, error: unknown): void {
    this.#errors.add();
    this.#log.warn('batches on disk cannot be read; it is tried again', { destination, reason: describeError(error) });
  }

  segmentSkipped(destination: string): void {
    this.#log.error('the rest of a segment cannot be read and is passed over', { destination });
  }

  damaged({ segment, offset, bytes, copy }: Damage): void {
    this.#damagedBytes.add(bytes);
    this.#log.error('a part of the spool on disk is damaged; what is behind it is shipped', { segment, offset, bytes, copy });
  }

  cut(segment: string, bytes: number): void {
    this.#log.warn('the unfinished end of a segment was cut off', { segment, bytes });
  }

  droppedOldest(records: number, reason: string): void {
    this.#log.warn('the spool is full: the oldest records on disk are given up', { records, reason });
  }

  lost(records: number): void {
    this.#log.error('records on disk could not be read back', { records });
  }

  stateDamaged(path: string): void {
    this.#log.error('what the spool knew of how far each destination has come cannot be read; all that is held is sent again', {
      path,
    });
  }

  /** Once for each reason, too. */
  stateNotSaved(error: unknown): void {
    this.#errors.add();
    const problem = describeError(error);
    if (problem !== this.#stateProblem) {
      this.#log.warn('how far each destination has come could not be saved; after a crash more is sent again', {
        reason: problem,
      });
    }
    this.#stateProblem = problem;
  }

  stateSaved(): void {
    this.#stateProblem = undefined;
  }

  diskHangs(graceMs: number): void {
    this.#log.error(
      'the disk has not taken everything in time at the stop; what it has not got is lost where no source keeps it',
      {
        waited_ms: graceMs,
      },
    );
  }

  destinationsGone(names: readonly string[]): void {
    this.#log.warn('destinations that are no longer configured are forgotten; what they have not got goes to those that are', {
      destinations: names,
    });
  }

  recovered(records: number, bytes: number): void {
    if (records > 0) this.#log.info('records of an earlier run wait on disk', { records, bytes });
  }
}

/** What the tests of dead letters share: a disk, and what is on it. */
import { basename, dirname } from 'node:path';
import type { Batch, BatchFacts } from '../../core/batch.ts';
import type { Refusal } from '../../core/component.ts';
import type { FileSystem } from '../../core/files.ts';
import { makeBatch, type RecordSpec } from '../../../test/helpers/batches.ts';
import { RecordingLog, RecordingMetrics } from '../../../test/helpers/recording.ts';
import type { SimulatedDisk } from '../../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { DeadLetterStore } from '../store.ts';

export const DIRECTORY = '/letters';

export const REFUSAL: Refusal = { reason: 'refused', detail: 'not a number', attempts: 1 };

/** A linear congruential generator (Numerical Recipes). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
}

/** Records of `pipe/app` that have their ids, `e-<sequence>`. */
export function batchOf(records: readonly (string | RecordSpec)[], facts: Partial<BatchFacts> = {}): Batch {
  return makeBatch(records, { receiver: 'pipe/app', format: 'app', epoch: 'e', ...facts });
}

export interface Bench {
  readonly store: DeadLetterStore;
  readonly clock: VirtualClock;
  readonly log: RecordingLog;
  readonly metrics: RecordingMetrics;
}

export interface BenchOptions {
  readonly maxBytes?: number;
  readonly maxAgeMs?: number;
  readonly clock?: VirtualClock;
}

/** A store in `/letters` that has not been started. */
export function benchOn(files: FileSystem, options: BenchOptions = {}): Bench {
  const { maxBytes = 1024 * 1024, maxAgeMs = 30 * 86_400_000, clock = new VirtualClock() } = options;
  const log = new RecordingLog();
  const metrics = new RecordingMetrics();
  const store = new DeadLetterStore({ directory: DIRECTORY, maxBytes, maxAgeMs, files, clock, log, metrics });
  return { store, clock, log, metrics };
}

/** The files of letters in a directory by name, with their lines. */
export function linesOn(disk: SimulatedDisk, directory = DIRECTORY): Map<string, string[]> {
  const found = [...disk.contents].filter(([path]) => dirname(path) === directory && path.endsWith('.ndjson'));
  return new Map(found.map(([path, content]) => [basename(path), content.toString().split('\n').slice(0, -1)]));
}

/** The ids of all letters in a directory, in order. */
export function idsOn(disk: SimulatedDisk, directory = DIRECTORY): string[] {
  return [...linesOn(disk, directory).values()].flat().flatMap((line) => /"id":"([^"]*)"/.exec(line)?.[1] ?? []);
}

/** Makes a file with this content, safe on the disk. */
export async function putFile(files: FileSystem, path: string, content: string): Promise<void> {
  await files.makeDirectory(dirname(path));
  const file = await files.open(path, 'create');
  await file.write([Buffer.from(content)], 0);
  await file.sync();
  await file.close();
  await files.syncDirectory(dirname(path));
}

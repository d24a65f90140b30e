/** What a log-x receiver puts its records into: a list that outlives it. */
import type { Batch } from '../../src/core/batch.ts';
import type { Incarnation } from './incarnation.ts';
import type { Random } from './random.ts';
import { asMap, isUnstorable, textIn } from './records.ts';

/** A line as it was stored. */
export interface Stored {
  /** The line, decoded; undefined where it is not what a receiver may pass on. */
  readonly record: StoredRecord | undefined;
  readonly line: string;
  /** The dead-letter mark. */
  readonly mark: string | undefined;
  /** Counts up over all stores, in the order in which lines became durable. */
  readonly order: number;
}

export interface StoredRecord {
  readonly id: string;
  readonly service: string;
  readonly text: string;
}

export interface StoreOptions {
  readonly random: Random;
  /** The most that a write takes where nothing is wrong, in milliseconds. */
  readonly usualWriteMs: number;
  /** Gives numbers that ascend over all stores. */
  readonly nextOrder: () => number;
}

/** Why a store does not take what it is given. */
export const REFUSING = 'the store refuses writes';

export class Store {
  readonly lines: Stored[] = [];
  /** Writes fail until it is false again. */
  isRefusing = false;
  /** The most that a write takes, in milliseconds. */
  maxWriteMs: number;
  readonly #options: StoreOptions;
  /** What is being written, by the process that does. */
  readonly #writing = new Map<readonly Omit<Stored, 'order'>[], Incarnation>();

  constructor(options: StoreOptions) {
    this.#options = options;
    this.maxWriteMs = options.usualWriteMs;
  }

  get usualWriteMs(): number {
    return this.#options.usualWriteMs;
  }

  /** Resolves when the records are durable; throws where the store does not take any now. */
  async write(batches: readonly Batch[], incarnation: Incarnation): Promise<void> {
    const lines = batches.flatMap(linesOf);
    if (!incarnation.operate()) return never();
    this.#writing.set(lines, incarnation);
    const { random } = this.#options;
    await new Promise<void>((resolve) => {
      incarnation.schedule(random.next() * this.maxWriteMs, resolve);
    });
    this.#writing.delete(lines);
    if (this.isRefusing) throw new Error(REFUSING);
    this.#keep(lines);
  }

  /** The process has ended: of what it was writing, some was written. */
  ended(incarnation: Incarnation): void {
    for (const [lines, writer] of this.#writing) {
      if (writer !== incarnation) continue;
      this.#writing.delete(lines);
      if (!this.isRefusing) this.#keep(lines.slice(0, this.#options.random.integer(0, lines.length)));
    }
  }

  #keep(lines: readonly Omit<Stored, 'order'>[]): void {
    for (const line of lines) this.lines.push({ ...line, order: this.#options.nextOrder() });
  }
}

/** Indexes of the records of a batch that the store refuses for good. */
export function unstorable(batch: Batch): number[] {
  return Array.from({ length: batch.count }, (_, index) => index).filter((index) => isUnstorable(lineAt(batch, index)));
}

function linesOf(batch: Batch): Omit<Stored, 'order'>[] {
  return Array.from({ length: batch.count }, (_, index) => lineAt(batch, index))
    .filter((line) => !isUnstorable(line))
    .map((line) => ({ line, mark: batch.destination, record: decode(line, batch) }));
}

function lineAt({ arena, columns }: Batch, index: number): string {
  return arena.toString('utf8', columns.bodyStart[index], columns.bodyEnd[index]);
}

/** Reads a cfjs1 line; undefined where it is none, or not what the batch says. */
function decode(line: string, { format, destination }: Batch): StoredRecord | undefined {
  const parsed = asMap(parseJson(line));
  const { id, service } = asMap(parsed[format]);
  const text = textIn(parsed);
  if (parsed['format'] !== format || parsed['destination'] !== destination) return undefined;
  return typeof id === 'string' && typeof service === 'string' && text !== undefined ? { id, service, text } : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

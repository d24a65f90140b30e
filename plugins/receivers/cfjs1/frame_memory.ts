/** The memory of batches, which is used again once they have settled: payloads, and the columns that say where their lines are. */
import { COLUMN_BYTES, COLUMN_NAMES, type Columns, createColumns, type Storage } from '../../../src/core/batch.ts';
import { BufferPool } from '../../../src/kit/buffer_pool.ts';

/** Columns of fewer rows are not worth keeping. */
const MIN_POOLED_ROWS = 512;

/** The columns' share of the memory that is kept. */
const COLUMNS_SHARE = 0.25;

export class FrameMemory {
  readonly payloads: BufferPool;
  readonly #maxColumnBytes: number;
  /** Those that were freed last are at the end. */
  readonly #columns: Columns[] = [];
  #columnBytes = 0;

  /** Keeps `maxBytes` at most for batches to come. */
  constructor(maxBytes: number) {
    this.#maxColumnBytes = maxBytes * COLUMNS_SHARE;
    this.payloads = new BufferPool(maxBytes - this.#maxColumnBytes);
  }

  /** Memory that waits to be used again. */
  get pooledBytes(): number {
    return this.payloads.pooledBytes + this.#columnBytes;
  }

  /** Columns of zeros for so many rows at least. */
  columns(rows: number): Columns {
    if (rows < MIN_POOLED_ROWS) return createColumns(rows);
    const capacity = 2 ** Math.ceil(Math.log2(rows));
    const at = this.#columns.findLastIndex(({ time }) => time.length === capacity);
    const [pooled] = at < 0 ? [] : this.#columns.splice(at, 1);
    if (pooled === undefined) return createColumns(capacity);
    this.#columnBytes -= capacity * COLUMN_BYTES;
    for (const name of COLUMN_NAMES) pooled[name].fill(0);
    return pooled;
  }

  /** Takes the memory of a batch back. */
  free({ arena, columns }: Storage): void {
    this.payloads.give(arena);
    if (columns.time.length < MIN_POOLED_ROWS) return;
    this.#columns.push(columns);
    this.#columnBytes += columns.time.length * COLUMN_BYTES;
    while (this.#columnBytes > this.#maxColumnBytes) {
      this.#columnBytes -= (this.#columns.shift()?.time.length ?? 0) * COLUMN_BYTES;
    }
  }
}

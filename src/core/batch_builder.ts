/**
 * Builds batches for a receiver: it reads bytes into `arena` at `used`, appends records that are ranges of it, and takes a
 * finished batch when a bound is reached. Full arenas and their columns are reused once their batch has settled.
 */
import { Batch, type BatchFacts, COLUMN_NAMES, type Columns, createColumns, Storage } from './batch.ts';
import { NameTable } from './names.ts';

export interface BatchLimits {
  /** Size of an arena; also the most that one batch can hold. Default 512 KiB. */
  readonly arenaBytes?: number;
  /** Default 4096. */
  readonly maxRecords?: number;
}

/**
 * Memory of the arenas that wait to be reused, of all builders together; more than this is left to the garbage collector. What a spool lets
 * go of at once, when it has written it to disk, fits in.
 */
const MAX_POOLED_BYTES = 32 * 1024 * 1024;

let pooledBytes = 0;

/** A batch that fills less than this share of its arena is copied out, so that a slow source does not pin whole arenas. */
const COPY_BELOW_SHARE = 0.25;

export class BatchBuilder {
  readonly #arenaBytes: number;
  readonly #maxRecords: number;
  readonly #pool: Storage[] = [];
  #storage: Storage;
  #services = new NameTable();
  /** Bytes of the arena in use; the owner advances it as it reads. */
  used = 0;
  #count = 0;

  constructor(limits: BatchLimits = {}) {
    this.#arenaBytes = limits.arenaBytes ?? 512 * 1024;
    this.#maxRecords = limits.maxRecords ?? 4096;
    this.#storage = this.#take();
  }

  get arena(): Buffer {
    return this.#storage.arena;
  }

  get count(): number {
    return this.#count;
  }

  /** Service names of the batch being built; ids from it are valid until the next `build`. */
  get services(): NameTable {
    return this.#services;
  }

  get isFull(): boolean {
    return this.#count >= this.#maxRecords;
  }

  /** Records that can still be added. */
  get roomForRecords(): number {
    return this.#maxRecords - this.#count;
  }

  /** Free bytes behind `used`. */
  get room(): number {
    return this.#arenaBytes - this.used;
  }

  /** Appends a record whose ranges lie in `arena`; the caller has looked at `isFull`. Returns its index. */
  add(time: number, severity: number, service: number, kind: number, flags: number, bodyStart: number, bodyEnd: number): number {
    const c: Columns = this.#storage.columns;
    const at = this.#count++;
    c.time[at] = time;
    c.severity[at] = severity;
    c.service[at] = service;
    c.kind[at] = kind;
    c.flags[at] = flags;
    c.bodyStart[at] = bodyStart;
    c.bodyEnd[at] = bodyEnd;
    c.fieldsStart[at] = 0;
    c.fieldsEnd[at] = 0;
    return at;
  }

  /** Sets the range of encoded members of record `at`, which must lie in `arena` too. */
  setFields(at: number, start: number, end: number): void {
    this.#storage.columns.fieldsStart[at] = start;
    this.#storage.columns.fieldsEnd[at] = end;
  }

  setSequence(at: number, sequence: number): void {
    this.#storage.columns.sequence[at] = sequence;
  }

  /** Hands out what was appended, with all bytes used so far, as a batch and starts anew on an empty arena. */
  build(facts: Omit<BatchFacts, 'services'>): Batch {
    const storage = this.#storage;
    const isSmall = this.used < this.#arenaBytes * COPY_BELOW_SHARE;
    const own = isSmall ? copyOut(storage, this.#count, this.used) : storage;
    const batch = new Batch(own, this.#count, { ...facts, services: this.#services });
    if (!isSmall) this.#storage = this.#take();
    this.used = 0;
    this.#count = 0;
    if (this.#services.isFull) this.#services = new NameTable();
    return batch;
  }

  #take(): Storage {
    const pooled = this.#pool.pop();
    if (pooled !== undefined) pooledBytes -= this.#arenaBytes;
    const arena = pooled?.arena ?? Buffer.allocUnsafeSlow(this.#arenaBytes);
    const columns = pooled?.columns ?? createColumns(this.#maxRecords);
    return new Storage(arena, columns, (freed) => {
      if (pooledBytes + this.#arenaBytes > MAX_POOLED_BYTES) return;
      pooledBytes += this.#arenaBytes;
      this.#pool.push(freed);
    });
  }
}

function copyOut(storage: Storage, count: number, bytes: number): Storage {
  const arena = Buffer.allocUnsafeSlow(bytes);
  storage.arena.copy(arena, 0, 0, bytes);
  const columns = createColumns(count);
  for (const name of COLUMN_NAMES) columns[name].set(storage.columns[name].subarray(0, count));
  return new Storage(arena, columns);
}

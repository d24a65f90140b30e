/**
 * A batch is a struct of arrays over one byte arena: records are ranges into bytes that stay where they were read, and columns
 * hold what the hot path needs to know of each. No object and no string is made per record. (Measured on one core: filtering
 * ranges 22 M records/s, a `subarray` a record 6 M, objects with strings 3 M.)
 *
 * Ownership: exactly one holder at a time may change a batch (drop records, set its resource); once it is in the spool it is
 * read only. Whoever holds it last calls `settle`, after which its bytes may be reused and must not be touched.
 */
import { Ack, type Outcome } from './ack.ts';
import { NameTable } from './names.ts';
import { Resource } from './resource.ts';

/** What the body range holds. */
export const BodyKind = {
  /** UTF-8 text, not escaped. */
  text: 0,
  /** A complete, validated JSON object, byte for byte as it was written. */
  json: 1,
  /** Bytes that are not UTF-8. */
  binary: 2,
  /** A complete cfjs1 line without its newline, as another agent encoded it; everything else about the record is inside. */
  cfjs1: 3,
} as const;

/** Bits of the `flags` column. */
export const RecordFlag = {
  /** The line was longer than allowed and its tail was left out. */
  truncated: 1,
  /** The writer stopped in mid-line; what it had written was shipped after a time-out. */
  partial: 2,
} as const;

/** One array a column, all of the same capacity. Ranges are byte offsets into the arena, end exclusive; empty where equal. */
export interface Columns {
  /** Event time, whole microseconds since 1970 UTC. */
  readonly time: Float64Array;
  /** Position in the epoch's sequence; with the epoch it is the record's id. */
  readonly sequence: Float64Array;
  /** Id in the batch's `services`. */
  readonly service: Uint32Array;
  readonly bodyStart: Uint32Array;
  readonly bodyEnd: Uint32Array;
  /** Encoded JSON members without braces or outer commas (`"pid":7,"unit":"x"`), which belong to this record only. */
  readonly fieldsStart: Uint32Array;
  readonly fieldsEnd: Uint32Array;
  /** Severity number of `severity.ts`; 0 for unset. */
  readonly severity: Uint8Array;
  readonly kind: Uint8Array;
  readonly flags: Uint8Array;
}

export function createColumns(capacity: number): Columns {
  return {
    time: new Float64Array(capacity),
    sequence: new Float64Array(capacity),
    service: new Uint32Array(capacity),
    bodyStart: new Uint32Array(capacity),
    bodyEnd: new Uint32Array(capacity),
    fieldsStart: new Uint32Array(capacity),
    fieldsEnd: new Uint32Array(capacity),
    severity: new Uint8Array(capacity),
    kind: new Uint8Array(capacity),
    flags: new Uint8Array(capacity),
  };
}

export const COLUMN_NAMES: readonly (keyof Columns)[] = [
  'time',
  'sequence',
  'service',
  'bodyStart',
  'bodyEnd',
  'fieldsStart',
  'fieldsEnd',
  'severity',
  'kind',
  'flags',
];

/** Bytes that one record takes in the columns. */
export const COLUMN_BYTES = 8 + 8 + 4 * 5 + 3;

/** Arena and columns, shared by the batches that were made of one buffer; given back when the last of them has settled. */
export class Storage {
  readonly arena: Buffer;
  readonly columns: Columns;
  readonly #onFree: ((storage: Storage) => void) | undefined;
  #references = 1;
  #sharers = 1;

  constructor(arena: Buffer, columns: Columns, onFree?: (storage: Storage) => void) {
    this.arena = arena;
    this.columns = columns;
    this.#onFree = onFree;
  }

  /** How many batches were made of it; more are made before the first of them is passed on. */
  get sharers(): number {
    return this.#sharers;
  }

  /** One more batch shares it from now on. */
  retain(): void {
    this.#references += 1;
    this.#sharers += 1;
  }

  release(): void {
    this.#references -= 1;
    if (this.#references < 0) throw new Error('the storage of a batch was released twice');
    if (this.#references === 0) this.#onFree?.(this);
  }
}

export interface BatchFacts {
  /** Configuration id of the receiver that accepted the records (`pipe/nginx`); the ledger's account. */
  readonly receiver: string;
  /** cfjs1 format and wrapper name, which decide the topic. */
  readonly format: string;
  readonly services: NameTable;
  readonly resource?: Resource;
  /** Set where the source itself numbers its records; otherwise the spool gives epoch and sequence numbers. */
  readonly epoch?: string;
  /** The destination that these records were meant for, where they came by another route (the dead-letter mark). */
  readonly destination?: string;
  /** Whether the source keeps the records until the ack, where its receiver is replayable at all. Default true. */
  readonly isKept?: boolean;
  /** The one destination that has not got these records yet, where the others have: a dead letter that is tried again. */
  readonly onlyFor?: string;
  readonly ack?: Ack;
}

export class Batch {
  readonly receiver: string;
  readonly format: string;
  readonly services: NameTable;
  readonly destination: string | undefined;
  readonly isKept: boolean;
  readonly onlyFor: string | undefined;
  readonly columns: Columns;
  readonly arena: Buffer;
  resource: Resource;
  epoch: string | undefined;
  readonly #storage: Storage;
  readonly #ack: Ack;
  #count: number;

  /** Takes over one reference of `storage`; the first `count` rows of its columns are the batch's records. */
  constructor(storage: Storage, count: number, facts: BatchFacts, columns: Columns = storage.columns) {
    this.receiver = facts.receiver;
    this.format = facts.format;
    this.services = facts.services;
    this.resource = facts.resource ?? Resource.EMPTY;
    this.epoch = facts.epoch;
    this.destination = facts.destination;
    this.isKept = facts.isKept ?? true;
    this.onlyFor = facts.onlyFor;
    this.arena = storage.arena;
    this.columns = columns;
    this.#storage = storage;
    this.#ack = facts.ack ?? new Ack();
    this.#count = count;
  }

  get count(): number {
    return this.#count;
  }

  get settled(): boolean {
    return this.#ack.settled;
  }

  /** Memory that the batch keeps from being reused, in bytes; of an arena that several batches share, its share. */
  get memoryBytes(): number {
    return Math.ceil(this.arena.length / this.#storage.sharers) + this.columns.time.length * COLUMN_BYTES;
  }

  /** Copies record `from` over record `to`; with `truncate` it is how filters drop records without touching bytes. */
  move(from: number, to: number): void {
    const c = this.columns;
    c.time[to] = c.time[from]!; // both are below count, by contract, here and below
    c.sequence[to] = c.sequence[from]!;
    c.service[to] = c.service[from]!;
    c.bodyStart[to] = c.bodyStart[from]!;
    c.bodyEnd[to] = c.bodyEnd[from]!;
    c.fieldsStart[to] = c.fieldsStart[from]!;
    c.fieldsEnd[to] = c.fieldsEnd[from]!;
    c.severity[to] = c.severity[from]!;
    c.kind[to] = c.kind[from]!;
    c.flags[to] = c.flags[from]!;
  }

  /** Leaves only the first `count` records. */
  truncate(count: number): void {
    if (count < 0 || count > this.#count) throw new RangeError(`cannot truncate a batch of ${this.#count} records to ${count}`);
    this.#count = count;
  }

  /** Tells the source what became of the records and gives the bytes back. Exactly once; the second time throws. */
  settle(outcome: Outcome): void {
    this.#ack.settle(outcome);
    this.#storage.release();
  }

  /** The first half of `settle`, where the source can be told before the bytes are done with. */
  acknowledge(outcome: Outcome): void {
    this.#ack.settle(outcome);
  }

  /** The second half: gives the bytes back. */
  release(): void {
    this.#storage.release();
  }
}

/** Views of the rows `start` to `end`; the bytes stay shared. */
export function sliceColumns(columns: Columns, start: number, end: number): Columns {
  const sliced = createColumns(0);
  return {
    ...sliced,
    ...Object.fromEntries(COLUMN_NAMES.map((name) => [name, columns[name].subarray(start, end)])),
  };
}

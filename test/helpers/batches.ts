import { Batch, type BatchFacts, BodyKind, createColumns, RecordFlag, Storage } from '../../src/core/batch.ts';
import { NameTable } from '../../src/core/names.ts';

/** A record as a test writes it down; what is left out has the default named. */
export interface RecordSpec {
  readonly body: string | Uint8Array;
  /** Default `text`. */
  readonly kind?: keyof typeof BodyKind;
  /** Default empty: none. */
  readonly service?: string;
  /** Severity number; default 0, unset. */
  readonly severity?: number;
  /** Microseconds; default 0. */
  readonly time?: number;
  /** Default: the record's index. */
  readonly sequence?: number;
  /** Encoded members; default none. */
  readonly fields?: string;
  /** Bits of `RecordFlag`; default none. */
  readonly flags?: number;
}

/** A record as a test reads it; nothing in it refers to the batch. */
export interface PlainRecord {
  /** As UTF-8 text; in hexadecimal where the kind is `binary`. */
  readonly body: string;
  readonly kind: keyof typeof BodyKind;
  readonly service: string;
  readonly severity: number;
  readonly time: number;
  readonly sequence: number;
  readonly fields: string;
  readonly truncated: boolean;
  readonly partial: boolean;
}

/** A batch of records given as bodies or in full, in an arena of its own. */
export function makeBatch(records: readonly (string | RecordSpec)[], facts: Partial<BatchFacts> = {}): Batch {
  const services = facts.services ?? new NameTable();
  const columns = createColumns(records.length);
  const pieces: Uint8Array[] = [];
  let used = 0;
  const append = (bytes: Uint8Array): number => {
    pieces.push(bytes);
    return (used += bytes.length);
  };
  for (const [at, given] of records.entries()) {
    const record: RecordSpec = typeof given === 'string' ? { body: given } : given;
    columns.time[at] = record.time ?? 0;
    columns.sequence[at] = record.sequence ?? at;
    columns.service[at] = services.intern(record.service ?? '');
    columns.severity[at] = record.severity ?? 0;
    columns.kind[at] = BodyKind[record.kind ?? 'text'];
    columns.flags[at] = record.flags ?? 0;
    columns.bodyStart[at] = used;
    columns.bodyEnd[at] = append(Buffer.from(record.body));
    columns.fieldsStart[at] = used;
    columns.fieldsEnd[at] = append(Buffer.from(record.fields ?? ''));
  }
  const storage = new Storage(Buffer.concat(pieces), columns);
  return new Batch(storage, records.length, { receiver: 'test', format: 'test', ...facts, services });
}

/** Every record of a batch, copied out. */
export function readBatch(batch: Batch): PlainRecord[] {
  return Array.from({ length: batch.count }, (_, at) => readRecord(batch, at));
}

function readRecord({ columns, arena, services }: Batch, at: number): PlainRecord {
  const value = (column: { readonly [index: number]: number }): number => column[at] ?? NaN;
  const kind = kindName(value(columns.kind));
  const flags = value(columns.flags);
  return {
    body: arena.toString(kind === 'binary' ? 'hex' : 'utf8', value(columns.bodyStart), value(columns.bodyEnd)),
    kind,
    service: services.name(value(columns.service)),
    severity: value(columns.severity),
    time: value(columns.time),
    sequence: value(columns.sequence),
    fields: arena.toString('utf8', value(columns.fieldsStart), value(columns.fieldsEnd)),
    truncated: (flags & RecordFlag.truncated) !== 0,
    partial: (flags & RecordFlag.partial) !== 0,
  };
}

const KIND_NAMES: readonly (keyof typeof BodyKind)[] = ['text', 'json', 'binary', 'cfjs1'];

function kindName(kind: number): keyof typeof BodyKind {
  const name = KIND_NAMES[kind];
  if (name === undefined || BodyKind[name] !== kind) throw new RangeError(`there is no body kind ${kind}`);
  return name;
}

/** Reads whole journals in tests, through everything but the receiver's timers. */
import { Ack, DELIVERED } from '../../../../src/core/ack.ts';
import { type PlainRecord, readBatch } from '../../../../test/helpers/batches.ts';
import { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import { Positions } from '../position/positions.ts';
import { BatchReader } from '../records/batch_reader.ts';
import { FieldTable, MEMBER_NAMES, type Selection } from '../records/fields.ts';

export interface JournalRecord extends PlainRecord {
  readonly epoch: string;
}

export interface Unread {
  /** How often something could not be read, by reason. */
  readonly damage: Readonly<Record<string, number>>;
  readonly truncated: number;
}

export interface JournalContents extends Unread {
  readonly records: readonly JournalRecord[];
  /** Text of the cursor of the last record of each batch. */
  readonly cursors: readonly string[];
}

export interface ReadOptions {
  readonly fields?: Selection;
  readonly maxValueBytes?: number;
  readonly parseJson?: boolean;
  readonly positions?: Positions;
}

/** The records of a batch, and the text of the cursor of its last one. */
export interface JournalBatch {
  readonly records: readonly JournalRecord[];
  readonly cursor: string;
}

/** All that can be read from the journal files in `directory`. */
export function readJournal(directory: string, options: ReadOptions = {}): JournalContents {
  const batches: JournalBatch[] = [];
  const reading = readBatches(directory, options);
  let step = reading.next();
  for (; step.done !== true; step = reading.next()) batches.push(step.value);
  const records = batches.flatMap((batch) => batch.records);
  return { records, cursors: batches.map(({ cursor }) => cursor), ...step.value };
}

/** The same one batch after the other, for journals that are larger than the memory; returns what could not be read. */
export function* readBatches(directory: string, options: ReadOptions = {}): Generator<JournalBatch, Unread> {
  const damage: Record<string, number> = {};
  const onDamage = (reason: string): void => {
    damage[reason] = (damage[reason] ?? 0) + 1;
  };
  let truncated = 0;
  const journal = new Journal(new JournalDirectories([directory]), options.positions ?? new Positions(0), onDamage);
  const reader = new BatchReader(journal, {
    receiver: 'journald',
    format: 'journal',
    table: new FieldTable(options.fields ?? 'all'),
    maxValueBytes: options.maxValueBytes ?? 256 * 1024,
    parseJson: options.parseJson ?? false,
    onDamage,
    onCut: () => (truncated += 1),
  });
  let cursor = '';
  journal.refresh(true);
  for (;;) {
    const batch = reader.read(({ text }) => {
      cursor = text;
      return new Ack();
    });
    if (batch === undefined) break;
    const records = readBatch(batch).map((record) => ({ ...record, epoch: batch.epoch ?? '' }));
    batch.settle(DELIVERED);
    yield { records, cursor };
  }
  journal.close();
  return { damage, truncated };
}

const FIELD_NAMES = new Map([...MEMBER_NAMES].map(([field, member]) => [member, field]));
const BASE64 = '_base64';

/** The fields of a record that was read with all of them, by journald's names, each with its values as latin1 text. */
export function fieldsOf(record: PlainRecord): Map<string, string[]> {
  const fields = new Map<string, string[]>();
  const add = (name: string, value: Buffer): void => {
    fields.set(name, [...(fields.get(name) ?? []), value.toString('latin1')]);
  };
  const members: Record<string, unknown> = JSON.parse(`{${record.fields}}`);
  for (const [member, value] of Object.entries(members)) {
    const isBase64 = member.endsWith(BASE64);
    const name = isBase64 ? member.slice(0, -BASE64.length) : member;
    for (const one of Array.isArray(value) ? value : [value]) {
      add(FIELD_NAMES.get(name) ?? name, Buffer.from(String(one), isBase64 ? 'base64' : 'utf8'));
    }
  }
  add('MESSAGE', Buffer.from(record.body, record.kind === 'binary' ? 'hex' : 'utf8'));
  return fields;
}

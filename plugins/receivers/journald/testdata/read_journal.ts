/** Reads whole journals in tests, through everything but the receiver's timers. */
import { Ack, DELIVERED } from '../../../../src/core/ack.ts';
import { type PlainRecord, readBatch } from '../../../../test/helpers/batches.ts';
import { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import { Positions } from '../position/positions.ts';
import { BatchReader } from '../records/batch_reader.ts';
import { DEFAULT_SERVICE_FIELDS, MEMBER_NAMES } from '../records/field_names.ts';
import { FieldTable, type Selection } from '../records/fields.ts';
import type { Suppressed } from '../records/suppressed.ts';
import type { Criteria } from '../select/criteria.ts';
import { EntrySelection } from '../select/selection.ts';

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
  /** Entries that were not chosen. */
  readonly leftOut: number;
  readonly suppressed: readonly Suppressed[];
}

export interface ReadOptions {
  readonly fields?: Selection;
  readonly service?: readonly string[];
  readonly include?: Criteria;
  readonly exclude?: Criteria;
  readonly maxValueBytes?: number;
  readonly parseJson?: boolean;
  readonly positions?: Positions;
  /** A clock in milliseconds; default one that stands still. */
  readonly now?: () => number;
  readonly onLeftOut?: (count: number) => void;
  readonly onSuppressed?: (suppressed: Suppressed) => void;
}

/** The records of a batch, and the text of the cursor of its last one. */
export interface JournalBatch {
  readonly records: readonly JournalRecord[];
  readonly cursor: string;
}

/** All that can be read from the journal files in `directory`. */
export function readJournal(directory: string, options: ReadOptions = {}): JournalContents {
  const batches: JournalBatch[] = [];
  const suppressed: Suppressed[] = [];
  let leftOut = 0;
  const reading = readBatches(directory, {
    ...options,
    onLeftOut: (count) => (leftOut += count),
    onSuppressed: (one) => suppressed.push(one),
  });
  let step = reading.next();
  for (; step.done !== true; step = reading.next()) batches.push(step.value);
  const records = batches.flatMap((batch) => batch.records);
  return { records, cursors: batches.map(({ cursor }) => cursor), leftOut, suppressed, ...step.value };
}

/** The same one batch after the other, for journals that are larger than the memory; returns what could not be read. */
export function* readBatches(directory: string, options: ReadOptions = {}): Generator<JournalBatch, Unread> {
  const damage: Record<string, number> = {};
  const onDamage = (reason: string): void => {
    damage[reason] = (damage[reason] ?? 0) + 1;
  };
  let truncated = 0;
  const selection = new EntrySelection(options.include, options.exclude);
  const journal = new Journal(new JournalDirectories([directory]), options.positions ?? new Positions(0), onDamage);
  const reader = new BatchReader(journal, {
    receiver: 'journald',
    format: 'journal',
    selection,
    table: new FieldTable({
      fields: options.fields ?? 'all',
      service: options.service ?? DEFAULT_SERVICE_FIELDS,
      conditions: selection.fields,
    }),
    maxValueBytes: options.maxValueBytes ?? 256 * 1024,
    parseJson: options.parseJson ?? false,
    now: options.now ?? (() => 0),
    onDamage,
    onCut: () => (truncated += 1),
    onLeftOut: options.onLeftOut ?? (() => {}),
    onSuppressed: options.onSuppressed ?? (() => {}),
  });
  let cursor = '';
  journal.refresh(true);
  for (;;) {
    const batch = reader.read({
      ackFor(last) {
        cursor = last?.text ?? '';
        return new Ack();
      },
      passed: () => {},
    });
    if (batch === undefined && !journal.isSearching) break;
    if (batch === undefined || batch === 'passed') continue;
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

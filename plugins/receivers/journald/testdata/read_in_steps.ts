/** Reads a journal batch by batch in tests, with what the reader tells of how far it came. */
import { Ack, DELIVERED } from '../../../../src/core/ack.ts';
import { type PlainRecord, readBatch } from '../../../../test/helpers/batches.ts';
import type { Cursor } from '../file/cursor.ts';
import { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import { Positions } from '../position/positions.ts';
import { BatchReader } from '../records/batch_reader.ts';
import { DEFAULT_SERVICE_FIELDS } from '../records/field_names.ts';
import { FieldTable } from '../records/fields.ts';
import { EntrySelection } from '../select/selection.ts';
import type { ReadOptions } from './read_journal.ts';

export function readInSteps(directory: string, options: ReadOptions = {}) {
  const selection = new EntrySelection(options.include, options.exclude);
  const journal = new Journal(new JournalDirectories([directory]), new Positions(0), () => {});
  /** Where reading would go on after each batch, and entries that were passed: `passed 5e 17`, two digits of the seqnum id. */
  const told: string[] = [];
  const progress = {
    ackFor: (cursor: Cursor | undefined) => {
      told.push(`batch ${cursor?.seqnum ?? 'at the start'}`);
      return new Ack();
    },
    passed: (cursor: Cursor) => told.push(`passed ${cursor.seqnumId?.slice(0, 2)} ${cursor.seqnum}`),
  };
  const reader = new BatchReader(journal, {
    receiver: 'journald',
    format: 'journal',
    selection,
    table: new FieldTable({
      fields: options.fields ?? [],
      service: options.service ?? DEFAULT_SERVICE_FIELDS,
      conditions: selection.fields,
    }),
    maxValueBytes: options.maxValueBytes ?? 256 * 1024,
    parseJson: options.parseJson ?? false,
    now: options.now ?? (() => 0),
    onDamage: () => {},
    onCut: () => {},
    onLeftOut: options.onLeftOut ?? (() => {}),
    onSuppressed: options.onSuppressed ?? (() => {}),
  });
  /** Reads once; of a batch its records. */
  const read = (): readonly (PlainRecord & { readonly epoch: string })[] | 'passed' | undefined => {
    const batch = reader.read(progress);
    if (typeof batch !== 'object') return batch;
    const records = readBatch(batch).map((record) => ({ ...record, epoch: batch.epoch ?? '' }));
    batch.settle(DELIVERED);
    return records;
  };
  return { journal, reader, read, told };
}

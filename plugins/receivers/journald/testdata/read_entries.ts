/** What becomes of entries that a test makes up. */
import { join } from 'node:path';
import { type EntrySpec, type FieldSpec, JournalWriter, type WriterOptions } from './journal_writer.ts';
import { type JournalContents, readJournal, type ReadOptions } from './read_journal.ts';
import { temporaryDirectory } from './temporary.ts';

interface Tap {
  teardown(run: () => void): unknown;
}

/** What is read of a journal with these entries. */
export function readEntries(
  t: Tap,
  entries: readonly EntrySpec[],
  options: ReadOptions = {},
  writing: WriterOptions = {},
): JournalContents {
  const directory = temporaryDirectory(t);
  new JournalWriter(writing).append(...entries).save(join(directory, 'system.journal'));
  return readJournal(directory, options);
}

/** The one record of an entry with these fields, and its members as JSON has them. */
export function readEntry(t: Tap, fields: readonly (FieldSpec | string)[], options: ReadOptions = {}) {
  const { records, damage, truncated } = readEntries(t, [{ fields }], options);
  const [record] = records;
  if (record === undefined || records.length > 1) throw new Error(`there are ${records.length} records of one entry`);
  const members: Record<string, unknown> = JSON.parse(`{${record.fields}}`);
  return { record, damage, truncated, members };
}

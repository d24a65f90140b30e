/** What becomes of damaged files on the whole way to records: nothing is thrown, every record is sound, and intact entries are there. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { fieldsOf, type JournalRecord, readJournal } from '../testdata/read_journal.ts';
import { createSamples, intactEntries, type Sample } from './testdata/corpus.ts';
import { damage, type Mutation, mutation } from './testdata/mutations.ts';
import { RewritableFile } from './testdata/rewritable_file.ts';

const SEED = 20_261_120;
const RUNS = 300;

const samples = createSamples();

function sampleAt(index: number): Sample {
  const found = samples[index];
  if (found === undefined) throw new RangeError(`there is no sample ${index}`);
  return found;
}

/** A record of any entry, damaged or not, that a receiver can take. */
function assertSound(record: JournalRecord): void {
  JSON.parse(`{${record.fields}}`);
  assert.ok(Number.isSafeInteger(record.sequence) && record.sequence > 0);
  assert.ok(Number.isSafeInteger(record.time) && record.time > 0);
}

/** `NAME=value` of all fields of the record, in the shape in which samples have them. */
function textsOf(record: JournalRecord): string[] {
  return [...fieldsOf(record)].flatMap(([name, values]) => values.map((value) => `${name}=${value}`)).toSorted();
}

function check(file: RewritableFile, index: number, mutations: readonly Mutation[], isOnlyChange: boolean): number {
  const sample = sampleAt(index);
  const bytes = damage(sample, mutations);
  file.write(bytes);
  const { records } = readJournal(dirname(file.path));
  records.forEach(assertSound);
  assert.ok(records.length <= sample.entries.length * 2, `${records.length} records`);
  const intact = intactEntries(sample, bytes);
  const bySequence = new Map(records.map((record) => [record.sequence, record]));
  for (const [position, entry] of intact.entries()) {
    if (!isOnlyChange && entry !== position) break;
    const record = bySequence.get(entry + 1);
    assert.ok(record !== undefined, `entry ${entry + 1} is missing`);
    assert.deepEqual(textsOf(record), sample.entries[entry]?.fields);
  }
  return records.length;
}

void test('records of files with one change are those of the entries that were not changed', { timeout: 120_000 }, async (t) => {
  const file = new RewritableFile(t, 'system.journal');
  let read = 0;
  const property = fc.property(fc.constantFrom(0, 2), mutation, (index, change) => {
    read += check(file, index, [change], true);
  });
  fc.assert(property, { seed: SEED, numRuns: RUNS });
  fc.assert(property, { numRuns: RUNS });
  t.ok(read > RUNS * 50, `${read} records`);
});

void test('records of files with many changes begin with those before the first', { timeout: 120_000 }, async (t) => {
  const file = new RewritableFile(t, 'system.journal');
  let read = 0;
  const changes = fc.array(mutation, { minLength: 2, maxLength: 8 });
  const property = fc.property(fc.nat(samples.length - 1), changes, (index, mutations) => {
    read += check(file, index, mutations, false);
  });
  fc.assert(property, { seed: SEED, numRuns: RUNS });
  fc.assert(property, { numRuns: RUNS });
  t.ok(read > RUNS * 10, `${read} records`);
});

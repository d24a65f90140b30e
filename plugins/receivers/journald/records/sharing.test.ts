import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { readEntries } from '../testdata/read_entries.ts';
import { fieldsOf, readJournal } from '../testdata/read_journal.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

void test('what an arena held before does not change what a message is', async (t) => {
  const directory = temporaryDirectory(t);
  const before = { fields: [{ name: 'MESSAGE', value: Buffer.alloc(100, 0xa4) }] };
  const entries = Array.from({ length: 10 }, () => ({ fields: [{ name: 'MESSAGE', value: Uint8Array.of(0xc3) }] }));
  new JournalWriter({ seqnumId: 'a1'.repeat(16) }).append(before).save(join(directory, 'a.journal'));
  const later = { seqnumId: 'a2'.repeat(16), firstRealtime: 1_800_000_000_000_000 };
  new JournalWriter(later).append(...entries).save(join(directory, 'b.journal'));
  const { records } = readJournal(directory);
  t.equal(records.filter(({ kind }) => kind === 'binary').length, 11);
});

void test('what is read is what was written, however entries share their objects', async (t) => {
  const directory = temporaryDirectory(t);
  const name = fc.constantFrom('MESSAGE', 'PRIORITY', 'SYSLOG_IDENTIFIER', '_SYSTEMD_UNIT', 'X', 'Y', 'Z');
  const value = fc.oneof(
    fc.constantFrom('a', 'b', 'c.service', '6', '', 'x'.repeat(5000)),
    fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
  );
  const field = fc.record({ name, value: value.map((text) => Buffer.from(text, 'latin1')) });
  // Fields that fill the file move what entries share far back in it, where it is looked for as a set.
  const filler = fc.integer({ min: 0, max: 4000 }).map((length) => ({ name: 'FILLER', value: Buffer.alloc(length, 'f') }));
  const entry = fc
    .tuple(filler, fc.uniqueArray(field, { maxLength: 6, selector: keyOf }))
    .map(([first, rest]) => [first, ...rest]);
  const property = fc.property(
    fc.array(entry, { minLength: 100, maxLength: 300, size: 'max' }),
    fc.boolean(),
    (entries, isCompact) => {
      const writer = new JournalWriter({ isCompact }).append(...entries.map((fields) => ({ fields })));
      writeFileSync(join(directory, 'a.journal'), writer.bytes());
      const { records, damage } = readJournal(directory);
      const found = records.map((record) =>
        [...fieldsOf(record)].flatMap(([field, values]) => values.map((one) => `${field}=${one}`)),
      );
      const wanted = entries.map((fields) => fields.map(keyOf));
      for (const [index, fields] of found.entries()) {
        // A record has a body, be it empty.
        const missing = wanted[index]?.some((one) => one.startsWith('MESSAGE=')) === true ? [] : ['MESSAGE='];
        assert.deepEqual(fields.toSorted(), [...(wanted[index] ?? []), ...missing].toSorted(), `entry ${index}`);
      }
      assert.deepEqual([found.length, damage], [wanted.length, {}]);
    },
  );
  fc.assert(property, { numRuns: 15 });
});

function keyOf({ name, value }: { readonly name: string; readonly value: Buffer }): string {
  return `${name}=${value.toString('latin1')}`;
}

void test('entries that share everything are told apart by nothing but their ids', async (t) => {
  const fields = ['MESSAGE=tick', 'SYSLOG_IDENTIFIER=clock', 'X=1'];
  const { records } = readEntries(
    t,
    Array.from({ length: 10_000 }, () => ({ fields })),
  );
  t.equal(records.length, 10_000);
  t.ok(
    records.every(({ body, service, fields: members }) => body === 'tick' && service === 'clock' && members.includes('"X":"1"')),
  );
  t.same(new Set(records.map(({ sequence }) => sequence)).size, 10_000);
});

/** What lies further back in a file than this is looked up as a set. */
const FAR: EntrySpec = { fields: [`FILLER=${'f'.repeat(100_000)}`] };

void test('a message that entries share is whole also where it is the last one in an arena', async (t) => {
  const entry = { fields: [`MESSAGE=${'m'.repeat(4000)}`, 'X=1'] };
  const { records } = readEntries(t, [entry, FAR, ...Array.from({ length: 300 }, () => entry)]);
  t.equal(records.length, 302);
  t.equal(records.filter(({ body, fields }) => body.length === 4000 && fields === '"X":"1"').length, 301);
});

void test('a value beside a set that has another one of its field joins it, each time', async (t) => {
  const shared = ['X=shared', 'Y=shared'];
  const own = Array.from({ length: 5 }, (_, number) => ({ fields: [...shared, `X=${number}`] }));
  const { records } = readEntries(t, [{ fields: shared }, FAR, ...own]);
  t.same(
    records.slice(2).map((record) => fieldsOf(record).get('X')),
    own.map((_, number) => ['shared', String(number)]),
  );
});

void test('sets that make room for others leave nothing behind', async (t) => {
  // What all sets may take is a MiB. There are 30 of 48 KB, and others with a value of the field that comes again.
  const large = Array.from({ length: 40 }, (_, number) => `L${number}=${'l'.repeat(4000)}`);
  const sets = Array.from({ length: 120 }, (_, number) =>
    number % 4 === 0
      ? ['Y=shared', `C=${number}`]
      : Array.from({ length: 12 }, (_one, index) => large[(number * 7 + index) % 40] ?? ''),
  );
  const order = Array.from({ length: 600 }, (_, number) => sets[(number * 7919) % 113] ?? []);
  const entries = order.map((fields, number) => [...fields, `Y=own ${number}`]);
  const { records } = readEntries(t, [...sets.map((fields) => ({ fields })), FAR, ...entries.map((fields) => ({ fields }))]);
  const found = records.slice(sets.length + 1).map((record) => fieldsOf(record).get('Y'));
  const wanted = entries.map((fields) => fields.filter((field) => field.startsWith('Y=')).map((field) => field.slice(2)));
  t.same(found, wanted);
});

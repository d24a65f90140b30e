import assert from 'node:assert/strict';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { type EntrySpec, type FieldSpec, JournalWriter, type WriterOptions } from '../testdata/journal_writer.ts';
import { fieldsOf, type JournalContents, readJournal, type ReadOptions } from '../testdata/read_journal.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

interface Tap {
  teardown(run: () => void): unknown;
}

/** What becomes of a journal with these entries. */
function read(t: Tap, entries: readonly EntrySpec[], options: ReadOptions = {}, writing: WriterOptions = {}): JournalContents {
  const directory = temporaryDirectory(t);
  new JournalWriter(writing).append(...entries).save(join(directory, 'system.journal'));
  return readJournal(directory, options);
}

function readOne(t: Tap, fields: readonly (FieldSpec | string)[], options: ReadOptions = {}) {
  const { records, damage, truncated } = read(t, [{ fields }], options);
  const [record] = records;
  if (record === undefined || records.length > 1) throw new Error(`there are ${records.length} records of one entry`);
  const members: Record<string, unknown> = JSON.parse(`{${record.fields}}`);
  return { record, damage, truncated, members };
}

void test('an entry becomes a record with its id, time, message, severity and service', async (t) => {
  const entry = { seqnum: 41, realtime: 1_700_000_000_123_456, fields: ['MESSAGE=hello', 'PRIORITY=3', 'SYSLOG_IDENTIFIER=web'] };
  const { records } = read(t, [entry], {}, { seqnumId: 'a7'.repeat(16) });
  t.match(records, [
    {
      epoch: 'a7'.repeat(16),
      sequence: 41,
      time: 1_700_000_000_123_456,
      body: 'hello',
      kind: 'text',
      severity: 17,
      service: 'web',
      truncated: false,
    },
  ]);
});

void test('each priority has its severity, and what is no priority has none', async (t) => {
  const entries = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '', '66', 'x'].map((text) => ({ fields: [`PRIORITY=${text}`] }));
  t.same(
    read(t, entries).records.map(({ severity }) => severity),
    [21, 19, 18, 17, 13, 10, 9, 5, 0, 0, 0, 0],
  );
});

void test('the service is the identifier, else the unit without its suffix, else the command', async (t) => {
  const all = ['_COMM=nginx', '_SYSTEMD_UNIT=web.service', 'SYSLOG_IDENTIFIER=front'];
  const serviceOf = (fields: string[]): string => readOne(t, fields).record.service;
  t.equal(serviceOf(all), 'front');
  t.equal(serviceOf(all.toReversed()), 'front');
  t.equal(serviceOf(all.slice(0, 2)), 'web');
  t.equal(serviceOf(['_SYSTEMD_UNIT=session-3.scope']), 'session-3.scope');
  t.equal(serviceOf(['_COMM=nginx']), 'nginx');
  t.equal(serviceOf(['MESSAGE=nobody knows']), '');
  t.equal(serviceOf([`SYSLOG_IDENTIFIER=${'é'.repeat(200)}`]), 'é'.repeat(127), 'cut between characters');
});

void test('an entry without a message is shipped with an empty one', async (t) => {
  t.match(readOne(t, ['_COMM=x']).record, { body: '', kind: 'text' });
});

void test('the fields that are asked for are members, known ones under their short names', async (t) => {
  const fields = ['MESSAGE=m', '_PID=17', '_UID=0', '_SYSTEMD_UNIT=a.service', 'CODE_FILE=a.c', '_EXE=/bin/a', 'PRIORITY=6'];
  const defaults = ['_PID', '_UID', '_SYSTEMD_UNIT'];
  t.same(readOne(t, fields, { fields: defaults }).members, { pid: 17, uid: 0, unit: 'a.service' });
  t.same(readOne(t, fields, { fields: ['CODE_FILE', 'PRIORITY'] }).members, { CODE_FILE: 'a.c', PRIORITY: '6' });
  t.same(readOne(t, fields, { fields: [] }).members, {});
  t.same(readOne(t, fields, { fields: 'all' }).members, {
    pid: 17,
    uid: 0,
    unit: 'a.service',
    CODE_FILE: 'a.c',
    _EXE: '/bin/a',
    PRIORITY: '6',
  });
});

void test('a number that JSON would not keep as it is stays text', async (t) => {
  for (const pid of ['007', '1e3', '-1', '', '1'.repeat(16), ' 1']) t.same(readOne(t, [`_PID=${pid}`]).members, { pid });
});

void test('values are escaped, and those that are no UTF-8 are shipped in base64', async (t) => {
  const value = 'quote " backslash \\ tab \t newline \n bell \u0007 ü 😀 \u2028';
  t.same(readOne(t, [`X=${value}`]).members, { X: value });
  t.same(readOne(t, [{ name: 'X', value: Uint8Array.of(0xff, 0, 1) }]).members, { X_base64: '/wAB' });
  const message = readOne(t, [{ name: 'MESSAGE', value: Uint8Array.of(0x61, 0xc3) }]).record;
  t.match(message, { kind: 'binary', body: '61c3' });
});

void test('one message that is no UTF-8 does not make others of its batch binary, nor join with them', async (t) => {
  const values = [Uint8Array.of(0xc3), Uint8Array.of(0xa4), 'ä'];
  const { records } = read(
    t,
    values.map((value) => ({ fields: [{ name: 'MESSAGE', value }] })),
  );
  t.same(
    records.map(({ kind, body }) => [kind, body]),
    [
      ['binary', 'c3'],
      ['binary', 'a4'],
      ['text', 'ä'],
    ],
  );
});

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

void test('more services than a table of names holds keep their names', async (t) => {
  const entries = Array.from({ length: 10_000 }, (_, number) => ({
    fields: [`SYSLOG_IDENTIFIER=${number % 2 === 0 ? 'web' : `job-${number}`}`, `MESSAGE=${number}`],
  }));
  const { records } = read(t, entries);
  const wrong = records.filter(({ service, body }) => service !== (Number(body) % 2 === 0 ? 'web' : `job-${body}`));
  t.same(wrong, []);
});

void test('a field with several values becomes an array', async (t) => {
  const fields = [
    'X=1',
    'Y=a',
    'X=2',
    { name: 'X', value: Uint8Array.of(0xfe) },
    'X=3',
    { name: 'X', value: Uint8Array.of(0xff) },
  ];
  t.same(readOne(t, fields).members, { X: ['1', '2', '3'], Y: 'a', X_base64: ['/g==', '/w=='] });
});

void test('of several messages the first is the body, and the others are a member', async (t) => {
  const once = ['MESSAGE=first', 'MESSAGE=second', 'MESSAGE=third', 'X=1'];
  t.match(readOne(t, once), { record: { body: 'first' }, members: { MESSAGE: ['second', 'third'], X: '1' } });
  const { records } = read(t, [{ fields: once }, { fields: [...once, 'Y=2'] }, { fields: ['MESSAGE=new', ...once] }]);
  t.same(
    records.map((record) => fieldsOf(record).get('MESSAGE')?.toSorted()),
    [
      ['first', 'second', 'third'],
      ['first', 'second', 'third'],
      ['first', 'new', 'second', 'third'],
    ],
    'also where entries share them',
  );
});

void test('what is read is what was written, however entries share their objects', async (t) => {
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
      const directory = temporaryDirectory(t);
      new JournalWriter({ isCompact }).append(...entries.map((fields) => ({ fields }))).save(join(directory, 'a.journal'));
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
  const { records } = read(
    t,
    Array.from({ length: 10_000 }, () => ({ fields })),
  );
  t.equal(records.length, 10_000);
  t.ok(
    records.every(({ body, service, fields: members }) => body === 'tick' && service === 'clock' && members.includes('"X":"1"')),
  );
  t.same(new Set(records.map(({ sequence }) => sequence)).size, 10_000);
});

void test('objects compressed with zstd are read; those that cannot be are counted, and the rest of the entry is shipped', async (t) => {
  const value = 'line of a stack trace\n'.repeat(100);
  t.match(readOne(t, [{ name: 'MESSAGE', value, compression: 'zstd' }]).record, { body: value });
  for (const compression of ['lz4', 'xz'] as const) {
    const { record, damage, members } = readOne(t, [{ name: 'MESSAGE', value, compression }, 'X=1']);
    t.match({ body: record.body, members, damage }, { body: '', members: { X: '1' }, damage: { [compression]: 1 } });
  }
});

void test('an object that many entries share is counted once where it cannot be read', async (t) => {
  const shared: FieldSpec = { name: 'X', value: 'x', compression: 'lz4' };
  const { records, damage } = read(
    t,
    Array.from({ length: 100 }, (_, number) => ({ fields: [shared, `MESSAGE=${number}`] })),
  );
  t.equal(records.length, 100);
  t.same(damage, { lz4: 1 });
});

void test('what would take too much memory when it is decompressed is left out', async (t) => {
  const bomb = { name: 'MESSAGE', value: Buffer.alloc(17 * 1024 * 1024), compression: 'zstd' } as const;
  const { record, damage } = readOne(t, [bomb, 'X=1']);
  t.match({ body: record.body, damage }, { body: '', damage: { too_large: 1 } });
});

void test('values over the limit are cut between characters, and the record says so', async (t) => {
  for (const compression of [undefined, 'zstd'] as const) {
    const compressed = compression === undefined ? {} : { compression };
    const fields = [
      { name: 'MESSAGE', value: 'é'.repeat(1000), ...compressed },
      { name: 'X', value: 'y'.repeat(1002), ...compressed },
    ];
    const { record, members, truncated } = readOne(t, fields, { maxValueBytes: 1001 });
    t.equal(record.body, 'é'.repeat(500));
    t.same(members, { X: 'y'.repeat(1001) });
    t.equal(record.truncated, true);
    t.equal(truncated, 1);
    t.equal(readOne(t, fields, { maxValueBytes: 2000 }).record.truncated, false, 'not at the limit');
  }
});

void test('a cut value that entries share marks all of them', async (t) => {
  const shared = `X=${'y'.repeat(2000)}`;
  const { records } = read(
    t,
    Array.from({ length: 200 }, (_, number) => ({ fields: [shared, `MESSAGE=${'m'.repeat(1000)} ${number}`] })),
    { maxValueBytes: 1024 },
  );
  t.equal(records.filter(({ truncated }) => truncated).length, 200);
});

void test('an entry with more than a batch can hold is shipped with what there is room for', async (t) => {
  const fields = Array.from({ length: 40 }, (_, number) => `F${number}=${String(number % 10).repeat(30_000)}`);
  const { record, members, truncated } = readOne(t, ['MESSAGE=much', ...fields]);
  t.equal(record.body, 'much');
  t.equal(record.truncated, true);
  t.equal(truncated, 1);
  t.ok(Object.keys(members).length >= 10);
});

void test('an entry that has more to share than the cache can hold is read all the same', async (t) => {
  const fields = Array.from({ length: 300 }, (_, number) => `F${number}=${'\u0001'.repeat(3000)}${number}`);
  const { records, damage } = read(t, [{ fields }, { fields }, { fields: ['MESSAGE=next'] }]);
  t.equal(records.length, 3);
  t.same(damage, {});
  t.equal(records[2]?.body, 'next');
});

void test('large entries fill batches and none is lost between them', async (t) => {
  const entries = Array.from({ length: 60 }, (_, number) => ({
    fields: [`MESSAGE=${number} ${'x'.repeat(number * 1500)}`, `X=${'y'.repeat(number * 700)}`],
  }));
  const { records, cursors } = read(t, entries);
  t.same(
    records.map(({ body }) => body.split(' ')[0]),
    entries.map((_, number) => String(number)),
  );
  t.ok(cursors.length > 3, `${cursors.length} batches`);
  t.equal(records.filter(({ truncated }) => truncated).length, 0);
});

void test('a message that is a JSON object becomes one where that is asked for', async (t) => {
  const bodies = [' {"a": [1, {"b": null}]}  ', '{"a":1', '[1]', '{"a":1} x', 'text', '{"a":\n1}'];
  const { records } = read(
    t,
    bodies.map((body) => ({ fields: [`MESSAGE=${body}`] })),
    { parseJson: true },
  );
  t.same(
    records.map(({ kind, body }) => [kind, body]),
    [['json', '{"a": [1, {"b": null}]}'], ...bodies.slice(1).map((body) => ['text', body])],
  );
  t.equal(readOne(t, ['MESSAGE={"a":1}']).record.kind, 'text', 'and only there');
});

void test('ever new field names do not fill the memory, and lose nothing', async (t) => {
  const entries = Array.from({ length: 3000 }, (_, number) => ({
    fields: ['S=s', 'T=t', `MESSAGE=${number}`, `A${number}=a`, `B${number}=b`, `C${number % 7}=${number}`],
  }));
  const { records, damage } = read(t, entries);
  t.same(damage, {});
  const wrong = records.filter((record, number) => {
    const fields = fieldsOf(record);
    return (
      fields.get(`A${number}`)?.[0] !== 'a' ||
      fields.get(`B${number}`)?.[0] !== 'b' ||
      fields.get('S')?.[0] !== 's' ||
      fields.size !== 6
    );
  });
  t.same(wrong, []);
});

void test('names that journald would not take are counted as damage', async (t) => {
  for (const field of ['lower=1', '=1', 'A B=1', `${'A'.repeat(65)}=1`]) {
    t.same(readOne(t, [field, 'X=1']).damage, { field_name: 1 }, field);
  }
  const { damage, members } = readOne(t, [{ name: 'NO', value: '' }, `${'A'.repeat(64)}=1`]);
  t.same(damage, {});
  t.same(members, { NO: '', ['A'.repeat(64)]: '1' });
});

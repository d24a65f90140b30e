import { test } from 'tap';
import type { FieldSpec } from '../testdata/journal_writer.ts';
import { readEntries, readEntry } from '../testdata/read_entries.ts';
import { fieldsOf } from '../testdata/read_journal.ts';

void test('an entry becomes a record with its id, time, message, severity and service', async (t) => {
  const entry = { seqnum: 41, realtime: 1_700_000_000_123_456, fields: ['MESSAGE=hello', 'PRIORITY=3', 'SYSLOG_IDENTIFIER=web'] };
  const { records } = readEntries(t, [entry], {}, { seqnumId: 'a7'.repeat(16) });
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
    readEntries(t, entries).records.map(({ severity }) => severity),
    [21, 19, 18, 17, 13, 10, 9, 5, 0, 0, 0, 0],
  );
});

void test('the service is the identifier, else the unit without its suffix, else the command', async (t) => {
  const all = ['_COMM=nginx', '_SYSTEMD_UNIT=web.service', 'SYSLOG_IDENTIFIER=front'];
  const serviceOf = (fields: string[]): string => readEntry(t, fields).record.service;
  t.equal(serviceOf(all), 'front');
  t.equal(serviceOf(all.toReversed()), 'front');
  t.equal(serviceOf(all.slice(0, 2)), 'web');
  t.equal(serviceOf(['_SYSTEMD_UNIT=session-3.scope']), 'session-3.scope');
  t.equal(serviceOf(['_COMM=nginx']), 'nginx');
  t.equal(serviceOf(['MESSAGE=nobody knows']), '');
  t.equal(serviceOf([`SYSLOG_IDENTIFIER=${'é'.repeat(200)}`]), 'é'.repeat(127), 'cut between characters');
});

void test('an entry without a message is shipped with an empty one', async (t) => {
  t.match(readEntry(t, ['_COMM=x']).record, { body: '', kind: 'text' });
});

void test('the fields that are asked for are members, known ones under their short names', async (t) => {
  const fields = ['MESSAGE=m', '_PID=17', '_UID=0', '_SYSTEMD_UNIT=a.service', 'CODE_FILE=a.c', '_EXE=/bin/a', 'PRIORITY=6'];
  const defaults = ['_PID', '_UID', '_SYSTEMD_UNIT'];
  t.same(readEntry(t, fields, { fields: defaults }).members, { pid: 17, uid: 0, unit: 'a.service' });
  t.same(readEntry(t, fields, { fields: ['CODE_FILE', 'PRIORITY'] }).members, { CODE_FILE: 'a.c', PRIORITY: '6' });
  t.same(readEntry(t, fields, { fields: [] }).members, {});
  t.same(readEntry(t, fields, { fields: 'all' }).members, {
    pid: 17,
    uid: 0,
    unit: 'a.service',
    CODE_FILE: 'a.c',
    _EXE: '/bin/a',
    PRIORITY: '6',
  });
});

void test('a number that JSON would not keep as it is stays text', async (t) => {
  for (const pid of ['007', '1e3', '-1', '', '1'.repeat(16), ' 1']) t.same(readEntry(t, [`_PID=${pid}`]).members, { pid });
});

void test('values are escaped, and those that are no UTF-8 are shipped in base64', async (t) => {
  const value = 'quote " backslash \\ tab \t newline \n bell \u0007 ü 😀 \u2028';
  t.same(readEntry(t, [`X=${value}`]).members, { X: value });
  t.same(readEntry(t, [{ name: 'X', value: Uint8Array.of(0xff, 0, 1) }]).members, { X_base64: '/wAB' });
  const message = readEntry(t, [{ name: 'MESSAGE', value: Uint8Array.of(0x61, 0xc3) }]).record;
  t.match(message, { kind: 'binary', body: '61c3' });
});

void test('one message that is no UTF-8 does not make others of its batch binary, nor join with them', async (t) => {
  const values = [Uint8Array.of(0xc3), Uint8Array.of(0xa4), 'ä'];
  const { records } = readEntries(
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

void test('a field with several values becomes an array', async (t) => {
  const fields = [
    'X=1',
    'Y=a',
    'X=2',
    { name: 'X', value: Uint8Array.of(0xfe) },
    'X=3',
    { name: 'X', value: Uint8Array.of(0xff) },
  ];
  t.same(readEntry(t, fields).members, { X: ['1', '2', '3'], Y: 'a', X_base64: ['/g==', '/w=='] });
});

void test('of several messages the first is the body, and the others are a member', async (t) => {
  const once = ['MESSAGE=first', 'MESSAGE=second', 'MESSAGE=third', 'X=1'];
  t.match(readEntry(t, once), { record: { body: 'first' }, members: { MESSAGE: ['second', 'third'], X: '1' } });
  const { records } = readEntries(t, [{ fields: once }, { fields: [...once, 'Y=2'] }, { fields: ['MESSAGE=new', ...once] }]);
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

void test('compressed objects are read; those that cannot be are counted, and the rest of the entry is shipped', async (t) => {
  const value = 'line of a stack trace\n'.repeat(100);
  for (const compression of ['zstd', 'lz4', 'xz'] as const) {
    t.match(readEntry(t, [{ name: 'MESSAGE', value, compression }]).record, { body: value });
    const stored = Buffer.from('damaged');
    const { record, damage, members } = readEntry(t, [{ name: 'MESSAGE', value, compression, stored }, 'X=1']);
    t.match({ body: record.body, members, damage }, { body: '', members: { X: '1' }, damage: { [compression]: 1 } });
  }
});

void test('an object that many entries share is counted once where it cannot be read', async (t) => {
  const shared: FieldSpec = { name: 'X', value: 'x', compression: 'lz4', stored: Buffer.from('damaged') };
  const { records, damage } = readEntries(
    t,
    Array.from({ length: 100 }, (_, number) => ({ fields: [shared, `MESSAGE=${number}`] })),
  );
  t.equal(records.length, 100);
  t.same(damage, { lz4: 1 });
});

void test('damage to an entry is counted once where the entry has to wait for the next batch', async (t) => {
  const { records, damage } = readEntries(
    t,
    Array.from({ length: 20 }, (_, number) => ({
      fields: [
        { name: 'X', value: String(number), compression: 'xz', stored: Buffer.from(`damaged ${number}`) },
        `MESSAGE=${number} ${'x'.repeat(200_000)}`,
      ],
    })),
  );
  t.same([records.length, damage], [20, { xz: 20 }]);
});

void test('a message that is a JSON object becomes one where that is asked for', async (t) => {
  const bodies = [' {"a": [1, {"b": null}]}  ', '{"a":1', '[1]', '{"a":1} x', 'text', '{"a":\n1}'];
  const { records } = readEntries(
    t,
    bodies.map((body) => ({ fields: [`MESSAGE=${body}`] })),
    { parseJson: true },
  );
  t.same(
    records.map(({ kind, body }) => [kind, body]),
    [['json', '{"a": [1, {"b": null}]}'], ...bodies.slice(1).map((body) => ['text', body])],
  );
  t.equal(readEntry(t, ['MESSAGE={"a":1}']).record.kind, 'text', 'and only there');
});

void test('names that journald would not take are counted as damage', async (t) => {
  for (const field of ['lower=1', '=1', 'A B=1', `${'A'.repeat(65)}=1`]) {
    t.same(readEntry(t, [field, 'X=1']).damage, { field_name: 1 }, field);
  }
  const { damage, members } = readEntry(t, [{ name: 'NO', value: '' }, `${'A'.repeat(64)}=1`]);
  t.same(damage, {});
  t.same(members, { NO: '', ['A'.repeat(64)]: '1' });
});

import fc from 'fast-check';
import { test } from 'tap';
import { options } from '../options.ts';
import { readEntries, readEntry } from '../testdata/read_entries.ts';
import { isFieldName, MEMBER_NAMES } from './field_names.ts';

const ENTRY = ['MESSAGE=m', '_SYSTEMD_UNIT=a.service', '_SYSTEMD_SLICE=system.slice', '_PID=1', 'UNIT=b.service', 'X=1', 'XY=2'];

void test('fields are shipped by name, by pattern, or all', async (t) => {
  const members = (...fields: string[]): object => readEntry(t, ENTRY, { fields }).members;
  const systemd = { unit: 'a.service', _SYSTEMD_SLICE: 'system.slice' };
  t.same(members('_SYSTEMD_*'), systemd);
  t.same(members('_*'), { ...systemd, pid: 1 }, 'all trusted ones');
  t.same(members('X*', '*_PID'), { X: '1', XY: '2', pid: 1 });
  t.same(members('X'), { X: '1' });
  t.same(members('*'), readEntry(t, ENTRY, { fields: 'all' }).members);
  t.same(Object.keys(members('*')).length, 6, 'the message is none of them');
  t.same(members(), {});
});

void test('a pattern is kept by while ever new names come that it does not fit', async (t) => {
  const entries = Array.from({ length: 10_000 }, (_, number) => ({
    fields: [`_X${number % 5}=${number}`, `N${number}=x`, `MESSAGE=${number}`],
  }));
  const { records } = readEntries(t, entries, { fields: ['_*'] });
  t.equal(records.length, 10_000);
  t.ok(records.every(({ fields, body }) => fields === `"_X${Number(body) % 5}":"${body}"`));
});

void test('the service comes from the first of the fields that name one', async (t) => {
  const serviceOf = (service: string[], ...fields: string[]): string =>
    readEntry(t, fields, { service, fields: [] }).record.service;
  const forged = ['SYSLOG_IDENTIFIER=sshd', '_SYSTEMD_UNIT=web.service', '_EXE=/bin/web', 'MESSAGE_ID=ab'];
  t.equal(serviceOf(['_SYSTEMD_UNIT', 'SYSLOG_IDENTIFIER'], ...forged), 'web');
  t.equal(serviceOf(['CONTAINER_NAME', '_EXE'], ...forged), '/bin/web');
  t.equal(serviceOf(['_EXE', 'CONTAINER_NAME'], ...forged.toReversed(), 'CONTAINER_NAME=c'), '/bin/web');
  t.equal(serviceOf(['MESSAGE_ID'], ...forged), 'ab');
  t.equal(serviceOf(['CONTAINER_NAME'], ...forged), '');
  t.same(readEntry(t, forged, { service: ['_EXE'], fields: ['_EXE'] }).members, { _EXE: '/bin/web' }, 'and may be shipped too');
});

void test('a field that is something else to a record cannot name the service', async (t) => {
  for (const name of ['MESSAGE', 'PRIORITY', '_STREAM_ID', 'lower', '*'])
    t.equal(options.safeParse({ service: [name] }).success, false, name);
  t.equal(options.safeParse({ service: ['_SYSTEMD_SLICE', 'CONTAINER_NAME'] }).success, true);
});

void test('no field that a service writes itself can be taken for one of journald’s', async (t) => {
  const short = [...MEMBER_NAMES];
  t.equal(new Set(short.map(([, member]) => member)).size, short.length, 'short names are unique');
  t.same(
    short.filter(([, member]) => isFieldName(member)),
    [],
    'and none is the name of a field',
  );
  const own = short.filter(([field]) => !field.startsWith('_')).map(([, member]) => member);
  t.same(own, ['identifier', 'message_id', 'container_name'], 'the short names of what a service writes itself');
  t.same(
    readEntry(t, [
      'UNIT=forged',
      'PID=1',
      '_SYSTEMD_UNIT=true.service',
      '_PID=2',
      'X_BASE64=x',
      { name: 'X', value: Uint8Array.of(255) },
    ]).members,
    {
      UNIT: 'forged',
      PID: '1',
      unit: 'true.service',
      pid: 2,
      X_BASE64: 'x',
      X_base64: '/w==',
    },
  );
});

void test('different fields are different members, whatever they are called', async (t) => {
  const name = fc.oneof(
    fc.constantFrom(...MEMBER_NAMES.keys(), ...[...MEMBER_NAMES.values()].map((member) => member.toUpperCase())),
    fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,5}$/),
  );
  const property = fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 20 }), (names) => {
    const fields = names.filter((one) => one !== 'MESSAGE').map((one) => `${one}=${one}`);
    const { members } = readEntry(t, fields);
    return Object.keys(members).length === fields.length;
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }));
});

void test('kernel and audit messages are entries like others', async (t) => {
  // As journald writes them: systemd.journal-fields(7), "Kernel Journal Fields" and _TRANSPORT.
  const kernel = [
    '_TRANSPORT=kernel',
    'SYSLOG_IDENTIFIER=kernel',
    'SYSLOG_FACILITY=0',
    'PRIORITY=4',
    '_KERNEL_SUBSYSTEM=pci',
    '_KERNEL_DEVICE=+pci:0000:00:1f.2',
    'MESSAGE=ata1: link is slow to respond',
  ];
  const audit = [
    '_TRANSPORT=audit',
    'SYSLOG_IDENTIFIER=audit',
    'SYSLOG_FACILITY=4',
    'PRIORITY=5',
    '_AUDIT_TYPE=1131',
    'MESSAGE=SERVICE_STOP pid=1',
  ];
  const shipped = options.parse({}).fields;
  t.match(readEntry(t, kernel, { fields: shipped }), {
    record: { service: 'kernel', severity: 13, body: 'ata1: link is slow to respond' },
    members: { transport: 'kernel', identifier: 'kernel' },
  });
  t.match(readEntry(t, audit, { fields: shipped }), {
    record: { service: 'audit', severity: 10 },
    members: { transport: 'audit' },
  });
  const entries = [kernel, audit].map((fields) => ({ fields }));
  t.match(readEntries(t, entries, { include: { matches: { _TRANSPORT: ['kernel'] } } }).records, [{ service: 'kernel' }]);
});

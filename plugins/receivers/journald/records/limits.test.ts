import { test } from 'tap';
import { readEntries, readEntry } from '../testdata/read_entries.ts';
import { fieldsOf } from '../testdata/read_journal.ts';

void test('more services than a table of names holds keep their names', async (t) => {
  const entries = Array.from({ length: 10_000 }, (_, number) => ({
    fields: [`SYSLOG_IDENTIFIER=${number % 2 === 0 ? 'web' : `job-${number}`}`, `MESSAGE=${number}`],
  }));
  const { records } = readEntries(t, entries);
  const wrong = records.filter(({ service, body }) => service !== (Number(body) % 2 === 0 ? 'web' : `job-${body}`));
  t.same(wrong, []);
});

void test('what would take too much memory when it is decompressed is left out', async (t) => {
  const bomb = { name: 'MESSAGE', value: Buffer.alloc(17 * 1024 * 1024), compression: 'zstd' } as const;
  const { record, damage } = readEntry(t, [bomb, 'X=1']);
  t.match({ body: record.body, damage }, { body: '', damage: { too_large: 1 } });
});

void test('values over the limit are cut between characters, and the record says so', async (t) => {
  for (const compression of [undefined, 'zstd'] as const) {
    const compressed = compression === undefined ? {} : { compression };
    const fields = [
      { name: 'MESSAGE', value: 'é'.repeat(1000), ...compressed },
      { name: 'X', value: 'y'.repeat(1002), ...compressed },
    ];
    const { record, members, truncated } = readEntry(t, fields, { maxValueBytes: 1001 });
    t.equal(record.body, 'é'.repeat(500));
    t.same(members, { X: 'y'.repeat(1001) });
    t.equal(record.truncated, true);
    t.equal(truncated, 1);
    t.equal(readEntry(t, fields, { maxValueBytes: 2000 }).record.truncated, false, 'not at the limit');
  }
});

void test('a cut value that entries share marks all of them', async (t) => {
  const shared = `X=${'y'.repeat(2000)}`;
  const { records } = readEntries(
    t,
    Array.from({ length: 200 }, (_, number) => ({ fields: [shared, `MESSAGE=${'m'.repeat(1000)} ${number}`] })),
    { maxValueBytes: 1024 },
  );
  t.equal(records.filter(({ truncated }) => truncated).length, 200);
});

void test('a member is left out as a whole where its JSON form has no room, and the record says so', async (t) => {
  const size = 100 * 1024;
  for (const [byte, escaped] of [
    ['\u0001', 6],
    ['"', 2],
  ] as const) {
    const fields = ['MESSAGE=m', `X=${byte.repeat(size)}`, 'Y=1'];
    const { members, record, truncated } = readEntry(t, fields);
    const hasRoom = escaped * size < 512 * 1024;
    t.same(members, hasRoom ? { X: byte.repeat(size), Y: '1' } : { Y: '1' });
    t.same([record.truncated, truncated], hasRoom ? [false, 0] : [true, 1]);
    t.same(readEntry(t, fields, { maxValueBytes: 1024 * 1024 }).members, { X: byte.repeat(size), Y: '1' }, 'where there is more');
  }
});

void test('a further message that has no room is left out too, and leaves those behind it as they are', async (t) => {
  const shared = 'MESSAGE=shared';
  const entry = { fields: [shared, `MESSAGE=${'\u0001'.repeat(100 * 1024)}`, 'MESSAGE=small', 'Y=1'] };
  const { records } = readEntries(t, [entry, { fields: [shared] }]);
  t.match(records, [
    { body: 'shared', fields: '"MESSAGE":"small","Y":"1"', truncated: true },
    { body: 'shared', truncated: false },
  ]);
});

void test('an entry with more than a batch can hold is shipped with what there is room for', async (t) => {
  const fields = Array.from({ length: 40 }, (_, number) => `F${number}=${String(number % 10).repeat(30_000)}`);
  const { record, members, truncated } = readEntry(t, ['MESSAGE=much', ...fields]);
  t.equal(record.body, 'much');
  t.equal(record.truncated, true);
  t.equal(truncated, 1);
  t.ok(Object.keys(members).length >= 10);
});

void test('an entry that has more to share than the cache can hold is read all the same', async (t) => {
  const fields = Array.from({ length: 300 }, (_, number) => `F${number}=${'\u0001'.repeat(3000)}${number}`);
  const { records, damage } = readEntries(t, [{ fields }, { fields }, { fields: ['MESSAGE=next'] }]);
  t.equal(records.length, 3);
  t.same(damage, {});
  t.equal(records[2]?.body, 'next');
});

void test('large entries fill batches and none is lost between them', async (t) => {
  const entries = Array.from({ length: 60 }, (_, number) => ({
    fields: [`MESSAGE=${number} ${'x'.repeat(number * 1500)}`, `X=${'y'.repeat(number * 700)}`],
  }));
  const { records, cursors } = readEntries(t, entries);
  t.same(
    records.map(({ body }) => body.split(' ')[0]),
    entries.map((_, number) => String(number)),
  );
  t.ok(cursors.length > 3, `${cursors.length} batches`);
  t.equal(records.filter(({ truncated }) => truncated).length, 0);
});

void test('ever new field names do not fill the memory, and lose nothing', async (t) => {
  const entries = Array.from({ length: 3000 }, (_, number) => ({
    fields: ['S=s', 'T=t', `MESSAGE=${number}`, `A${number}=a`, `B${number}=b`, `C${number % 7}=${number}`],
  }));
  const { records, damage } = readEntries(t, entries);
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

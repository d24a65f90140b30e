import fc from 'fast-check';
import { test } from 'tap';
import { MAX_EPOCH_BYTES, NO_SEQUENCE, openingOf, RecordIds } from './record_ids.ts';

/** The id with which a record begins, as `RecordIds` sees it. */
function read(record: string | Buffer): [epoch: string, sequence: number] | undefined {
  const before = '{"format":"app","app":';
  const ids = new RecordIds(Buffer.concat([Buffer.from(before), Buffer.from(record), Buffer.from('}\n')]));
  const epoch = ids.epoch(before.length);
  if (epoch === undefined) return undefined;
  const sequence = ids.sequence(before.length, openingOf(epoch));
  return sequence === NO_SEQUENCE ? undefined : [epoch, sequence];
}

void test('an id is what stands behind the last dash, and the epoch all before it', (t) => {
  t.same(read('{"id":"b1946ac92492d2347c6235b4d2611184-4711","message":"x"}'), ['b1946ac92492d2347c6235b4d2611184', 4711]);
  t.same(read('{"id":"e-0"}'), ['e', 0]);
  t.same(read('{"id":"a-b-5-7"}'), ['a-b-5', 7]);
  t.same(read('{"id":"--1"}'), ['-', 1]);
  t.same(read(`{"id":"e-${Number.MAX_SAFE_INTEGER}"}`), ['e', Number.MAX_SAFE_INTEGER]);
  t.same(read(`{"id":"${'e'.repeat(MAX_EPOCH_BYTES)}-${Number.MAX_SAFE_INTEGER}"}`)?.[1], Number.MAX_SAFE_INTEGER);
  t.end();
});

void test('what is anything else has no id here', (t) => {
  for (const record of [
    '{}',
    '{"id":"e-1',
    '{"id":""}',
    '{"id":"-1"}',
    '{"id":"e-"}',
    '{"id":"e"}',
    '{"id":"17"}',
    '{"id":"e-01"}',
    '{"id":"e-00"}',
    '{"id":"e-1 "}',
    '{"id":"e- 1"}',
    '{"id":"e-+1"}',
    '{"id":"e-1e3"}',
    '{"id":"e-1.5"}',
    '{"id":"e-9007199254740992"}',
    '{"id":"e-99999999999999999999"}',
    `{"id":"e-${'9'.repeat(300)}"}`,
    `{"id":"${'e'.repeat(MAX_EPOCH_BYTES + 1)}-1"}`,
    `{"id":"${'e'.repeat(1000)}`,
    '{"id":"e\\u002d-1"}',
    '{"id":"e\\"-1"}',
    '{"id":"\\\\-1"}',
    '{"id":"a b-1"}',
    '{"id":"ü-1"}',
    '{"id": "e-1"}',
    '{ "id":"e-1"}',
    '{"id":17}',
    '{"id":["e-1"]}',
    '{"ID":"e-1"}',
    '{"i\\u0064":"e-1"}',
    '{"message":"x","id":"e-1"}',
    Buffer.from([0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a, 0x22, 0xff, 0x2d, 0x31, 0x22, 0x7d]),
  ])
    t.same(read(record), undefined, String(record));
  t.end();
});

void test('a record of another epoch has no number in this one, wherever the two differ', (t) => {
  for (const length of [1, 2, 7, 8, 9, 15, 16, 17, 32]) {
    const epoch = 'e'.repeat(length);
    for (let at = 0; at < length; at++) {
      const other = `${epoch.slice(0, at)}f${epoch.slice(at + 1)}`;
      const ids = new RecordIds(Buffer.from(`{"id":"${other}-1"}\n`));
      t.equal(ids.sequence(0, openingOf(epoch)), NO_SEQUENCE, other);
      t.equal(ids.sequence(0, openingOf(other)), 1, other);
    }
  }
  t.equal(new RecordIds(Buffer.from('{"id":"e-1"}\n')).sequence(0, openingOf('e'.repeat(32))), NO_SEQUENCE);
  t.equal(new RecordIds(Buffer.from('{"id":"a-b-1"}\n')).sequence(0, openingOf('a')), NO_SEQUENCE);
  t.end();
});

void test('whatever record comes, the id is the one that a JSON parser finds, or none', (t) => {
  const epoch = fc.oneof(fc.string({ maxLength: 70 }), fc.string({ unit: fc.constantFrom('a', '-', '1', ' ', '"', '\\', 'é') }));
  const number = fc.oneof(fc.maxSafeNat().map(String), fc.string({ unit: fc.constantFrom('0', '1', '9', '-'), maxLength: 20 }));
  fc.assert(
    fc.property(epoch, number, (name, digits) => {
      const id = `${name}-${digits}`;
      const found = read(JSON.stringify({ id, message: 'x' }));
      const [, expectedEpoch = '', expected = ''] = /^(.*)-(.*)$/s.exec(id) ?? [];
      const isId = /^[!-~]{1,64}$/.test(expectedEpoch) && !/["\\]/.test(expectedEpoch) && /^(0|[1-9]\d{0,15})$/.test(expected);
      const wanted = isId && Number.isSafeInteger(Number(expected)) ? [expectedEpoch, Number(expected)] : undefined;
      return JSON.stringify(found) === JSON.stringify(wanted);
    }),
    { numRuns: 2000 },
  );
  t.end();
});

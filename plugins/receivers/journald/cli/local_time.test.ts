import { type Test, test } from 'tap';
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { LocalTime } from './local_time.ts';

/** The text of a time, given in RFC 3339, in a zone. */
function textIn(t: Test, zone: string, ...times: readonly string[]): string[] {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  t.teardown(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
  const local = new LocalTime();
  return times.map((time) => {
    const out = new ByteWriter(8);
    local.write(out, Date.parse(time) * 1000 + 999);
    return out.written().toString();
  });
}

void test('times are those of the zone, to the second, with its distance from Greenwich at that time', async (t) => {
  t.same(textIn(t, 'UTC', '2023-11-14T22:13:20.9Z'), ['2023-11-14T22:13:20+00:00']);
  t.same(textIn(t, 'America/St_Johns', '2023-01-01T00:00:00Z'), ['2022-12-31T20:30:00-03:30']);
  t.same(textIn(t, 'Europe/Berlin', '2023-10-29T00:59:59Z', '2023-10-29T01:00:00Z', '2023-10-29T00:59:59Z'), [
    '2023-10-29T02:59:59+02:00',
    '2023-10-29T02:00:00+01:00',
    '2023-10-29T02:59:59+02:00',
  ]);
});

void test('a time that is damaged has a text too', async (t) => {
  const out = new ByteWriter(8);
  new LocalTime().write(out, Number.MAX_SAFE_INTEGER * 1000);
  t.match(out.written().toString(), /^9999-12-3[01]T/);
});

import { type Test, test } from 'tap';
import { timeOf } from './time_flag.ts';

/** 2023-11-14T22:13:20Z */
const NOW = 1_700_000_000_000_000;

function setZone(t: Test, zone: string): void {
  const before = process.env['TZ'];
  process.env['TZ'] = zone;
  t.teardown(() => {
    if (before === undefined) delete process.env['TZ'];
    else process.env['TZ'] = before;
  });
}

void test('a time is given in RFC 3339, in seconds since 1970, or by how long ago it was', async (t) => {
  for (const [text, micros] of [
    ['2023-11-14T22:13:20Z', NOW],
    ['2023-11-14T23:13:20+01:00', NOW],
    ['2023-11-14 22:13:20.000007Z', NOW + 7],
    ['2023-11-14T22:13Z', NOW - 20e6],
    ['@1700000000', NOW],
    ['@1700000000.25', NOW + 250_000],
    ['90s', NOW - 90e6],
    ['-90s', NOW - 90e6],
    ['1d', NOW - 86_400e6],
    ['now', NOW],
  ] as const) {
    t.equal(timeOf('--since', text, NOW), micros, text);
  }
});

void test('a time without a zone, a date and a word for one are those of the zone, as journalctl has them', async (t) => {
  setZone(t, 'Europe/Berlin');
  for (const [text, time] of [
    ['2023-11-14 23:13:20', '2023-11-14T22:13:20Z'],
    ['2023-11-14 23:13:20.5', '2023-11-14T22:13:20.5Z'],
    ['2023-11-14 23:13', '2023-11-14T22:13:00Z'],
    ['2023-11-14', '2023-11-13T23:00:00Z'],
    ['2023-07-14', '2023-07-13T22:00:00Z'],
    ['today', '2023-11-13T23:00:00Z'],
    ['yesterday', '2023-11-12T23:00:00Z'],
  ] as const) {
    t.equal(timeOf('--since', text, NOW), Date.parse(time) * 1000, text);
  }
  const evening = Date.parse('2023-10-29T22:30:00Z') * 1000;
  t.equal(timeOf('--since', 'today', evening), Date.parse('2023-10-28T22:00:00Z') * 1000, 'a day of 25 hours');
  t.equal(timeOf('--since', 'yesterday', evening), Date.parse('2023-10-27T22:00:00Z') * 1000);
});

void test('what is no time is refused, with what would be one', async (t) => {
  for (const text of [
    '',
    'tomorrow',
    'Today',
    '2023-13-01',
    '2023-02-29',
    '2023-02-30 12:00',
    '2023-11-14T25:00:00Z',
    '2023-11-14T22:13:20',
    '1700000000',
    '@',
    '--1h',
    '1 h',
  ]) {
    t.throws(
      () => timeOf('--since', text, NOW),
      { code: 'config_invalid', message: /^--since is neither/, hint: /today, .*@1795156800.*2h/ },
      text,
    );
  }
});

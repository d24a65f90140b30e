import { test } from 'tap';
import { timeOf } from './time_flag.ts';

const NOW = 1_700_000_000_000_000;

void test('a time is given in RFC 3339, as a date, in seconds since 1970, or by how long ago it was', async (t) => {
  for (const [text, micros] of [
    ['2023-11-14T22:13:20Z', NOW],
    ['2023-11-14T23:13:20+01:00', NOW],
    ['2023-11-14 22:13:20.000007Z', NOW + 7],
    ['2023-11-14T22:13Z', NOW - 20e6],
    ['2023-11-14', NOW - (22 * 3600 + 13 * 60 + 20) * 1e6],
    ['@1700000000', NOW],
    ['@1700000000.25', NOW + 250_000],
    ['90s', NOW - 90e6],
    ['-90s', NOW - 90e6],
    ['1d', NOW - 86_400e6],
  ] as const) {
    t.equal(timeOf('--since', text, NOW), micros, text);
  }
});

void test('what is no time is refused, with what would be one', async (t) => {
  for (const text of [
    '',
    'yesterday',
    '2023-13-01',
    '2023-11-14T25:00:00Z',
    '2023-11-14T22:13:20',
    '1700000000',
    '@',
    '--1h',
    '1 h',
  ]) {
    t.throws(
      () => timeOf('--since', text, NOW),
      { code: 'config_invalid', message: /^--since is neither/, hint: /@1795156800.*2h/ },
      text,
    );
  }
});

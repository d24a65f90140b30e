import { test } from 'tap';
import { readEntries } from '../testdata/read_entries.ts';

const ID = 'a596d6fe7bfa4994828e72309e95d61e';

/** As journald 252 writes it. */
const SUPPRESSED = [
  '_TRANSPORT=driver',
  'PRIORITY=6',
  `MESSAGE_ID=${ID}`,
  'SYSLOG_IDENTIFIER=systemd-journald',
  'MESSAGE=Suppressed 17 messages from web.service',
  'N_DROPPED=17',
];

void test('messages that journald dropped are counted, and its message of that is shipped', async (t) => {
  const { records, suppressed } = readEntries(t, [{ fields: SUPPRESSED }, { fields: ['MESSAGE=next'] }, { fields: SUPPRESSED }]);
  t.same(suppressed, [
    { count: 17, unit: 'web.service' },
    { count: 17, unit: 'web.service' },
  ]);
  t.match(records, [{ body: 'Suppressed 17 messages from web.service', service: 'systemd-journald' }, { body: 'next' }, {}]);
});

void test('they are counted too where the message is left out', async (t) => {
  const { records, suppressed, leftOut } = readEntries(t, [{ fields: SUPPRESSED }], { include: { units: ['db'] } });
  t.match({ records, suppressed, leftOut }, { records: [], suppressed: [{ count: 17 }], leftOut: 1 });
});

void test('they are counted once where the message has to wait for the next batch', async (t) => {
  const entries = Array.from({ length: 300 }, () => [
    { fields: [`MESSAGE=${'x'.repeat(100_000)}`] },
    { fields: [...SUPPRESSED, `X=${'y'.repeat(100_000)}`] },
  ]);
  const { records, suppressed } = readEntries(t, entries.flat());
  t.same([records.length, suppressed.length], [600, 300]);
});

void test('nobody but journald can have messages counted', async (t) => {
  const entries = [
    SUPPRESSED.with(0, '_TRANSPORT=journal'),
    SUPPRESSED.slice(1),
    SUPPRESSED.with(2, `MESSAGE_ID=${ID.replace('a', 'b')}`),
    SUPPRESSED.with(5, 'N_DROPPED=-1'),
    SUPPRESSED.with(5, 'N_DROPPED=1e9'),
    SUPPRESSED.with(5, `N_DROPPED=${'9'.repeat(11)}`),
    SUPPRESSED.slice(0, 5),
  ].map((fields) => ({ fields }));
  t.same(readEntries(t, entries).suppressed, []);
});

void test('without a unit that can be read the number stands alone', async (t) => {
  const entries = ['Suppressed some messages', 'Suppressed 17 messages from a b', ''].map((message) => ({
    fields: SUPPRESSED.with(4, `MESSAGE=${message}`),
  }));
  t.same(
    readEntries(t, entries).suppressed,
    entries.map(() => ({ count: 17, unit: '' })),
  );
});

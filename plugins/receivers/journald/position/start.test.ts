import { join } from 'node:path';
import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import {
  A,
  B,
  BOOT,
  NEXT_BOOT,
  LAST_BOOT,
  START,
  SECOND,
  NOW,
  entries,
  cursorOf,
  save,
  journalOfFive,
  savedAt,
  begin,
  readFrom,
} from './testdata/resuming.ts';

void test('without a saved position reading begins at the end or at the beginning', async (t) => {
  const directory = journalOfFive(t);
  t.match(begin(directory, { startAt: 'beginning' }), { read: ['10', '11', '12', '13', '14'], reports: [] });
  const { read, positions, reports } = begin(directory);
  t.same([read, reports], [[], []]);
  t.equal(positions.toText().split('\n')[0], cursorOf(A, 14).text, 'a whole cursor');
});

void test('from the end on, an older journal that turns up later is not read', async (t) => {
  const directory = journalOfFive(t);
  const { positions } = begin(directory);
  const late = { fields: ['MESSAGE=late'], realtime: NOW + 1 };
  new JournalWriter({ seqnumId: B, firstRealtime: START }).append('old', late).save(join(directory, 'other.journal'));
  t.same(readFrom(directory, positions), ['b2']);
});

void test('from this boot on, reading begins at its first entry in each sequence', async (t) => {
  const directory = temporaryDirectory(t);
  save(directory, 'a1', A, entries(1, 3), entries(4, 5, { bootId: NEXT_BOOT }));
  save(directory, 'a2', A, entries(6, 7, { bootId: NEXT_BOOT }), entries(8, 9, { bootId: LAST_BOOT, late: -9 }));
  save(directory, 'a3', A, entries(10, 11, { bootId: LAST_BOOT }));
  save(directory, 'b', B, entries(1, 5));
  const { read, positions } = begin(directory, { startAt: 'boot' });
  t.same(read, ['8', '9', '10', '11'], 'its clock was behind at first');
  t.same(positions.of(A), cursorOf(A, 7, { bootId: NEXT_BOOT }));
  t.same(positions.of(B), cursorOf(B, 5));
  const whole = begin(directory, { startAt: 'boot', bootId: NEXT_BOOT });
  t.same([whole.read, whole.reports], [[], []], 'a boot that is over is not this one');
});

void test('from this boot on, a sequence that has no older entries is read from its first', async (t) => {
  const directory = journalOfFive(t);
  const { read, positions } = begin(directory, { startAt: 'boot', bootId: BOOT });
  t.same(read, ['10', '11', '12', '13', '14']);
  t.same(begin(directory, { saved: savedAt(...positions.cursors), onStale: 'fail' }).read, read, 'also after a restart');
});

void test('from this boot on, a sequence that turns up later begins with the boot too', async (t) => {
  const directory = journalOfFive(t);
  const { positions } = begin(directory, { startAt: 'boot', bootId: BOOT });
  save(directory, 'later', B, entries(8, 11, { late: 0.5 }));
  t.same(readFrom(directory, positions), ['10', 'b10', '11', 'b11', '12', '13', '14']);
});

void test('without an entry of this boot, or without knowing it, reading begins at the end', async (t) => {
  for (const bootId of [LAST_BOOT, undefined]) {
    t.match(begin(journalOfFive(t), { startAt: 'boot', bootId }), { read: [], reports: [] });
  }
});

function isoTime(micros: number, zone = 'Z'): string {
  const date = new Date(Math.floor(micros / 1000)).toISOString().slice(0, -1);
  return `${date}${String(micros % 1000).padStart(3, '0')}${zone}`;
}

void test('from a time on, the entry of that very microsecond is the first', async (t) => {
  const directory = journalOfFive(t);
  save(directory, 'b', B, entries(1, 11, { late: 0.5 }));
  const from = (startAt: string): string[] => begin(directory, { startAt }).read;
  t.same(from(isoTime(START + 11 * SECOND)), ['11', 'b11', '12', '13', '14']);
  t.same(from(isoTime(START + 11 * SECOND + 1)), ['b11', '12', '13', '14']);
  t.same(from(isoTime(START + 11 * SECOND + 3600 * SECOND, '+01:00')), ['11', 'b11', '12', '13', '14']);
  t.same(from('2023-11-14T22:13:33Z'), ['13', '14']);
});

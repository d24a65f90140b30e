import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { asOrdinaryUser } from '../../../../test/helpers/users.ts';
import { type Cursor, seqnumCursor, timeCursor } from '../file/cursor.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import type { ResumeOptions } from './resume.ts';
import {
  A,
  B,
  BOOT,
  NEXT_BOOT,
  LAST_BOOT,
  START,
  SECOND,
  entries,
  cursorOf,
  save,
  journalOfFive,
  savedAt,
  begin,
  readFrom,
} from './testdata/resuming.ts';

void test('a position whose entry is gone is good where the very next entry is the oldest there is', async (t) => {
  const directory = journalOfFive(t);
  for (const onStale of ['nearest', 'oldest', 'newest', 'fail'] as const) {
    const { read, reports } = begin(directory, { saved: savedAt(cursorOf(A, 9)), onStale });
    t.same(read, ['10', '11', '12', '13', '14'], onStale);
    t.same(reports, []);
  }
  const otherBoot = savedAt(cursorOf(A, 9, { bootId: NEXT_BOOT }));
  t.equal(begin(directory, { saved: otherBoot }).reports.length, 1, 'of another boot the numbers alone prove nothing');
});

void test('reading goes on right behind a saved position, and nothing is said', async (t) => {
  for (const onStale of ['nearest', 'oldest', 'newest', 'fail'] as const) {
    const goOn = (cursor: Cursor) => begin(journalOfFive(t), { saved: savedAt(cursor), onStale });
    t.match(goOn(cursorOf(A, 12)), { read: ['13', '14'], reports: [] });
    t.match(goOn(cursorOf(A, 14)), { read: [], reports: [] });
    t.match(goOn(seqnumCursor(A, 12, START + 12 * SECOND)), { read: ['13', '14'], reports: [] }, 'without a boot');
    t.match(goOn(timeCursor(START + 11 * SECOND, A)), { read: ['12', '13', '14'], reports: [] });
    t.match(goOn(timeCursor(START + 11 * SECOND)), { read: ['12', '13', '14'], reports: [] }, 'only a time');
    t.match(goOn(timeCursor(START)), { read: ['10', '11', '12', '13', '14'], reports: [] });
  }
});

const GONE = { why: 'its entry is gone', journal: 'entries 10 to 14' };

void test('where the entry at the saved position was vacuumed, the operator chooses', async (t) => {
  const goOn = (onStale: ResumeOptions['onStale']) => begin(journalOfFive(t), { saved: savedAt(cursorOf(A, 5)), onStale });
  t.match(goOn('nearest'), {
    read: ['10', '11', '12', '13', '14'],
    reports: [{ ...GONE, action: 'nearest', skipped: 0, repeated: 0, missing: 4 }],
  });
  t.match(goOn('oldest'), { read: ['10', '11', '12', '13', '14'], reports: [{ action: 'oldest', repeated: 0, missing: 4 }] });
  t.match(goOn('newest'), { read: [], reports: [{ action: 'newest', skipped: 5, missing: 4 }] });
  t.throws(() => goOn('fail'), {
    code: 'state_invalid',
    message: `cannot go on at the saved position ${cursorOf(A, 5).text}: its entry is gone; the journal has entries 10 to 14`,
    hint: /set on_stale_cursor to .*, or remove \/state\/cursor/,
  });
});

void test('where a file in the middle is lost, what was read before it is repeated or not, as the operator chooses', async (t) => {
  const directory = temporaryDirectory(t);
  save(directory, '1', A, entries(10, 14));
  save(directory, '3', A, entries(20, 22));
  const goOn = (onStale: ResumeOptions['onStale']) => begin(directory, { saved: savedAt(cursorOf(A, 17)), onStale });
  t.match(goOn('nearest'), { read: ['20', '21', '22'], reports: [{ skipped: 0, repeated: 0, missing: 2 }] });
  t.match(goOn('oldest'), { read: { length: 8 }, reports: [{ repeated: 5 }] });
  t.match(goOn('newest'), { read: [], reports: [{ skipped: 3 }] });
  t.same(goOn('nearest').positions.cursors, [cursorOf(A, 17)], 'what is missing is counted from here on');
});

void test('after a power cut, numbers that are given again are read, whatever the clock says', async (t) => {
  for (const late of [0, 100, -100]) {
    const directory = temporaryDirectory(t);
    save(directory, 'system@1', A, entries(1, 3), entries(4, 7, { bootId: NEXT_BOOT }));
    save(directory, 'system', A, entries(8, 13, { bootId: LAST_BOOT, late }));
    const cursor = cursorOf(A, 12, { bootId: NEXT_BOOT });
    const { read, positions, reports } = begin(directory, { saved: savedAt(cursor) });
    t.same(read, ['8', '9', '10', '11', '12', '13']);
    t.match(reports, [{ why: /set back/, cursor: cursor.text, skipped: 0, repeated: 0, missing: 0 }]);
    t.same(positions.of(A), cursorOf(A, 7, { bootId: NEXT_BOOT }));
  }
});

void test('after a power cut, numbers that will be given again are read when they come', async (t) => {
  const directory = journalOfFive(t);
  const { positions, reports } = begin(directory, { saved: savedAt(cursorOf(A, 20)) });
  t.match(reports, [{ why: /set back/, journal: 'entries 10 to 14' }]);
  save(directory, 'later', A, entries(15, 17, { bootId: NEXT_BOOT, late: 100 }));
  t.same(readFrom(directory, positions), ['15', '16', '17']);
});

void test('after a power cut of which a whole boot fell victim, its numbers are read when they are given again', async (t) => {
  const directory = journalOfFive(t);
  const { positions } = begin(directory, { saved: savedAt(cursorOf(A, 20, { bootId: NEXT_BOOT })) });
  save(directory, 'later', A, entries(15, 17, { bootId: LAST_BOOT, late: 100 }));
  t.same(readFrom(directory, positions), ['15', '16', '17']);
});

void test('where nothing of the boot is left, more is read rather than less', async (t) => {
  const directory = temporaryDirectory(t);
  save(directory, '1', A, entries(1, 5), entries(6, 12, { bootId: LAST_BOOT, late: 50 }));
  t.match(begin(directory, { saved: savedAt(cursorOf(A, 10, { bootId: NEXT_BOOT })) }), {
    read: ['6', '7', '8', '9', '10', '11', '12'],
    reports: [{ why: /set back/ }],
  });
  // A clock that went back does not hide what the numbers say.
  t.match(begin(directory, { saved: savedAt(cursorOf(A, 10, { bootId: NEXT_BOOT, late: 1000 })) }), { read: ['11', '12'] });
});

void test('an entry that took the number in the same boot is not taken for the one that was read', async (t) => {
  // A machine that was set back to a snapshot while it ran.
  const { read, reports } = begin(journalOfFive(t), { saved: savedAt(cursorOf(A, 13, { late: -2 })) });
  t.same(read, ['12', '13', '14']);
  t.equal(reports.length, 1);
});

const GONE_CURSOR = cursorOf(B, 12, { bootId: NEXT_BOOT, late: 0.5 });

void test('where the journal of the saved position is gone, the clock decides or the operator', async (t) => {
  const goOn = (onStale: ResumeOptions['onStale']) => begin(journalOfFive(t), { saved: savedAt(GONE_CURSOR), onStale });
  t.match(goOn('nearest'), {
    read: ['13', '14'],
    reports: [{ why: 'its journal is gone', cursor: GONE_CURSOR.text, skipped: 0, repeated: 0, missing: undefined }],
  });
  t.match(goOn('oldest'), { read: { length: 5 }, reports: [{ repeated: undefined }] });
  t.match(goOn('newest'), { read: [], reports: [{ skipped: 2 }] });
  t.throws(() => goOn('fail'), { code: 'state_invalid', message: /its journal is gone/ });
  t.match(begin(temporaryDirectory(t), { saved: savedAt(GONE_CURSOR), onStale: 'fail' }), { reports: [] }, 'none yet');
});

void test('sequences go on each at its own place, whatever their clocks', async (t) => {
  const directory = journalOfFive(t);
  save(directory, 'slow', B, entries(1, 3, { late: -9000 }));
  const { read, reports } = begin(directory, { saved: savedAt(cursorOf(A, 13), cursorOf(B, 1, { late: -9000 })) });
  t.same(read, ['b2', 'b3', '14']);
  t.same(reports, []);
});

void test('of several sequences only the one whose entry is gone is moved', async (t) => {
  const directory = journalOfFive(t);
  save(directory, 'b', B, entries(1, 3));
  const cursors = [cursorOf(A, 5), cursorOf(B, 2)];
  t.match(begin(directory, { saved: savedAt(...cursors), onStale: 'newest' }), { read: ['b3'], reports: [{ skipped: 5 }] });
  t.match(begin(directory, { saved: savedAt(...cursors), onStale: 'oldest' }), { read: ['b3', '10', '11', '12', '13', '14'] });
});

void test('a sequence that is gone matters only where it was the one that moved last', async (t) => {
  const directory = journalOfFive(t);
  const goOn = (...cursors: Cursor[]) => begin(directory, { saved: savedAt(...cursors), onStale: 'fail' });
  t.match(goOn(cursorOf(A, 13), GONE_CURSOR), { read: ['14'], reports: [] });
  t.throws(() => goOn(GONE_CURSOR, cursorOf(A, 13)), { code: 'state_invalid' });
});

void test('a sequence in /run is not gone where its entries were moved to /var', async (t) => {
  const directory = temporaryDirectory(t);
  const copied = entries(11, 13, { bootId: LAST_BOOT }).map((entry, index) => ({ ...entry, seqnum: 4 + index }));
  const monotonic = 12 * 1000;
  save(
    directory,
    'var',
    A,
    entries(1, 3),
    copied.map((entry) => ({ ...entry, monotonic })),
  );
  const last = cursorOf(B, 12, { bootId: LAST_BOOT });
  const { reports, positions } = begin(directory, { saved: savedAt(last, cursorOf(A, 3)), onStale: 'fail' });
  t.same([reports, positions.cursors.map(({ text }) => text)], [[], [last.text, cursorOf(A, 3).text]]);
  const other = cursorOf(B, 11, { bootId: LAST_BOOT });
  t.throws(() => begin(directory, { saved: savedAt(other), onStale: 'fail' }), { code: 'state_invalid' });
});

/** Makes the file one that takes a newer reader. */
function makeForeign(directory: string, name: string): void {
  const path = join(directory, `${name}.journal`);
  const bytes = readFileSync(path);
  bytes[12] = 0xff;
  writeFileSync(path, bytes);
}

void test('where a sequence goes on in a file that cannot be read here, a position up to its end is good', async (t) => {
  const directory = journalOfFive(t);
  save(directory, 'newer', A, entries(15, 19));
  makeForeign(directory, 'newer');
  const goOn = (cursor: Cursor) => begin(directory, { saved: savedAt(cursor), onStale: 'fail' });
  t.match(goOn(cursorOf(A, 17)), { read: [], reports: [] });
  t.match(goOn(cursorOf(A, 12)), { read: ['13', '14'], reports: [] });
  t.throws(() => goOn(cursorOf(A, 20)), { message: /the journal has entries 10 to 19/ });
  t.equal(begin(directory).positions.of(A).seqnum, 19, 'the end is that of the foreign file');
  const { positions } = begin(directory, { startAt: 'boot', bootId: BOOT });
  t.equal(positions.of(A).seqnum, undefined, 'from this boot on, by time');
  t.equal(positions.of(A).realtime, START + 10 * SECOND - 1);
});

void test('a sequence of which all is foreign is not gone', async (t) => {
  const directory = journalOfFive(t);
  save(directory, 'newer', B, entries(1, 3));
  makeForeign(directory, 'newer');
  t.match(begin(directory, { saved: savedAt(cursorOf(B, 2)), onStale: 'fail' }), { reports: [] });
  t.throws(() => begin(directory, { saved: savedAt(cursorOf(B, 5)), onStale: 'fail' }), { message: /has entries up to 3/ });
});

void test('a file that is no journal says nothing of any', async (t) => {
  const directory = journalOfFive(t);
  writeFileSync(join(directory, 'other.journal'), Buffer.alloc(1000, 'x'));
  t.throws(() => begin(directory, { saved: savedAt(GONE_CURSOR), onStale: 'fail' }), { code: 'state_invalid' });
});

void test('nothing is made of what is not found while some files may not be read', async (t) => {
  const directory = journalOfFive(t);
  save(directory, 'hidden', B, entries(1, 3));
  chmodSync(directory, 0o755);
  chmodSync(join(directory, 'hidden.journal'), 0);
  await asOrdinaryUser(() => {
    t.match(begin(directory, { saved: savedAt(GONE_CURSOR), onStale: 'fail' }), { read: ['13', '14'], reports: [] });
    t.match(begin(directory, { saved: savedAt(cursorOf(A, 5)), onStale: 'newest' }), {
      read: { length: 5 },
      reports: [{ action: 'nearest' }],
    });
  });
});

import { join } from 'node:path';
import { test } from 'tap';
import { RecordingLog } from '../../../../test/helpers/recording.ts';
import { seqnumCursor, timeCursor } from '../file/cursor.ts';
import { JournalDirectories } from '../journal/directories.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { readJournal } from '../testdata/read_journal.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { Positions } from './positions.ts';
import { resume } from './resume.ts';

const [A, B] = ['a1'.repeat(16), 'b2'.repeat(16)];
const START = 1_700_000_000_000_000;
const NOW = START + 3_600_000_000;

/** A directory with entries 10 to 14 of sequence A, a second apart. */
function journalOfFive(t: { teardown(run: () => void): unknown }): string {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter({ seqnumId: A, firstSeqnum: 10, firstRealtime: START });
  writer.append('10', '11', '12', '13', '14').save(join(directory, 'system.journal'));
  return directory;
}

/** Bodies of what is read from where reading begins, and what was said about that. */
function begin(directory: string, saved: Positions | undefined, startAt: 'end' | 'beginning' = 'end') {
  const log = new RecordingLog();
  const positions = resume({ directories: new JournalDirectories([directory]), saved, startAt, now: NOW, log });
  const bodies = readJournal(directory, { positions }).records.map(({ body }) => body);
  return { bodies, positions, said: log.lines.map(({ message }) => message) };
}

function savedAt(...cursors: Parameters<Positions['set']>[0][]): Positions {
  return Positions.parse(cursors.map(({ text }) => `${text}\n`).join(''), 'test');
}

void test('without a saved position reading begins at the end or at the beginning', async (t) => {
  const directory = journalOfFive(t);
  t.match(begin(directory, undefined, 'beginning'), { bodies: ['10', '11', '12', '13', '14'], said: [] });
  const { bodies, positions, said } = begin(directory, undefined, 'end');
  t.same([bodies, said], [[], []]);
  t.match(positions.toText(), new RegExp(`^s=${A};i=e;b=[0-9a-f]{32};m=[0-9a-f]+;t=[0-9a-f]+;x=[0-9a-f]+\n`), 'a whole cursor');
});

void test('from the end on, an older journal that turns up later is not read', async (t) => {
  const directory = journalOfFive(t);
  const { positions } = begin(directory, undefined, 'end');
  const late = { fields: ['MESSAGE=late'], realtime: NOW + 1 };
  new JournalWriter({ seqnumId: B, firstRealtime: START }).append('old', late).save(join(directory, 'other.journal'));
  t.same(
    readJournal(directory, { positions }).records.map(({ body }) => body),
    ['late'],
  );
});

void test('reading goes on right behind a saved position, and nothing is said', async (t) => {
  t.match(begin(journalOfFive(t), savedAt(seqnumCursor(A, 12, START + 2_000_000))), { bodies: ['13', '14'], said: [] });
  t.match(begin(journalOfFive(t), savedAt(seqnumCursor(A, 14, START))), { bodies: [], said: [] });
  t.match(begin(journalOfFive(t), savedAt(timeCursor(START + 1_000_000, A))), { bodies: ['12', '13', '14'], said: [] });
});

void test('where the entry at the saved position is gone, reading goes on with the nearest later one', async (t) => {
  const { bodies, said } = begin(journalOfFive(t), savedAt(seqnumCursor(A, 5, START - 5_000_000)));
  t.same(bodies, ['10', '11', '12', '13', '14']);
  t.match(said, [/is gone from the journal; going on with the nearest later one/]);
});

void test('where the journal of the saved position is gone, the clock decides', async (t) => {
  const { bodies, said } = begin(journalOfFive(t), savedAt(seqnumCursor(B, 5, START + 2_500_000)));
  t.same(bodies, ['13', '14']);
  t.match(said, [/journal of the saved position is gone/]);
});

void test('where the saved position is ahead of the journal, the clock decides', async (t) => {
  const { bodies, said } = begin(journalOfFive(t), savedAt(seqnumCursor(A, 500, START + 2_500_000)));
  t.same(bodies, ['13', '14']);
  t.match(said, [/ahead of the journal/]);
});

void test('sequences go on each at its own place, whatever their clocks', async (t) => {
  const directory = journalOfFive(t);
  const slow = new JournalWriter({ seqnumId: B, firstRealtime: START - 9_000_000_000 });
  slow.append('b1', 'b2', 'b3').save(join(directory, 'slow.journal'));
  const { bodies } = begin(directory, savedAt(seqnumCursor(A, 13, START + 3_000_000), seqnumCursor(B, 1, START - 9_000_000_000)));
  t.same(bodies, ['b2', 'b3', '14']);
});

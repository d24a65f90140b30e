import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { JournalDirectories } from './directories.ts';
import { survey } from './survey.ts';

const [SYSTEM, USER] = ['5e'.repeat(16), '0e'.repeat(16)];
const START = 1_700_000_000_000_000;

/** Saves a file with entries of these numbers, which are written at as many seconds. */
function save(path: string, state: JournalWriter['state'], seqnumId: string, ...numbers: readonly number[]): void {
  const writer = new JournalWriter({ seqnumId });
  writer.append(...numbers.map((seqnum) => ({ seqnum, realtime: START + seqnum * 1e6, fields: [`MESSAGE=${seqnum}`] })));
  writer.state = state;
  writer.save(path);
}

void test('files are described by their headers, and why one cannot be read', async (t) => {
  const directory = temporaryDirectory(t);
  const path = (name: string): string => join(directory, name);
  save(path('a@1.journal'), 'archived', SYSTEM, 3, 4, 5);
  save(path('b.journal'), 'online', SYSTEM, 6);
  save(path('c.journal'), 'offline', USER);
  save(path('d.journal~'), 'online', USER, 1);
  writeFileSync(path('e.journal'), 'not a journal at all '.repeat(50));
  const { files, problems } = survey(new JournalDirectories([directory]));
  t.match(files, [
    {
      path: path('a@1.journal'),
      state: 'archived',
      problem: undefined,
      seqnumId: SYSTEM,
      entryCount: 3,
      headSeqnum: 3,
      tailSeqnum: 5,
      headRealtime: START + 3e6,
      tailRealtime: START + 5e6,
      writer: '',
      isRuntime: false,
    },
    { state: 'online' },
    { state: 'offline', entryCount: 0 },
    { state: 'unclean' },
    { state: 'unreadable', entryCount: 0, problem: /not a journal file/, bytes: 1050 },
  ]);
  t.equal(files.length, 5);
  t.same([...problems], []);
});

void test('sequences are told with the numbers that are in no file', async (t) => {
  const directory = temporaryDirectory(t);
  const path = (name: string): string => join(directory, name);
  save(path('system@2.journal'), 'archived', SYSTEM, 10, 11, 13);
  save(path('system@1.journal'), 'archived', SYSTEM, 1, 2);
  save(path('system.journal'), 'online', SYSTEM, 20);
  save(path('user-1000.journal'), 'online', USER, 4, 5, 12, 14, 15, 16, 17, 18, 19);
  const { sequences } = survey(new JournalDirectories([directory]));
  t.match(sequences, [
    {
      seqnumId: SYSTEM,
      files: [{ headSeqnum: 1 }, { headSeqnum: 10 }, { headSeqnum: 20 }],
      entryCount: 6,
      headSeqnum: 1,
      tailSeqnum: 20,
      tailRealtime: START + 20e6,
    },
    { seqnumId: USER, entryCount: 9, holes: [] },
  ]);
  t.same(sequences[0]?.holes, [{ after: 2, before: 10, missing: 5 }]);
});

void test('an empty directory has nothing to tell', async (t) => {
  const { files, sequences } = survey(new JournalDirectories([temporaryDirectory(t), '/not/there']));
  t.same([files, sequences], [[], []]);
});

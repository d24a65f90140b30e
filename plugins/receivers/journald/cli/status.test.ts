import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { sizeText } from '../../../../src/kit/table.ts';
import { asOrdinaryUser } from '../../../../test/helpers/users.ts';
import { parseCursor } from '../file/cursor.ts';
import { CursorFile } from '../position/cursor_file.ts';
import { Positions } from '../position/positions.ts';
import { setUnknownFeature } from '../testdata/foreign.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { runJournal } from '../testdata/run_command.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const SEQUENCE = '5e'.repeat(16);
const OTHER = 'aa'.repeat(16);

/** An archived file with the entries 1 to 3, one with 4 and 5 that was left unclean, and one that is written to, with 8 and 9. */
function makeJournal(t: Test): string {
  const directory = temporaryDirectory(t);
  const archived = new JournalWriter().append('one', 'two', 'three');
  archived.state = 'archived';
  archived.save(join(directory, 'system@1.journal'));
  const unclean = { firstSeqnum: 4, firstRealtime: 1_700_000_003_000_000, isCompact: false };
  new JournalWriter(unclean).append('four', 'five').save(join(directory, 'system@2.journal~'));
  const live = { firstSeqnum: 8, firstRealtime: 1_700_000_007_000_000 };
  new JournalWriter(live).append('eight', 'nine').save(join(directory, 'system.journal'));
  return directory;
}

/** A receiver that has saved these cursors; with none, it has not run yet. */
async function receiverOf(t: Test, directory: string, ...cursors: readonly string[]) {
  const stateDirectory = temporaryDirectory(t);
  if (cursors.length > 0) await new CursorFile(stateDirectory).save(Positions.parse(cursors.join('\n'), 'a test'));
  return { id: 'journald/main', options: { directory, include_users: true, driver: 'auto' }, stateDirectory };
}

/** What may not change while somebody only looks. */
function snapshot(directory: string): unknown {
  return readdirSync(directory).map((name) => [
    name,
    statSync(join(directory, name)).mtimeMs,
    readFileSync(join(directory, name), 'hex'),
  ]);
}

interface Report {
  readonly journals: readonly Record<string, unknown>[];
}

async function report(...args: Parameters<typeof runJournal>): Promise<Report> {
  const { stdout } = await runJournal([...args[0], '-o', 'json'], args[1]);
  const parsed: Report = JSON.parse(stdout.toString());
  return parsed;
}

void test('status says which files there are, in which state, and what is missing between them, and changes nothing', async (t) => {
  const directory = makeJournal(t);
  const before = snapshot(directory);
  const { stdout, stderr, error } = await runJournal(['status', '--directory', directory]);
  t.equal(error, undefined);
  t.equal(stderr, '');
  const bytes = (name: string): number => statSync(join(directory, name)).size;
  const size = (name: string): string => sizeText(bytes(name));
  const all = sizeText(readdirSync(directory).reduce((sum, name) => sum + bytes(name), 0));
  t.same(stdout.toString().replaceAll(/ +/g, ' ').split('\n'), [
    'journal: 7 entries can be read; 2 numbers of entries are missing between files',
    `${directory}: 7 entries in 3 files, ${all}`,
    '',
    `${directory}:`,
    'FILE STATE ENTRIES NUMBERS FROM TO SIZE FEATURES',
    `system.journal online 2 8-9 2023-11-14T22:13:27Z 2023-11-14T22:13:28Z ${size('system.journal')} xz lz4 keyed zstd compact`,
    `system@1.journal archived 3 1-3 2023-11-14T22:13:20Z 2023-11-14T22:13:22Z ${size('system@1.journal')} xz lz4 keyed zstd compact`,
    `system@2.journal~ unclean 2 4-5 2023-11-14T22:13:23Z 2023-11-14T22:13:24Z ${size('system@2.journal~')} xz lz4 keyed zstd`,
    '',
    'SEQUENCE ENTRIES NUMBERS TO MISSING',
    `${SEQUENCE} 7 1-9 2023-11-14T22:13:28Z 2`,
    '',
    `${SEQUENCE}: 2 of the numbers between 5 and 8 are missing`,
    '',
  ]);
  t.same(snapshot(directory), before);
});

void test('status for programs has the same', async (t) => {
  const directory = makeJournal(t);
  const { journals } = await report(['status', '--directory', directory]);
  t.match(journals, [
    {
      directories: [directory],
      missing_entries: 2,
      files: [
        { path: join(directory, 'system.journal'), state: 'online', entries: 2, first_seqnum: 8, last_seqnum: 9, problem: null },
        {
          path: join(directory, 'system@1.journal'),
          state: 'archived',
          features: ['xz', 'lz4', 'keyed', 'zstd', 'compact'],
          first_time: '2023-11-14T22:13:20Z',
          last_time: '2023-11-14T22:13:22Z',
        },
        { path: join(directory, 'system@2.journal~'), state: 'unclean', features: ['xz', 'lz4', 'keyed', 'zstd'] },
      ],
      sequences: [{ seqnum_id: SEQUENCE, entries: 7, holes: [{ after: 5, before: 8, missing: 2 }], position: null }],
    },
  ]);
});

void test('with a configuration, status says how many entries each receiver is behind, and for how long', async (t) => {
  const directory = makeJournal(t);
  const cursor = `s=${SEQUENCE};i=4;t=${(1_700_000_003_000_000).toString(16)}`;
  const receiver = await receiverOf(t, directory, cursor);
  const { stdout, error } = await runJournal(['status', '-c', 'x.yaml'], { receivers: [receiver] });
  t.equal(error, undefined);
  const text = stdout.toString();
  t.match(text, /^journald\/main: 3 entries behind, its position is 5 s older than the newest; 2 numbers/);
  t.match(text, /DELIVERED UP TO {2}ENTRIES BEHIND {2}TIME BEHIND\n.* 4 +3 {2}5 s\n/);
  t.match(text, new RegExp(`positions of journald/main are in ${receiver.stateDirectory}/cursor\n`));
  t.match((await report(['status', '-c', 'x.yaml'], { receivers: [receiver] })).journals, [
    {
      receiver: { id: 'journald/main', problem: null, behind_entries: 3, behind_seconds: 5 },
      sequences: [{ position: { cursor, seqnum: 4, behind_entries: 3, behind_seconds: 5 } }],
    },
  ]);
});

void test('a receiver that has delivered all is up to date, and one that is before all is behind by everything', async (t) => {
  const directory = makeJournal(t);
  const all = await receiverOf(t, directory, `s=${SEQUENCE};i=9;t=${(1_700_000_008_000_000).toString(16)}`);
  t.match(
    (await runJournal(['status', '-c', 'x.yaml'], { receivers: [all] })).stdout.toString(),
    /^journald\/main: up to date with all of 7 entries;/,
  );
  const none = await receiverOf(t, directory, `s=${SEQUENCE};i=0;t=0`);
  const { journals } = await report(['status', '-c', 'x.yaml'], { receivers: [none] });
  t.match(journals, [{ receiver: { behind_entries: 7, behind_seconds: 8 } }]);
});

void test('what was removed before it was delivered is told, as far as the numbers can tell', async (t) => {
  const directory = temporaryDirectory(t);
  new JournalWriter({ seqnumId: SEQUENCE, firstSeqnum: 10 }).append('one', 'two').save(join(directory, 'system.journal'));
  const receiver = await receiverOf(t, directory, `s=${SEQUENCE};i=4;t=1`);
  const { stdout } = await runJournal(['status', '-c', 'x.yaml'], { receivers: [receiver] });
  t.match(stdout.toString(), /^journald\/main: 2 entries behind, .*; up to 5 entries were removed before delivery\n/);
  t.match((await report(['status', '-c', 'x.yaml'], { receivers: [receiver] })).journals, [
    { receiver: { gone_entries: 5 }, sequences: [{ position: { behind_entries: 2, gone_entries: 5 } }] },
  ]);
  const next = await receiverOf(t, directory, `s=${SEQUENCE};i=9;t=1`);
  t.match((await report(['status', '-c', 'x.yaml'], { receivers: [next] })).journals, [{ receiver: { gone_entries: 0 } }]);
});

void test('a sequence that the receiver has not met counts from the point in time where it would begin there', async (t) => {
  const directory = makeJournal(t);
  const other = new JournalWriter({ seqnumId: OTHER, firstRealtime: 1_700_000_100_000_000 }).append('a', 'b', 'c');
  other.save(join(directory, 'remote.journal'));
  const receiver = await receiverOf(
    t,
    directory,
    `s=${SEQUENCE};i=9;t=${(1_700_000_008_000_000).toString(16)}`,
    `t=${(1_700_000_100_000_000).toString(16)}`,
  );
  const { journals } = await report(['status', '-c', 'x.yaml'], { receivers: [receiver] });
  t.match(journals, [
    {
      receiver: { behind_entries: 2, behind_seconds: 2 },
      sequences: [
        { seqnum_id: OTHER, position: { seqnum: null, behind_entries: 2, behind_seconds: 2 } },
        { seqnum_id: SEQUENCE, position: { behind_entries: 0, behind_seconds: 0 } },
      ],
    },
  ]);
});

void test('each configured receiver has its own report, and one that has saved nothing or something else says so', async (t) => {
  const directory = makeJournal(t);
  const fresh = await receiverOf(t, directory);
  const broken = { ...(await receiverOf(t, directory)), id: 'journald/broken' };
  writeFileSync(join(broken.stateDirectory, 'cursor'), 'no cursor\n');
  const { stdout, error } = await runJournal(['status', '-c', 'x.yaml'], { receivers: [fresh, broken] });
  t.equal(error, undefined);
  t.match(stdout.toString(), /^journald\/main: it has saved no position yet;/);
  t.match(stdout.toString(), /^journald\/broken: .*cursor does not hold journald cursors: put a cursor/m);
  t.match(
    (await runJournal(['status', '-c', 'x.yaml'], { receivers: [] })).error,
    /no receiver in x\.yaml reads the journal: .*--directory/,
  );
});

void test('files that cannot be read are listed with the reason, and the others are described', async (t) => {
  const directory = makeJournal(t);
  writeFileSync(join(directory, 'notes.journal'), 'x'.repeat(400));
  const newer = new JournalWriter().append('one').bytes();
  newer.writeUInt32LE(newer.readUInt32LE(12) | (1 << 9), 12);
  writeFileSync(join(directory, 'newer.journal'), newer);
  const { stdout, error } = await runJournal(['status', '--directory', directory]);
  t.equal(error, undefined);
  const text = stdout.toString();
  t.match(text, /^journal: 7 entries can be read; 2 paths cannot be read; 2 numbers/);
  t.match(text, /newer\.journal +unreadable +0 .*unknown 512\n/);
  t.match(text, /^\S*newer\.journal uses a feature .*newer than this reader: update the agent/m);
  t.match(text, /^\S*notes\.journal is not a journal file/m);
});

void test('files of a newer systemd are said to be left to journalctl, where the receiver does that', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'system.journal');
  new JournalWriter().append('one').save(path);
  setUnknownFeature(path);
  // A journal of no systemd, which journalctl could not read either.
  writeFileSync(join(directory, 'notes.journal'), 'x'.repeat(400));
  const receiver = await receiverOf(t, directory);
  for (const driver of ['auto', 'journalctl', 'files']) {
    const options = { ...receiver.options, driver };
    const { stdout } = await runJournal(['status', '-c', 'x.yaml'], { receivers: [{ ...receiver, options }] });
    const [verdict] = stdout.toString().split('\n');
    const isLeft = driver === 'files' ? '' : '; 1 file of a newer systemd is left to journalctl';
    t.equal(verdict, `journald/main: there is no journal that can be read; 2 paths cannot be read${isLeft}`, driver);
  }
});

void test('where there is nothing, or nothing that this user may read, status says what to do', async (t) => {
  const empty = temporaryDirectory(t);
  t.match((await runJournal(['status', '--directory', empty])).error, /there is no journal in .*journald\.conf/);
  t.match((await runJournal(['status', '--directory', join(empty, 'none')])).error, /there is no directory/);
  writeFileSync(join(empty, 'file'), '');
  t.match((await runJournal(['status', '--directory', join(empty, 'file')])).error, /file is no directory: give the directory/);
  const other = ['status', '--directory', empty, '--namespace', 'web'];
  t.match((await runJournal(other)).error, /there is no journal of namespace web in /);
  const forbidden = makeJournal(t);
  chmodSync(forbidden, 0o755);
  for (const name of readdirSync(forbidden)) chmodSync(join(forbidden, name), 0);
  const { stdout, error } = await asOrdinaryUser(() => runJournal(['status', '--directory', forbidden]));
  t.match(error, /may not be read by this user: .*systemd-journal/);
  t.match(
    stdout.toString(),
    /^journal: there is no journal that can be read; 3 paths cannot be read\n[^]*system\.journal +unreadable/,
  );
  chmodSync(forbidden, 0);
  t.match((await asOrdinaryUser(() => runJournal(['status', '--directory', forbidden]))).error, /may not be read by this user/);
});

void test('a journal namespace is looked for in the directories of its own', async (t) => {
  const root = temporaryDirectory(t);
  for (const [name, messages] of [
    ['0'.repeat(32), ['a']],
    [`${'0'.repeat(32)}.web`, ['b', 'c']],
  ] as const) {
    mkdirSync(join(root, name));
    new JournalWriter({ seqnumId: parseCursor(`s=${OTHER};t=1`)?.seqnumId ?? '' })
      .append(...messages)
      .save(join(root, name, 'system.journal'));
  }
  const entries = async (...args: readonly string[]): Promise<string> =>
    (await runJournal(['status', '--directory', root, ...args])).stdout.toString().split('\n')[0] ?? '';
  t.equal(await entries(), 'journal: 1 entry can be read');
  t.equal(await entries('--namespace', 'web'), 'journal: 2 entries can be read');
  t.match(await entries('--namespace', '*'), /^journal: 3 entries can be read/);
});

void test('flags that contradict each other are refused', async (t) => {
  const { error } = await runJournal(['status', '-c', 'x.yaml', '--directory', '/tmp']);
  t.match(error, /--config and --directory or --namespace do not go together/);
});

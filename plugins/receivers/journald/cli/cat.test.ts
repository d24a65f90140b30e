import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { type Test, test } from 'tap';
import { asOrdinaryUser } from '../../../../test/helpers/users.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { runJournal } from '../testdata/run_command.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

/** A file that `testdata/make_fixtures.ts` made. */
function fixture(name: string): Buffer {
  return zstdDecompressSync(readFileSync(join(import.meta.dirname, 'testdata', `${name}.zst`)));
}

/** A directory with a journal of these messages, a second apart from 2023-11-14T22:13:20Z on. */
function journalOf(t: Test, ...messages: readonly string[]): string {
  const directory = temporaryDirectory(t);
  new JournalWriter().append(...messages).save(join(directory, 'system.journal'));
  return directory;
}

/** The messages of what is printed with these arguments. */
async function messages(directory: string, ...args: readonly string[]): Promise<unknown[]> {
  const { stdout, error } = await runJournal(['cat', '--directory', directory, '-o', 'json', ...args]);
  if (error !== undefined) throw new Error(error);
  return linesOf(stdout).map((line) => parsed(line)['MESSAGE']);
}

function linesOf(bytes: Buffer): string[] {
  return bytes.toString().split('\n').slice(0, -1);
}

function parsed(line: string): Record<string, unknown> {
  const object: Record<string, unknown> = JSON.parse(line);
  return object;
}

void test('-o export is what journalctl prints, byte for byte, also where there is no journalctl', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'edge.journal'), fixture('edge.journal'));
  const { stdout, stderr, error } = await runJournal(['cat', '--directory', directory, '-o', 'export']);
  t.equal(error, undefined);
  t.equal(stderr, '');
  t.ok(stdout.equals(fixture('edge.export')));
});

void test('-o json has the members and values that journalctl prints, in lines', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'edge.journal'), fixture('edge.journal'));
  const { stdout } = await runJournal(['cat', '--directory', directory, '-o', 'json']);
  const wanted = linesOf(fixture('edge.json'));
  const found = linesOf(stdout);
  t.equal(found.length, 140);
  t.same(found.map(parsed), wanted.map(parsed));
});

void test('--seqnum adds what journalctl prints since systemd 254, between the monotonic time and the boot', async (t) => {
  const directory = journalOf(t, 'one');
  const { stdout } = await runJournal(['cat', '--directory', directory, '-o', 'export', '--seqnum']);
  t.same(stdout.toString().split('\n').slice(1), [
    '__REALTIME_TIMESTAMP=1700000000000000',
    '__MONOTONIC_TIMESTAMP=1000',
    '__SEQNUM=1',
    `__SEQNUM_ID=${'5e'.repeat(16)}`,
    `_BOOT_ID=${'b0'.repeat(16)}`,
    'MESSAGE=one',
    '',
    '',
  ]);
  const json = await runJournal(['cat', '--directory', directory, '-o', 'json', '--seqnum']);
  t.match(parsed(json.stdout.toString()), { __SEQNUM: '1', __SEQNUM_ID: '5e'.repeat(16) });
});

void test('text is a line an entry, with further lines of a message indented and nothing that a terminal would act on', async (t) => {
  const directory = temporaryDirectory(t);
  const from = ['_HOSTNAME=wéb', 'SYSLOG_IDENTIFIER=app', '_PID=17'];
  new JournalWriter({ firstRealtime: 1_700_000_000_999_999 })
    .append(
      { fields: [...from, 'MESSAGE=hello'] },
      { fields: [...from, 'MESSAGE=first\n\tsecond\n\nfourth\n'] },
      { fields: ['_COMM=sh\nell', 'SYSLOG_PID=3', 'MESSAGE=\u001b[1;31mred\u001b[0m \u001b]0;title\u0007bell\u0007'] },
      { fields: [{ name: 'MESSAGE', value: Buffer.of(0xff, 0xfe) }] },
      { fields: ['PRIORITY=3'] },
    )
    .save(join(directory, 'system.journal'));
  const zone = process.env['TZ'];
  process.env['TZ'] = 'Asia/Kolkata';
  t.teardown(() => {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  });
  const { stdout } = await runJournal(['cat', '--directory', directory]);
  t.same(stdout.toString().split('\n'), [
    '2023-11-15T03:43:20+05:30 wéb app[17]: hello',
    '2023-11-15T03:43:21+05:30 wéb app[17]: first',
    '                                       \tsecond',
    '                                       ',
    '                                       fourth',
    '2023-11-15T03:43:22+05:30 sh ell[3]: red bell\ufffd',
    '2023-11-15T03:43:23+05:30 unknown: [2 bytes that are no text]',
    '2023-11-15T03:43:24+05:30 unknown: ',
    '',
  ]);
});

void test('times, cursors and numbers of lines choose where to begin and to end', async (t) => {
  const directory = journalOf(t, 'one', 'two', 'three', 'four');
  const entries = linesOf((await runJournal(['cat', '--directory', directory, '-o', 'json'])).stdout).map(parsed);
  const cursor = String(entries[1]?.['__CURSOR']);
  const time = '2023-11-14T22:13:21Z';
  t.same(await messages(directory), ['one', 'two', 'three', 'four']);
  t.same(await messages(directory, '--since', time), ['two', 'three', 'four']);
  t.same(await messages(directory, '--until', time), ['one', 'two']);
  t.same(await messages(directory, '--since', '@1700000001', '--until', '@1700000002'), ['two', 'three']);
  t.same(await messages(directory, '--cursor', cursor), ['two', 'three', 'four']);
  t.same(await messages(directory, '--after-cursor', cursor), ['three', 'four']);
  t.same(await messages(directory, '-n', '1'), ['four']);
  t.same(await messages(directory, '-n', '3'), ['two', 'three', 'four']);
  t.same(await messages(directory, '-n', '9'), ['one', 'two', 'three', 'four']);
  t.same(await messages(directory, '-n', '2', '--until', time), ['one', 'two'], 'the newest of those up to then');
  t.same(await messages(directory, '-n', '2', '--since', time), ['two', 'three'], 'the first from then on');
  t.same(await messages(directory, '-n', '1', '--after-cursor', cursor), ['three']);
});

void test('the newest entries are those of all sequences, also of one that has few of them and of those that are selected', async (t) => {
  const directory = temporaryDirectory(t);
  const quiet = new JournalWriter({ seqnumId: 'aa'.repeat(16), firstRealtime: 1_700_000_050_500_000 });
  const busy = new JournalWriter({ seqnumId: 'bb'.repeat(16) });
  for (let number = 0; number < 100; number++)
    busy.append({ fields: [`MESSAGE=busy ${number}`, `PRIORITY=${number % 50 === 3 ? 3 : 6}`] });
  quiet.append({ realtime: 1_700_000_050_500_000, bootId: 'b1'.repeat(16), fields: ['MESSAGE=quiet 0', 'PRIORITY=3'] });
  quiet.append({ realtime: 1_700_000_097_500_000, bootId: 'b1'.repeat(16), fields: ['MESSAGE=quiet 1', 'PRIORITY=6'] });
  quiet.save(join(directory, 'quiet.journal'));
  busy.save(join(directory, 'busy.journal'));
  t.same(await messages(directory, '-n', '4'), ['busy 97', 'quiet 1', 'busy 98', 'busy 99']);
  t.same(await messages(directory, '-n', '2', '-p', 'err'), ['quiet 0', 'busy 53']);
  t.same(await messages(directory, '-n', '9', '-p', 'err'), ['busy 3', 'quiet 0', 'busy 53']);
});

void test('units, identifiers, priorities and fields choose entries', async (t) => {
  const directory = temporaryDirectory(t);
  new JournalWriter()
    .append(
      { fields: ['MESSAGE=a', 'PRIORITY=6', 'SYSLOG_IDENTIFIER=nginx', '_SYSTEMD_UNIT=nginx.service'] },
      { fields: ['MESSAGE=b', 'PRIORITY=3', 'SYSLOG_IDENTIFIER=sshd', '_SYSTEMD_UNIT=ssh.service'] },
      { fields: ['MESSAGE=c=d', 'PRIORITY=4', 'SYSLOG_IDENTIFIER=cron', '_UID=0'] },
      { fields: ['MESSAGE=e', 'PRIORITY=7', 'SYSLOG_IDENTIFIER=systemd', '_PID=1', 'UNIT=nginx.service'] },
    )
    .save(join(directory, 'system.journal'));
  t.same(await messages(directory, '-u', 'nginx'), ['a', 'e']);
  t.same(await messages(directory, '-u', 'nginx', '-u', 'ss?.service'), ['a', 'b', 'e']);
  t.same(await messages(directory, '-t', 'sshd', '-t', 'cron'), ['b', 'c=d']);
  t.same(await messages(directory, '-p', 'warning'), ['b', 'c=d']);
  t.same(await messages(directory, '-p', '3'), ['b']);
  t.same(await messages(directory, '-p', 'warning..info'), ['a', 'c=d']);
  t.same(await messages(directory, '-p', '6..4'), ['a', 'c=d']);
  t.same(await messages(directory, '_UID=0'), ['c=d']);
  t.same(await messages(directory, 'MESSAGE=c=d'), ['c=d']);
  t.same(await messages(directory, 'MESSAGE=a', 'MESSAGE=b', 'PRIORITY=3'), ['b']);
  t.same(await messages(directory, '_UID=1000'), []);
});

void test('what cannot be understood is refused, with what to write instead', async (t) => {
  const directory = journalOf(t, 'one');
  for (const [args, error] of [
    [['--since', 'tomorrow'], /--since is neither a time nor a duration: tomorrow: write 2026-.*2h/],
    [['--until', '25:00'], /--until is neither/],
    [['--cursor', 'x'], /--cursor is no cursor of journald: x: .*__CURSOR/],
    [['--after-cursor', 's=1'], /--after-cursor is no cursor/],
    [['-n', '0'], /--lines is no number of entries: 0/],
    [['-n', 'all'], /--lines is no number/],
    [['-p', 'loud'], /--priority is no priority: loud: .*emerg, alert.*err\.\.alert/],
    [['-p', 'err..info..debug'], /no priority/],
    [['-p', '8'], /no priority/],
    [['nginx'], /this is no match: nginx: write FIELD=VALUE/],
    [['lower=case'], /this is no match/],
    [['=x'], /this is no match/],
    [['+'], /this is no match/],
    [['--since', '1h', '--cursor', 'x'], /--since and --cursor do not go together/],
    [['--cursor', 'x', '--after-cursor', 'x'], /do not go together/],
    [['-f', '--until', '1h'], /--follow and --until do not go together/],
    [['-f', '-n', '1', '--since', '1h'], /--follow with --lines and --since or a cursor do not go together/],
    [['--namespace', 'a/b'], /--namespace is no namespace: a\/b: it must be the name/],
    [['-o', 'xml'], /Allowed choices are text, export, json/],
  ] as const) {
    const ran = await runJournal(['cat', '--directory', directory, ...args]);
    t.match(ran.error, error, args.join(' '));
    t.equal(ran.stdout.length, 0);
  }
});

void test('where nothing can be read, it says why and what to do', async (t) => {
  const empty = temporaryDirectory(t);
  t.match(
    (await runJournal(['cat', '--directory', join(empty, 'none')])).error,
    /there is no directory .*none: give the directory/,
  );
  t.match((await runJournal(['cat', '--directory', empty])).error, /there is no journal in .*: .*journald\.conf/);
  writeFileSync(join(empty, 'system.journal'), 'x'.repeat(400));
  t.match(
    (await runJournal(['cat', '--directory', empty])).error,
    /nothing of the journal in .*can be read: .*is not a journal file/,
  );
});

void test('a user who may not read the journal is told so', async (t) => {
  const directory = journalOf(t, 'one');
  chmodSync(directory, 0o755);
  chmodSync(join(directory, 'system.journal'), 0);
  const { error } = await asOrdinaryUser(() => runJournal(['cat', '--directory', directory]));
  t.match(error, /may not be read by this user: .*systemd-journal/);
  const own = join(directory, 'user-65534.journal');
  new JournalWriter().append('my own').save(own);
  chmodSync(own, 0o644);
  const { stdout, stderr } = await asOrdinaryUser(() => runJournal(['cat', '--directory', directory]));
  t.match(stdout.toString(), /my own/);
  t.match(stderr, /^sluice: 1 path may not be read by this user and is left out; .*systemd-journal\n$/);
});

void test('what is damaged is left out and counted at the end, and the rest is printed', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter({ isCompact: true }).append('one', 'two', 'three');
  const bytes = writer.bytes();
  bytes[writer.offsets.data[1] ?? 0] = 9;
  writeFileSync(join(directory, 'system.journal'), bytes);
  writeFileSync(join(directory, 'other.journal'), 'x'.repeat(400));
  const { stdout, stderr, error } = await runJournal(['cat', '--directory', directory, '-o', 'json']);
  t.equal(error, undefined);
  t.same(
    linesOf(stdout).map((line) => parsed(line)['MESSAGE']),
    ['one', undefined, 'three'],
  );
  t.match(stderr, /sluice: .*left out: \S*other\.journal is not a journal file/);
  t.match(stderr, /sluice: parts of the journal are damaged and were left out: 1 field in .*\.journal\n/);
});

void test('large compressed values are read in as many entries as have them', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter();
  for (let number = 0; number < 8; number++) {
    const value = `${number}${'x'.repeat(12 * 1024 * 1024)}`;
    writer.append({ fields: [`MESSAGE=${number}`, { name: 'LARGE', value, compression: 'zstd' }] });
  }
  writer.save(join(directory, 'system.journal'));
  const { stdout, stderr } = await runJournal(['cat', '--directory', directory]);
  t.equal(linesOf(stdout).length, 8);
  t.equal(stderr, '');
});

void test('names that journald does not write are not printed', async (t) => {
  const directory = temporaryDirectory(t);
  const long = 'N'.repeat(65);
  new JournalWriter()
    .append({ fields: ['1ST=x', 'lower=x', `${long}=x`, 'WITH SPACE=x', '_1=kept', `${long.slice(1)}=kept`, 'MESSAGE=m'] })
    .save(join(directory, 'system.journal'));
  const { stdout, stderr } = await runJournal(['cat', '--directory', directory, '-o', 'json']);
  const members = Object.keys(parsed(stdout.toString())).filter((name) => !name.startsWith('__'));
  t.same(members, ['_BOOT_ID', '_1', long.slice(1), 'MESSAGE']);
  t.match(stderr, /left out: 4 fields/);
});

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type Test, test } from 'tap';
import { generate } from '../testdata/generate.ts';
import { runJournal } from '../testdata/run_command.ts';
import { withoutSystemd, writeWithSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { edgeEntries } from './testdata/edge_entries.ts';

const skip = withoutSystemd;

function journalctl(directory: string, ...args: readonly string[]): Buffer {
  const { stdout, stderr, status } = spawnSync('journalctl', ['--directory', directory, '--all', '--quiet', ...args], {
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(stderr.toString());
  return stdout;
}

async function sluice(directory: string, ...args: readonly string[]): Promise<Buffer> {
  const { stdout, stderr, error } = await runJournal(['cat', '--directory', directory, ...args]);
  if (error !== undefined || stderr !== '') throw new Error(`${error} ${stderr}`);
  return stdout;
}

/** Where two outputs differ, with what is around it; undefined where they do not. */
function difference(found: Buffer, wanted: Buffer): string | undefined {
  if (found.equals(wanted)) return undefined;
  const at = found.findIndex((byte, index) => byte !== wanted[index]);
  const place = at < 0 ? found.length : at;
  const [its, theirs] = [found, wanted].map((bytes) => JSON.stringify(bytes.toString('latin1', place - 60, place + 60)));
  return `at ${place} of ${found.length} and ${wanted.length} bytes: ${its} instead of ${theirs}`;
}

function objects(json: Buffer): unknown[] {
  return json
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line): unknown => JSON.parse(line));
}

/** Edge cases and generated entries, in files of three sequences. */
async function makeJournal(t: Test): Promise<string> {
  const directory = temporaryDirectory(t);
  await writeWithSystemd(join(directory, 'edge.journal'), edgeEntries());
  await writeWithSystemd(join(directory, 'compact.journal'), generate(11, 1500));
  await writeWithSystemd(join(directory, 'regular.journal'), generate(12, 1500), { isCompact: false, isKeyed: false });
  return directory;
}

void test('-o export is what journalctl prints, byte for byte, over many files', { skip }, async (t) => {
  const directory = await makeJournal(t);
  const wanted = journalctl(directory, '-o', 'export');
  t.ok(wanted.length > 2_000_000);
  t.equal(difference(await sluice(directory, '-o', 'export'), wanted), undefined);
});

void test('-o json is what journalctl prints, member for member', { skip }, async (t) => {
  const directory = await makeJournal(t);
  const wanted = objects(journalctl(directory, '-o', 'json'));
  t.equal(wanted.length, 3140);
  const found = objects(await sluice(directory, '-o', 'json'));
  t.equal(found.length, wanted.length);
  const different = found.findIndex((object, index) => !isDeepStrictEqual(object, wanted[index]));
  if (different >= 0) t.same(found[different], wanted[different], `entry ${different}`);
});

void test('what is chosen and where it begins and ends is as with journalctl', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  await writeWithSystemd(join(directory, 'edge.journal'), edgeEntries());
  const [, , , fourth] = objects(journalctl(directory, '-o', 'json'));
  const cursor = String(Object(fourth)['__CURSOR']);
  for (const args of [
    ['-n', '7'],
    ['-n', '500'],
    ['-u', 'svc1'],
    ['-u', 'svc1.service', '-u', 'svc2.service'],
    ['-t', 'svc0', '-t', 'svc2'],
    ['-p', 'err'],
    ['-p', '4..6'],
    ['_TRANSPORT=kernel', 'SYSLOG_IDENTIFIER=svc0', 'SYSLOG_IDENTIFIER=svc1'],
    ['-n', '3', '_PID=101'],
    ['--cursor', cursor],
    ['--after-cursor', cursor],
    ['--since', '@1700000010'],
    ['--since', '2023-11-14 22:13:25', '--until', '2023-11-14 22:14'],
    ['--since', '2023-11-14', '--until', 'yesterday'],
    ['--until', '@1700000010'],
    ['--since', '@1700000010.5', '--until', '@1700000020'],
    ['--since', '@1700000010', '-n', '5'],
    ['--after-cursor', cursor, '-n', '5'],
  ]) {
    const wanted = journalctl(directory, '-o', 'export', ...args);
    t.not(wanted.length, 0);
    t.equal(difference(await sluice(directory, '-o', 'export', ...args), wanted), undefined, args.join(' '));
  }
});

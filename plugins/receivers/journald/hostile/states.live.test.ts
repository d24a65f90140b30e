/** Files that a real journald seals, and that it leaves behind when it is killed. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalFile } from '../file/journal_file.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { type RunningJournald, startJournald, withoutJournald } from '../testdata/journald.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { readAsSystemd, withoutBoot } from './testdata/read_as_systemd.ts';
import { type RawEntry, readRaw } from './testdata/read_raw.ts';

/** Offset of the number of TAG objects in the header. */
const TAG_COUNT = 224;

const LINES = 300;

function pathsIn(directory: string): string[] {
  const [machine = ''] = readdirSync(directory);
  return readdirSync(join(directory, machine))
    .filter((name) => /\.journal~?$/.test(name))
    .map((name) => join(directory, machine, name));
}

function isOnline(path: string): boolean {
  const file = new JournalFile(path, () => {});
  file.close();
  return file.header.state === 'online';
}

/** All files as this reader and as journalctl read them, and what of them the first could not read. */
async function readBoth(directory: string) {
  const [ours, theirs, damage]: [RawEntry[], RawEntry[], string[]] = [[], [], []];
  for (const path of pathsIn(directory)) {
    const contents = readRaw(path);
    damage.push(...Object.keys(contents.damage));
    ours.push(...withoutBoot(contents.entries));
    theirs.push(...(await readAsSystemd(path)));
  }
  return { ours, theirs, damage };
}

/** Writes `LINES` lines, and resolves when they are in the files: without a sync, which closes files for a while. */
async function write(journald: RunningJournald, directory: string, what: string): Promise<void> {
  await journald.write(Array.from({ length: LINES }, (_, index) => `${what} ${index}`));
  const last = `MESSAGE=${what} ${LINES - 1}`;
  const isThere = (path: string): boolean => readRaw(path).entries.some(({ fields }) => fields.includes(last));
  await waitFor(() => pathsIn(directory).some(isThere), {
    what: 'the lines to be stored',
    deadlineMs: 20_000,
  });
}

void test('files that journald seals are read as others are', { skip: withoutJournald }, async (t) => {
  const configuration = ['Storage=persistent', 'Seal=yes'];
  const journald = await startJournald(temporaryDirectory(t), { configuration });
  t.teardown(() => journald.stop());
  journald.flush();
  const [program = '', ...args] = journald.within;
  const keys = spawnSync(program, [...args, 'journalctl', '--setup-keys', '--interval=1s', '--force'], { encoding: 'utf8' });
  t.equal(keys.status, 0, 'there are keys to seal with');
  await journald.stop();
  await journald.start();
  journald.rotate();
  await write(journald, journald.persistentDirectory, 'sealed');
  await journald.stop();
  const { ours, theirs, damage } = await readBoth(journald.persistentDirectory);
  t.same(damage, []);
  t.strictSame(ours, theirs);
  t.ok(ours.length >= LINES, `${ours.length} entries`);
  const tags = pathsIn(journald.persistentDirectory).map((path) => Number(readFileSync(path).readBigUInt64LE(TAG_COUNT)));
  t.ok(Math.max(...tags) >= 1, `${tags.join(', ')} tags`);
});

void test('what a journald that was killed leaves behind is read as far as it goes', { skip: withoutJournald }, async (t) => {
  const journald = await startJournald(temporaryDirectory(t));
  const { directory } = journald;
  t.teardown(() => journald.stop());
  await write(journald, directory, 'before');
  await journald.stop('SIGKILL');
  t.ok(pathsIn(directory).some(isOnline), 'nobody closed it');
  const left = await readBoth(directory);
  t.same(left.damage, []);
  t.strictSame(left.ours, left.theirs);
  t.ok(left.ours.length >= LINES, `${left.ours.length} entries`);
  await journald.start();
  await write(journald, directory, 'after');
  await journald.stop();
  const paths = pathsIn(directory);
  t.ok(
    paths.some((one) => one.endsWith('~')),
    'it was set aside',
  );
  const all = await readBoth(directory);
  t.same(all.damage, []);
  t.strictSame(all.ours, all.theirs);
  t.ok(all.ours.length >= left.ours.length + LINES, `${all.ours.length} entries`);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { type Cursor, parseCursor, seqnumCursor, timeCursor } from '../file/cursor.ts';
import { options } from '../options.ts';
import { withoutSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { journalctlArgs, requireJournalctl } from './command.ts';

const ALWAYS = ['--output=export', '--all', '--merge', '--follow', '--no-tail', '--no-pager'];

/** The arguments beyond those that are always there. */
function argsFor(given: Record<string, unknown>, place: Cursor): string[] {
  const args = journalctlArgs(options.parse(given), place);
  return args.slice(ALWAYS.length);
}

/** A program that says this and ends so. */
function program(t: { teardown(run: () => void): unknown }, script: string): string {
  const path = join(temporaryDirectory(t), 'journalctl');
  writeFileSync(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return path;
}

function cannotRun(reason: string) {
  return { code: 'process_failed', message: new RegExp(`--version failed \\(${reason}\\)`), hint: /install/ };
}

void test('it reads the same files as the files driver does', async (t) => {
  const start = timeCursor(0);
  t.same(journalctlArgs(options.parse({}), start), ALWAYS);
  t.same(argsFor({ directory: '/a b', include_users: false }, start), ['--directory=/a b', '--system']);
  t.same(argsFor({ namespace: '+web' }, start), ['--namespace=+web']);
});

void test('it begins at an entry, behind it, or at a time', async (t) => {
  const entry = seqnumCursor('a1'.repeat(16), 7, 1000);
  t.same(argsFor({}, entry), [`--cursor=${entry.text}`]);
  t.same(journalctlArgs(options.parse({}), entry, false).at(-1), `--after-cursor=${entry.text}`);
  t.same(argsFor({}, timeCursor(1_700_000_000_000_042)), ['--since=@1700000000.000042']);
  const time = parseCursor(`s=${'a1'.repeat(16)};t=f4240`);
  t.same(argsFor({}, time ?? entry), ['--since=@1.000000']);
});

void test('its version is its first line', { skip: withoutSystemd }, async (t) => {
  t.match(await requireJournalctl(options.parse({})), /^systemd \d+/);
});

void test('a program that cannot be run is told with the reason and what to do', async (t) => {
  await t.rejects(requireJournalctl(options.parse({}), '/nonexistent/journalctl'), cannotRun('ENOENT'));
  await t.rejects(requireJournalctl(options.parse({}), program(t, 'echo no; exit 3')), cannotRun('exit code 3'));
  await t.rejects(requireJournalctl(options.parse({}), program(t, 'kill -9 $$')), cannotRun('it was killed'));
  await t.rejects(requireJournalctl(options.parse({}), program(t, 'true')), cannotRun('it says nothing'));
});

void test('a program that does not answer is given up, whatever it and its children hold on to', async (t) => {
  const stubborn = program(t, "trap '' TERM; echo systemd; sleep 5 & wait");
  await t.rejects(requireJournalctl(options.parse({}), stubborn, 200), cannotRun('it was killed'));
});

void test('what it cannot read is an error too', async (t) => {
  const asked = options.parse({ directory: '/a', namespace: 'web' });
  await t.rejects(requireJournalctl(asked), {
    code: 'unsupported',
    message: /namespace/,
    hint: /leave directory or namespace out/,
  });
});

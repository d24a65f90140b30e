import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const SLUICE = join(import.meta.dirname, '../../../../src/cli/sluice');

/** Starts `sluice journal` as a process. */
function start(...args: readonly string[]) {
  return spawn(SLUICE, ['journal', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
}

async function run(...args: readonly string[]): Promise<{ code: unknown; stdout: string; stderr: string }> {
  const child = start(...args);
  const [[code], stdout, stderr] = await Promise.all([once(child, 'close'), text(child.stdout), text(child.stderr)]);
  return { code, stdout, stderr };
}

void test('a reader that has had enough ends cat quietly', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter();
  for (let number = 0; number < 100; number++) writer.append(`${number} ${'x'.repeat(50_000)}`);
  writer.save(join(directory, 'system.journal'));
  const child = start('cat', '--directory', directory, '-o', 'export');
  const stderr = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  t.same(await once(child, 'close'), [0, null]);
  t.equal(await stderr, '');
});

void test('a configuration leads to the journal and to the position of its receiver', async (t) => {
  const root = temporaryDirectory(t);
  const directory = join(root, 'journal');
  mkdirSync(directory);
  new JournalWriter().append('one', 'two', 'three').save(join(directory, 'system.journal'));
  const state = join(root, 'receivers/journald');
  mkdirSync(state, { recursive: true });
  writeFileSync(join(state, 'cursor'), `s=${'5e'.repeat(16)};i=1;t=${(1_700_000_000_000_000).toString(16)}\n`);
  const config = join(root, 'sluice.yaml');
  writeFileSync(
    config,
    JSON.stringify({
      receivers: { journald: { directory } },
      exporters: { console: {} },
      service: { state_directory: root, pipelines: { logs: { receivers: ['journald'], exporters: ['console'] } } },
    }),
  );
  const { code, stdout, stderr } = await run('status', '--config', config);
  t.equal(stderr, '');
  t.equal(code, 0);
  t.match(stdout, /^journald: 2 entries behind, its position is 2 s older than the newest\n/);
});

void test('what goes wrong is told as by every other command', async (t) => {
  const { code, stdout, stderr } = await run('cat', '--directory', join(temporaryDirectory(t), 'none'));
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(stderr, /^sluice: there is no directory .*\n {2}give the directory with the journal files/);
});

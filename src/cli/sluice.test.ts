import { execFile, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'tap';

const LAUNCHER = join(import.meta.dirname, 'sluice');

/** No Node but the package's own can be found by it. */
const BARE = { PATH: '/usr/bin:/bin' };

function run(
  file: string,
  args: readonly string[],
  env: Record<string, string> = BARE,
): Promise<{ code: unknown; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(file, args, { env, cwd: '/' }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

void test('the launcher runs the package’s own Node, without a word of warning', async (t) => {
  const { code, stdout, stderr } = await run(LAUNCHER, ['--version']);
  t.equal(code, 0);
  t.match(stdout, new RegExp(`\\(Node ${process.versions.node}\\)`));
  t.equal(stderr, '');
});

void test('the launcher works through symbolic links, absolute, relative and chained, and by name', async (t) => {
  const directory = t.testdir({ bin: {}, with: { 'a space': {} } });
  symlinkSync(LAUNCHER, join(directory, 'with/a space/first'));
  symlinkSync('../with/a space/first', join(directory, 'bin/sluice'));
  t.match(await run(join(directory, 'bin/sluice'), ['--version']), { code: 0, stdout: /^sluice / });
  t.match(await run('/bin/sh', ['-c', 'sluice --version'], { PATH: `${join(directory, 'bin')}:${BARE.PATH}` }), {
    code: 0,
    stdout: /^sluice /,
  });
});

void test('arguments reach the program as they are', async (t) => {
  t.match(await run(LAUNCHER, ['check', 'no such file $HOME.yaml']), {
    code: 1,
    stderr: /cannot (read|be)/,
  });
});

void test('where npm ci has not been run, the launcher says so', async (t) => {
  const copy = join(t.testdir({}), 'src/cli/sluice');
  mkdirSync(dirname(copy), { recursive: true });
  copyFileSync(LAUNCHER, copy);
  t.match(await run(copy, ['--version']), {
    code: 1,
    stdout: '',
    stderr: /its? runs on is not installed.*\n {2}run "npm ci" in /,
  });
});

void test('a reader that has had enough ends the program quietly', async (t) => {
  const child = spawn(LAUNCHER, ['--help'], { env: BARE, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.destroy();
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)));
  t.equal(await text(child.stderr), '');
  t.equal(await ended, 0);
});

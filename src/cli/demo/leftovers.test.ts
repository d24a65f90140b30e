import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import { endLeftovers } from './leftovers.ts';

void test('processes that an earlier demo left behind are ended, and no others', async (t) => {
  const directory = t.testdir();
  // Both wait for ever; the first one's command line is that of a demo's process in the directory.
  const script = 'setInterval(() => {}, 1000)';
  const left = spawn(process.execPath, ['-e', script, 'run', '--config', `${directory}/log-a.yaml`], { stdio: 'ignore' });
  const other = spawn(process.execPath, ['-e', script, 'run', '--config', '/elsewhere/log-a.yaml'], { stdio: 'ignore' });
  t.teardown(() => [left, other].map((child) => child.kill('SIGKILL')));
  await waitFor(() => [left, other].every(({ pid }) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('run')), {
    what: 'both processes to run',
  });
  const ended = once(left, 'exit', { signal: AbortSignal.timeout(5000) });
  left.kill('SIGSTOP');
  const pids = [left, other].map(({ pid }) => pid ?? 0);
  t.equal(await endLeftovers([...pids, 4_000_000], directory, 5000), 1);
  t.same(await ended, [null, 'SIGTERM']);
  t.equal(other.exitCode ?? other.signalCode, null);
});

/** A record that one destination refuses: it is kept, looked at and sent again, by real processes and the commands that an operator has. */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { readTopic, type Running, type RunningReceiver, scrape, startAgent, startReceiver, stop } from '../helpers/agents.ts';
import { ledgerOf, watchUntil } from '../helpers/ledgers.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Longer than the smallest frame that a receiver may be configured for, shorter than a line of a pipe may be. */
const LARGE = 'x'.repeat(100_000);

interface Site {
  readonly a: RunningReceiver;
  readonly b: RunningReceiver;
  readonly path: string;
  readonly startAgent: () => Promise<Running>;
  /** Runs `sluice deadletter` with these arguments on the agent's configuration; what it prints. */
  readonly deadletter: (...args: string[]) => Promise<string>;
}

/** log-a takes small records only, log-b all. */
async function startSite(t: Test): Promise<Site> {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'app.pipe');
  const [a, b] = await Promise.all([
    startReceiver(t, { directory, name: 'log-a', cfjs1: { max_frame_bytes: '64KiB' } }),
    startReceiver(t, { directory, name: 'log-b' }),
  ]);
  const settings = {
    directory,
    receivers: { 'pipe/app': { path, log_format: 'app', format: 'text' } },
    destinations: [a, b],
    logx: { probe_interval: '300ms', probe_successes: 2, min_dwell: '1s' },
  };
  const config = join(directory, 'agent/agent.yaml');
  return {
    a,
    b,
    path,
    startAgent: () => startAgent(t, settings),
    deadletter: (...args) =>
      new Promise((resolve, reject) => {
        execFile(process.execPath, [MAIN, 'deadletter', ...args, '-c', config], (error, stdout, stderr) => {
          if (error === null) resolve(stdout);
          else reject(new Error(stderr));
        });
      }),
  };
}

function messagesAt(receiver: RunningReceiver): unknown[] {
  return readTopic(receiver, 'app').map(({ wrapper }) => wrapper['message']);
}

function idsOfLarge(receiver: RunningReceiver): unknown[] {
  return readTopic(receiver, 'app').flatMap(({ wrapper }) => (wrapper['message'] === LARGE ? [wrapper['id']] : []));
}

async function replayed(agent: Running): Promise<number> {
  return (await scrape(agent)).sum('sluice_dead_letter_replayed_records_total');
}

void test('a record that is too large for one destination waits there for its replay, and costs no other a thing', async (t) => {
  const site = await startSite(t);
  let agent = await site.startAgent();
  writeFileSync(site.path, `before\n${LARGE}\nafter\n`);

  await watchUntil([agent], 'everything to be where it can be', async () => {
    const { delivered, deadLettered } = await ledgerOf(agent, 'pipe/app');
    return messagesAt(site.a).length === 2 && messagesAt(site.b).length === 3 && delivered === 2 && deadLettered === 1;
  });
  t.same(messagesAt(site.a), ['before', 'after']);
  t.same(messagesAt(site.b), ['before', LARGE, 'after']);

  await stop(agent, 'SIGKILL');
  const [id] = idsOfLarge(site.b);
  t.match(await site.deadletter('ls'), new RegExp(` 1 {2}too_large {2}log-a {8}pipe/app\\n[^]* ${String(id)} {2}too_large`));
  t.match(await site.deadletter('show', String(id)), LARGE, 'whole, though the agent was killed');

  agent = await site.startAgent();
  t.match(await site.deadletter('replay'), /^1 letter will be sent again \(to log-a\): the agent is running/);
  await watchUntil([agent], 'the letter to be refused again', async () => (await replayed(agent)) === 1);
  t.match(JSON.parse(await site.deadletter('show', String(id), '-o', 'json')), { receiver: 'pipe/app', reason: 'too_large' });

  await stop(agent);
  await stop(site.a);
  t.match(await site.deadletter('replay', '--destination', 'log-a'), /no agent is running, the next one takes them/);
  t.match(await site.deadletter('ls'), /^no dead letters in .*\n\n1 more letter in .* waits to be sent again\n$/);
  const a = await startReceiver(t, { ...site.a, cfjs1: {} });
  agent = await site.startAgent();
  await watchUntil([agent], 'log-a to have all', () => messagesAt(a).length === 3);
  t.same(idsOfLarge(a), [id], 'with the id that it has at log-b');
  t.same(messagesAt(site.b), ['before', LARGE, 'after'], 'log-b did not get it twice');
  await watchUntil([agent], 'the letter to be done with', async () => (await replayed(agent)) === 1);
  t.match(await site.deadletter('ls'), /^no dead letters in .*\n$/);
  t.equal((await stop(agent)).code, 0);
});

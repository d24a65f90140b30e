import { appendFileSync, chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { GOOD } from '../config/testdata/problems.ts';
import { systemClock } from '../core/clock.ts';
import type { Refusal } from '../core/component.ts';
import { silentLog } from '../core/log.ts';
import { silentMetrics } from '../core/metrics.ts';
import { DeadLetterStore } from '../dead_letters/store.ts';
import { nodeFiles } from '../kit/files.ts';
import { makeBatch } from '../../test/helpers/batches.ts';
import { temporaryDirectory } from '../../test/helpers/temporary_directory.ts';
import { run } from './testdata/run.ts';

const REFUSED: Refusal = { reason: 'refused', detail: 'no such topic', attempts: 1 };
const TOO_LARGE: Refusal = { reason: 'too_large', detail: 'at most 2 MiB', attempts: 2 };

async function startedStore(directory: string): Promise<DeadLetterStore> {
  const store = new DeadLetterStore({
    directory,
    maxBytes: 1e6,
    maxAgeMs: 1e9,
    files: nodeFiles,
    clock: systemClock,
    log: silentLog,
    metrics: silentMetrics,
  });
  await store.start();
  return store;
}

async function putLetters(store: DeadLetterStore): Promise<void> {
  const app = makeBatch(['a', 'b', 'c'], { receiver: 'pipe/app', format: 'app', epoch: 'e' });
  const journal = makeBatch([{ body: 'j', sequence: 9 }], { receiver: 'journald', format: 'journal', epoch: 'e' });
  await store.put(app, [0, 1, 2], 'log-a', REFUSED);
  await store.put(journal, [0], 'log-b', TOO_LARGE);
}

/** A directory with the letters e-0, e-1 and e-2 of `pipe/app` and e-9 of `journald`, and no agent. */
async function stockedDirectory(t: Test): Promise<string> {
  const directory = join(temporaryDirectory(t), 'letters');
  const store = await startedStore(directory);
  await putLetters(store);
  await store.stop();
  return directory;
}

/** Ids of all letters in a directory, in order. */
function idsIn(directory: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.ndjson'));
  const texts = names.sort().map((name) => readFileSync(join(directory, name), 'utf8'));
  return [...texts.join('').matchAll(/"id":"([^"]*)"/g)].map(([, id = '']) => id);
}

void test('ls counts letters by what they have in common, and lists the youngest', async (t) => {
  const directory = await stockedDirectory(t);
  const { code, stdout, stderr } = await run(['deadletter', 'ls', '--directory', directory, '--limit', '2']);
  t.equal(stderr, '');
  t.equal(code, 0);
  t.equal(
    stdout.replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME----------------'),
    `4 dead letters in ${directory} (966 bytes)

letters  reason     destination  receiver
      3  refused    log-a        pipe/app
      1  too_large  log-b        journald

time                  id   reason     destination  attempts  detail
TIME----------------  e-2  refused    log-a               1  no such topic
TIME----------------  e-9  too_large  log-b               2  at most 2 MiB

2 older ones are not shown; --limit shows more
`,
  );
});

void test('ls in JSON is what ls says, for programs', async (t) => {
  const directory = await stockedDirectory(t);
  const { stdout } = await run(['deadletter', 'ls', '--directory', directory, '--reason', 'too_large', '-o', 'json']);
  t.match(JSON.parse(stdout), {
    directory,
    letters: 1,
    bytes: 966,
    groups: [{ reason: 'too_large', destination: 'log-b', receiver: 'journald', letters: 1 }],
    youngest: [{ id: 'e-9', reason: 'too_large', detail: 'at most 2 MiB', attempts: 2, receiver: 'journald', time: /Z$/ }],
    waiting_for_replay: 0,
    unreadable_lines: 0,
  });
});

void test('ls says what it left out, and lets no detail play with the terminal', async (t) => {
  const directory = await stockedDirectory(t);
  const letter = {
    time: '2026-11-20T07:00:00.000000Z',
    reason: 'refused',
    destination: 'log-a',
    attempts: 1,
    detail: '\u001b[2J\u009b\n"x"',
    receiver: 'r',
    line: {},
  };
  writeFileSync(join(directory, '20261120T070000.000000Z.ndjson'), `garbage\n${JSON.stringify(letter)}\n{"torn`);
  const { stdout } = await run(['deadletter', 'ls', '--directory', directory]);
  t.match(stdout, /^5 dead letters/);
  t.match(stdout, '  \\u001b[2J\uFFFD\\n"x"\n');
  t.match(stdout, /1 line in these files is no letter and left alone\n$/);
});

void test('show prints whole letters, and says which ids it did not find', async (t) => {
  const directory = await stockedDirectory(t);
  const { code, stdout, stderr } = await run(['deadletter', 'show', 'e-9', 'e-77', '--directory', directory]);
  t.equal(code, 1);
  t.match(
    stdout,
    /^id {11}e-9\ntime {9}.*Z\nreason {7}too_large\ndetail {7}at most 2 MiB\ndestination {2}log-b\nattempts {5}2\nreceiver {5}journald\nfile {9}.*Z\.ndjson\nline {9}\{"format":"journal","journal":\{"id":"e-9",.*\}\n$/,
  );
  t.match(stderr, /no dead letter in .* has the id e-77\n.*deadletter ls/);

  const json = await run(['deadletter', 'show', 'e-1', 'e-0', '--directory', directory, '-o', 'json']);
  const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.ndjson'));
  t.equal(json.stdout, `${readFileSync(join(directory, name), 'utf8').split('\n').slice(0, 2).join('\n')}\n`, 'as stored');
});

void test('replay moves the chosen letters to where the next agent takes them', async (t) => {
  const directory = await stockedDirectory(t);
  const { stdout } = await run(['deadletter', 'replay', '--directory', directory, '--id', 'e-1', '--id', 'e-9']);
  t.equal(
    stdout,
    '2 letters will be sent again (1 to log-a, 1 to log-b): no agent is running, the next one takes them within seconds\n',
  );
  t.same(idsIn(directory), ['e-0', 'e-2']);
  t.same(idsIn(join(directory, 'replay')).sort(), ['e-1', 'e-9']);
  t.match(await run(['deadletter', 'ls', '--directory', directory]), {
    stdout: /\n2 more letters in .*replay\/ wait to be sent/,
  });
  t.match(await run(['deadletter', 'replay', '--directory', directory, '--id', 'e-77']), {
    stdout: 'no dead letter was chosen\n',
  });
  const all = await run(['deadletter', 'replay', '--directory', directory, '-o', 'json']);
  t.same(JSON.parse(all.stdout), { directory, letters: 2, destinations: { 'log-a': 2 }, agent: 'stopped' });
});

void test('replay and purge work beside a running agent, which loses nothing by it', async (t) => {
  const directory = join(temporaryDirectory(t), 'letters');
  const agent = await startedStore(directory);
  t.teardown(() => agent.stop());
  await putLetters(agent);
  t.match(await run(['deadletter', 'replay', '--directory', directory, '--receiver', 'journald']), {
    stdout: '1 letter will be sent again (to log-b): the agent is running and takes them within seconds\n',
  });
  await putLetters(agent);
  t.match(await run(['deadletter', 'purge', '--directory', directory, '--reason', 'refused']), {
    stdout: '6 dead letters removed\n',
  });
  t.same(idsIn(directory), ['e-9']);
  t.same(idsIn(join(directory, 'replay')), ['e-9']);
});

void test('purge takes a filter or --yes, and nothing by mistake', async (t) => {
  const directory = await stockedDirectory(t);
  const purge = (...args: string[]) => run(['deadletter', 'purge', '--directory', directory, ...args]);
  t.match(await purge(), { code: 1, stderr: /remove every dead letter for good\n.*--yes/ });
  t.match(await purge('--older-than', '1h'), { code: 0, stdout: '0 dead letters removed\n' });
  t.match(await purge('--older-than', '1h', '--until', '1h'), { code: 1, stderr: /give one of them/ });
  t.same(idsIn(directory).length, 4);
  t.match(await purge('--destination', 'log-b'), { stdout: '1 dead letter removed\n' });
  t.match(await purge('--older-than', '0s', '--id', 'e-0'), { stdout: '1 dead letter removed\n' });
  t.same(idsIn(directory), ['e-1', 'e-2']);
  appendFileSync(join(directory, readdirSync(directory).find((name) => name.endsWith('.ndjson')) ?? ''), 'garbage\n');
  const { stdout } = await purge('--yes', '-o', 'json');
  t.same(JSON.parse(stdout), { directory, letters: 2, unreadable_lines: 1 });
  t.same(
    readdirSync(directory).filter((name) => name.endsWith('.ndjson')),
    [],
  );
});

void test('times are given as such or as how long ago, and anything else is an error', async (t) => {
  const directory = await stockedDirectory(t);
  const countOf = async (...args: string[]): Promise<unknown> =>
    JSON.parse((await run(['deadletter', 'ls', '--directory', directory, '-o', 'json', ...args])).stdout).letters;
  t.equal(await countOf('--since', '1h'), 4);
  t.equal(await countOf('--until', '1h'), 0);
  t.equal(await countOf('--since', '2026-01-01', '--until', '2126-01-01T00:00:00+01:00'), 4);
  t.equal(await countOf('--since', 'yesterday', '--until', 'now'), 4);
  for (const text of ['tomorrow', '2026-13-01', '10', '2026-11-20T07:00']) {
    const ran = await run(['deadletter', 'ls', '--directory', directory, '--since', text]);
    t.match(ran, { code: 1, stderr: `--since is neither a time nor a duration: ${text}\n` });
  }
});

void test('the configuration says where the letters are', async (t) => {
  const root = temporaryDirectory(t);
  const file = join(root, 'sluice.yaml');
  writeFileSync(file, `${GOOD}  state_directory: ${root}\n`);
  t.match(await run(['deadletter', 'ls', '-c', file]), {
    code: 1,
    stderr: /no directory .*dead_letters\/logs\n.*so there are no/,
  });
  const store = await startedStore(join(root, 'dead_letters/logs'));
  await putLetters(store);
  await store.stop();
  t.match(await run(['deadletter', 'ls', '-c', file]), { code: 0, stdout: /^4 dead letters in .*dead_letters\/logs / });
  t.match(await run(['deadletter', 'ls', '-c', file, '--pipeline', 'logs']), { code: 0 });
  t.match(await run(['deadletter', 'ls', '-c', file, '--pipeline', 'x']), { code: 1, stderr: /no pipeline x .*\n.*it has logs/ });
  t.match(await run(['deadletter', 'ls', '-c', join(root, 'none.yaml')]), { code: 1, stderr: /there is no such file/ });
});

void test('what is asked for wrongly is said before anything is changed', async (t) => {
  const directory = await stockedDirectory(t);
  t.match(await run(['deadletter', 'replay', '--directory', directory, '-o', 'xml']), {
    code: 1,
    stderr: /choices are text, json/,
  });
  t.match(await run(['deadletter', 'ls', '--directory', directory, '-n', '-3']), { code: 1 });
  t.match(await run(['deadletter', 'ls', '--directory', directory, '-n', 'x']), {
    code: 1,
    stderr: /not a number of letters: x/,
  });
  t.match(await run(['deadletter', 'purge', '--yes', '--directory', join(directory, 'none')]), {
    code: 1,
    stderr: /no directory/,
  });
  t.equal(existsSync(join(directory, 'none')), false);
  t.same(idsIn(directory).length, 4);
});

void test('a directory that is no store of letters is left as it is', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'notes.ndjson'), '{}\n');
  for (const command of [['ls'], ['show', 'e-1'], ['replay'], ['purge', '--yes']]) {
    t.match(await run(['deadletter', ...command, '--directory', directory]), {
      code: 1,
      stderr: /is not a directory of dead letters\n.*leave --directory out/,
    });
  }
  t.same(readdirSync(directory), ['notes.ndjson']);
  t.match(await run(['deadletter', 'ls', '--directory', join(directory, 'notes.ndjson')]), {
    code: 1,
    stderr: /is not a directory of dead letters\n.*is a file/,
  });
});

void test('two commands at once take turns', async (t) => {
  const directory = await stockedDirectory(t);
  const lock = await nodeFiles.lock(join(directory, 'edit.lock'));
  t.match(await run(['deadletter', 'purge', '--yes', '--directory', directory]), {
    code: 1,
    stderr: /another command is at work/,
  });
  await lock?.release();
  t.match(await run(['deadletter', 'purge', '--yes', '--directory', directory]), { code: 0 });
});

void test(
  'another user is told whom to be',
  { skip: process.getuid?.() !== 0 && 'only root can give a directory away' },
  async (t) => {
    const directory = join(temporaryDirectory(t), 'letters');
    mkdirSync(directory);
    writeFileSync(join(directory, 'agent.lock'), '');
    chownSync(directory, 998, 998);
    t.match(await run(['deadletter', 'replay', '--directory', directory]), {
      code: 1,
      stderr: /belong to another user \(uid 998\)\n.*sudo -u '#998' sluice deadletter/,
    });
    t.match(await run(['deadletter', 'ls', '--directory', directory]), { code: 0, stdout: /^no dead letters/ });
  },
);

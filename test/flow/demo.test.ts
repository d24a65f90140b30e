import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { readTopic } from '../helpers/agents.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { waitFor } from '../helpers/wait_for.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');
const DEADLINE_MS = 30_000;

/** A demo under a directory of the test's own. */
class Demo {
  readonly directory: string;
  readonly #child: ChildProcess;
  printed = '';

  constructor(t: Test, directory: string) {
    this.directory = directory;
    const env = { ...process.env, DATACENTER: 'dc-1' };
    const child = spawn(process.execPath, [MAIN, 'demo', '--directory', directory], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.printed += text));
    this.#child = child;
    t.teardown(() => {
      child.kill('SIGKILL');
      for (const pid of this.pids()) process.kill(pid, 'SIGKILL');
    });
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async prints(pattern: RegExp): Promise<void> {
    await waitFor(() => pattern.test(this.printed) || this.#child.exitCode !== null, {
      deadlineMs: DEADLINE_MS,
      what: `the demo to print ${pattern.source}; it has printed\n${this.printed}`,
    });
    if (!pattern.test(this.printed)) throw new Error(`the demo ended without printing ${pattern.source}:\n${this.printed}`);
  }

  /** Its exit code. */
  async ended(): Promise<number | null> {
    await waitFor(() => this.#child.exitCode !== null || this.#child.signalCode !== null, {
      deadlineMs: DEADLINE_MS,
      what: `the demo to end; it has printed\n${this.printed}`,
    });
    return this.#child.exitCode;
  }

  /** The processes that run a configuration of this directory. */
  pids(member = ''): number[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => commandLine(pid).includes(`\0${this.directory}/${member}`) && commandLine(pid).includes('\0run\0'))
      .map(Number);
  }

  writeToPipe(line: string): void {
    execFileSync('sh', ['-c', 'echo "$1" > "$0"', join(this.directory, 'demo.pipe'), line], { timeout: 5000 });
  }

  writeToSocket(line: string): void {
    connect(join(this.directory, 'sluice.sock')).end(`${line}\n`);
  }

  records(receiver: string, topic = 'log') {
    return readTopic({ directory: this.directory, name: receiver }, topic);
  }
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return ''; // it has ended meanwhile
  }
}

const ALL_ACCOUNTED_FOR = /Ledger: .* in = .*; 0 undelivered, 0 unaccounted for\./;

void test('what is written to the pipe and the socket is at both receivers, and at one under its mark while the other is down', async (t) => {
  const directory = temporaryDirectory(t);
  const demo = new Demo(t, directory);
  await demo.prints(/Try in another terminal:[^]*\nin \d/);
  t.match(demo.printed, /The journal is not read: |reads the journal/);
  demo.writeToPipe('by pipe');
  demo.writeToSocket('by socket');
  for (const receiver of ['log-a', 'log-b']) {
    await waitFor(() => demo.records(receiver).length === 2, {
      deadlineMs: DEADLINE_MS,
      what: `${receiver} to have both records`,
    });
    t.match(
      demo.records(receiver).sort((a, b) => String(a.wrapper['message']).localeCompare(String(b.wrapper['message']))),
      ['by pipe', 'by socket'].map((message) => ({
        destination: undefined,
        wrapper: {
          id: /^[0-9a-f]+-\d+$/,
          timestamp: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/,
          host: /./,
          datacenter: 'dc-1',
          dc_state: 'active',
          service: 'demo',
          message,
        },
      })),
    );
  }
  await demo.prints(/\nin [\d,]+ \(.*\) {3}log-a [1-9].* {3}log-b [1-9].* {3}limited 0 {3}waiting 0\n/);

  const second = new Demo(t, directory);
  t.equal(await second.ended(), 1);
  t.match(second.printed, /another demo runs in/);

  const [logA] = demo.pids('log-a.yaml');
  t.ok(logA);
  if (logA !== undefined) process.kill(logA, 'SIGKILL');
  await demo.prints(/log-a has ended \(killed by SIGKILL\): its records go by way of log-b, marked/);
  demo.writeToPipe('while log-a is down');
  await waitFor(
    () => demo.records('log-b', 'dead-letter.log-a.log').some(({ wrapper }) => wrapper['message'] === 'while log-a is down'),
    {
      deadlineMs: DEADLINE_MS,
      what: 'log-b to have the record that was meant for log-a',
    },
  );
  t.equal(demo.records('log-b', 'dead-letter.log-a.log').at(-1)?.destination, 'log-a');

  // As under npm start, where the terminal and npm both pass a wish on; two of one kind might arrive as one.
  demo.signal('SIGINT');
  demo.signal('SIGTERM');
  t.equal(await demo.ended(), 0);
  t.match(demo.printed, ALL_ACCOUNTED_FOR);
  t.same(demo.pids(), [], 'no process is left');
  t.notOk(existsSync(join(directory, 'demo.pipe')), 'no pipe is left for a writer to wait at');
  t.equal(demo.records('log-b').length, 3);
});

void test('a second Ctrl-C ends everything at once', async (t) => {
  const demo = new Demo(t, temporaryDirectory(t));
  await demo.prints(/\nin \d/);
  for (const pid of demo.pids('log-')) process.kill(pid, 'SIGSTOP');
  demo.writeToPipe('which nobody takes');
  await demo.prints(/waiting [1-9].*\n/);
  let isEnded = false;
  const ended = demo.ended().then((code) => {
    isEnded = true;
    return code;
  });
  await waitFor(
    () => {
      demo.signal('SIGINT');
      return isEnded;
    },
    { deadlineMs: 5000, what: 'the demo to end, which takes ten seconds where it waits for its agent' },
  );
  t.equal(await ended, 130);
  await waitFor(() => demo.pids().length === 0, { what: 'its processes to end' });
});

void test('what a demo that was killed has left running is ended by the next one, which ends when its terminal goes', async (t) => {
  const directory = temporaryDirectory(t);
  const killed = new Demo(t, directory);
  await killed.prints(/\nin \d/);
  killed.signal('SIGKILL');
  await killed.ended();
  t.equal(killed.pids().length, 3);
  const next = new Demo(t, directory);
  await next.prints(/Ended 3 processes that an earlier demo/);
  await next.prints(/\nin \d/);
  next.signal('SIGHUP');
  t.equal(await next.ended(), 0);
  t.match(next.printed, ALL_ACCOUNTED_FOR);
  t.same(next.pids(), []);
});

void test('an agent that dies is said to, and the demo does not claim that nothing was lost', async (t) => {
  const demo = new Demo(t, temporaryDirectory(t));
  await demo.prints(/\nin \d/);
  for (const pid of demo.pids('sluice.yaml')) process.kill(pid, 'SIGKILL');
  await demo.prints(/The agent has ended \(killed by SIGKILL\)/);
  demo.writeToPipe('nobody reads this, and yet its writer is not held up');
  demo.signal('SIGTERM');
  t.equal(await demo.ended(), 1);
  t.match(demo.printed, /what it held in memory is lost/);
});

void test('a configuration that was changed for the worse is shown with its line', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'log-a.yaml'), 'receivers:\n  cfjs1: { listen: nowhere }\n');
  const demo = new Demo(t, directory);
  t.equal(await demo.ended(), 1);
  t.match(demo.printed, /log-a\.yaml:2:\d+: receivers\.cfjs1\.listen: must be host:port/);
  t.same(demo.pids(), []);
});

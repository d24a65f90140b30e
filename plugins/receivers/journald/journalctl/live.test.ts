import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../../src/core/ack.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import definition from '../index.ts';
import { startJournald, withoutJournald } from '../testdata/journald.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { withoutSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const ROUNDS = 12;
const LINES_A_ROUND = 500;
const DEADLINE_MS = 20_000;

/** The real one, which writes down its process id before it begins. */
const TRACED_JOURNALCTL = `#!/bin/sh
echo $$ >> "$TRACE"
PATH=\${PATH#*:}
exec journalctl "$@"
`;

/** An environment in which journalctl is traced, and the process ids of its runs so far. */
function trace(root: string) {
  const [bin, file] = [join(root, 'bin'), join(root, 'trace')];
  mkdirSync(bin);
  writeFileSync(join(bin, 'journalctl'), TRACED_JOURNALCTL, { mode: 0o755 });
  const env = { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}`, TRACE: file };
  const pids = (): number[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []);
  return { env, pids };
}

function isRunning(pid: number | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

void test('a real journald is followed through rotations and deaths of journalctl', { skip: withoutJournald }, async (t) => {
  const root = temporaryDirectory(t);
  const stateDirectory = join(root, 'state');
  mkdirSync(stateDirectory);
  const { env, pids } = trace(root);
  const before = { PATH: process.env['PATH'], TRACE: process.env['TRACE'] };
  Object.assign(process.env, { PATH: env.PATH, TRACE: env.TRACE });
  t.teardown(() => {
    process.env['PATH'] = before.PATH;
    delete process.env['TRACE'];
  });
  const journald = await startJournald(join(root, 'journald'));
  t.teardown(() => journald.stop());
  const context = new FakeReceiverContext({ id: 'journald', clock: systemClock, stateDirectory, settleWith: DELIVERED });
  const options = { driver: 'journalctl', directory: journald.directory, start_at: 'beginning' };
  const receiver = definition.create(definition.options.parse(options), context);
  t.teardown(async () => {
    await receiver.stop();
    await receiver.close?.();
  });
  await receiver.start();
  const lines: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const next = Array.from({ length: LINES_A_ROUND }, (_, number) => `line ${round * LINES_A_ROUND + number}`);
    lines.push(...next);
    await journald.write(next.slice(0, LINES_A_ROUND / 2));
    journald.rotate();
    await journald.write(next.slice(LINES_A_ROUND / 2));
    if (round % 4 !== 1) continue;
    const deaths = context.metrics.sum('sluice_journald_journalctl_restarts_total');
    await waitFor(() => isRunning(pids().at(-1)), { what: 'journalctl to run' });
    process.kill(pids().at(-1) ?? 0, 'SIGKILL');
    await waitFor(() => context.metrics.sum('sluice_journald_journalctl_restarts_total') === deaths + 1, {
      what: 'the death to be noticed',
    });
  }
  await waitFor(() => context.bodies.at(-1) === lines.at(-1), { what: 'the last line', deadlineMs: DEADLINE_MS });
  t.same(
    context.bodies.filter((body) => body.startsWith('line ')),
    lines,
    'every line once, in order',
  );
  t.equal(
    new Set(context.emitted.flatMap(({ batch, records }) => records.map(({ sequence }) => `${batch.epoch}-${sequence}`))).size,
    context.records.length,
  );
  t.equal(context.metrics.value('sluice_journald_journalctl_restarts_total', { reason: 'exited' }), 3);
  await receiver.stop();
  t.equal(
    pids().some((pid) => isRunning(pid)),
    false,
  );
});

/** Reads with journalctl until it is killed; says `read` when it has read something, and never has room again after that. */
const AGENT = `
import definition from ${JSON.stringify(join(import.meta.dirname, '../index.ts'))};
import { FakeReceiverContext } from ${JSON.stringify(join(import.meta.dirname, '../../../../test/helpers/contexts.ts'))};
import { systemClock } from ${JSON.stringify(join(import.meta.dirname, '../../../../src/core/clock.ts'))};
const [directory, stateDirectory] = process.argv.slice(2);
const context = new FakeReceiverContext({ id: 'journald', clock: systemClock, stateDirectory });
const receiver = definition.create(definition.options.parse({ driver: 'journalctl', directory, start_at: 'beginning' }), context);
await receiver.start();
const timer = setInterval(() => {
  if (context.records.length === 0) return;
  context.fill();
  clearInterval(timer);
  console.log('read');
}, 5);
`;

for (const [state, entries] of [
  ['idle', 3],
  ['waiting for room', 20_000],
] as const) {
  void test(`a journalctl that is ${state} does not outlive an agent that is killed`, { skip: withoutSystemd }, async (t) => {
    const root = temporaryDirectory(t);
    const directory = join(root, 'journal');
    mkdirSync(directory);
    const writer = new JournalWriter();
    for (let entry = 0; entry < entries; entry++) writer.append(`entry ${entry} ${'x'.repeat(100)}`);
    writer.save(join(directory, 'system.journal'));
    const { env, pids } = trace(root);
    const script = join(root, 'agent.ts');
    writeFileSync(script, AGENT);
    const agent: ChildProcess = spawn(process.execPath, [script, directory, root], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => agent.kill('SIGKILL'));
    let said = '';
    agent.stdout?.on('data', (chunk: Buffer) => (said += String(chunk)));
    await waitFor(() => said === 'read\n', { what: 'the agent to read', deadlineMs: DEADLINE_MS });
    const pid = pids().at(-1);
    t.equal(isRunning(pid), true);
    agent.kill('SIGKILL');
    await waitFor(() => !isRunning(pid), { what: 'journalctl to end', deadlineMs: DEADLINE_MS });
  });
}

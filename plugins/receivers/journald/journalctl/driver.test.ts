import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type Clock, systemClock } from '../../../../src/core/clock.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { Events } from '../events.ts';
import { parseCursor } from '../file/cursor.ts';
import definition from '../index.ts';
import { JournalDirectories } from '../journal/directories.ts';
import { Commits } from '../position/commits.ts';
import { CursorFile } from '../position/cursor_file.ts';
import { Positions } from '../position/positions.ts';
import { cursorText, exported, type FakeRun, fakeJournalctl, SEQNUM_ID } from '../testdata/fake_journalctl.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { JournalctlDriver } from './driver.ts';
import { STALL_MS } from './stall_watch.ts';

const LONGEST_WAIT_MS = 60_000;
const STEP_MS = 500;
const RESTARTS = 'sluice_journald_journalctl_restarts_total';

interface SetUp {
  readonly clock?: Clock;
  readonly reached?: Positions;
  /** What stands at journalctl's place; default the fake one. */
  readonly program?: string;
}

/** A driver whose journalctl does what the runs say, and a directory with journal files for it. */
function setUp(t: Test, runs: readonly FakeRun[], options: SetUp = {}) {
  const root = temporaryDirectory(t);
  const directory = join(root, 'journal');
  mkdirSync(directory);
  const fake = fakeJournalctl(root, runs);
  const { clock = systemClock, reached = new Positions(0), program = fake.path } = options;
  const context = new FakeReceiverContext({ id: 'journald', clock, stateDirectory: root });
  const events = new Events(context);
  const file = new CursorFile(root);
  const positions = reached.copy();
  const commits = new Commits({ file, positions, intervalMs: 1000, clock, events });
  const checked = definition.options.parse({ directory, fields: 'all' });
  const setup = { options: checked, context, events, positions, commits };
  const driver = new JournalctlDriver(setup, new JournalDirectories([directory]), reached, program);
  t.teardown(() => driver.stop());
  return { directory, fake, context, commits, positions, driver };
}

function positionsAt(seqnum: number): Positions {
  const positions = new Positions(0);
  const cursor = parseCursor(cursorText(seqnum));
  if (cursor !== undefined) positions.set(cursor);
  return positions;
}

void test('what journalctl shows is emitted soon, and it is told where to begin', async (t) => {
  const { driver, context, fake, directory } = setUp(t, [{ out: exported(4, 5, 6) }], { reached: positionsAt(4) });
  void driver.run();
  await waitFor(() => context.records.length >= 2, { what: 'the entries' });
  t.same(context.bodies, ['5', '6'], 'an entry that was read before is left out');
  t.match(context.emitted[0]?.batch, { receiver: 'journald', format: 'journal', epoch: `${SEQNUM_ID}.b2b2b2b2` });
  t.same(fake.runs(), [
    [
      '--output=export',
      '--all',
      '--merge',
      '--follow',
      '--no-tail',
      '--no-pager',
      `--directory=${directory}`,
      `--cursor=${cursorText(4)}`,
    ],
  ]);
  t.equal(context.metrics.value('sluice_journald_entries_read_total'), 2);
});

for (const [how, end] of [
  ['with an error', 1],
  ['without one', 0],
  ['by a signal', 'SIGKILL'],
] as const) {
  void test(`a journalctl that ends ${how} is started again behind the last entry that was read`, async (t) => {
    const clock = new VirtualClock();
    // The last entry is cut off, and so it is shown again.
    const runs: FakeRun[] = [
      { out: exported(1, 2, 3).slice(0, -1), end },
      { out: exported(3, 4), end: 1 },
    ];
    const { driver, context, fake } = setUp(t, runs, { clock });
    void driver.run();
    await waitFor(() => context.metrics.value(RESTARTS, { reason: 'exited' }) === 1, { what: 'the end to be noticed' });
    t.same(context.bodies, ['1', '2']);
    t.match(context.log.lines, [
      { level: 'warn', message: /there is no journal/ },
      {
        level: 'warn',
        message: /journalctl has ended/,
        fields: { detail: end === 'SIGKILL' ? 'signal SIGKILL' : `exit code ${end}` },
      },
    ]);
    t.equal(fake.runs().length, 1, 'not at once');
    await clock.run(2000);
    await waitFor(() => context.metrics.value(RESTARTS, { reason: 'exited' }) === 2, { what: 'the second run' });
    t.same(context.bodies, ['1', '2', '3', '4']);
    t.equal(fake.runs()[1]?.at(-1), `--cursor=${cursorText(2)}`);
  });
}

void test('a journalctl that cannot be started is tried again, at growing intervals and at last every minute', async (t) => {
  const clock = new VirtualClock();
  const { driver, context } = setUp(t, [], { clock, program: '/nonexistent/journalctl' });
  const tries = (): number => context.metrics.value(RESTARTS, { reason: 'not_started' }) ?? 0;
  void driver.run();
  await waitFor(() => tries() === 1, { what: 'the first attempt' });
  const waits: number[] = [];
  for (let attempt = 2; attempt <= 12; attempt++) {
    const sinceMs = clock.monotonicMs();
    await waitFor(
      async () => {
        await clock.run(STEP_MS);
        return tries() === attempt;
      },
      { what: `attempt ${attempt}` },
    );
    waits.push(clock.monotonicMs() - sinceMs);
  }
  t.ok(
    waits.every((ms) => ms >= 1000 && ms <= LONGEST_WAIT_MS + 5 * STEP_MS),
    String(waits),
  );
  t.ok((waits[0] ?? Infinity) <= 2000 + 5 * STEP_MS);
  t.ok(Math.max(...waits) > 10_000, String(waits));
  t.ok(new Set(waits).size > 4, 'no two agents keep the same step');
  t.match(context.log.lines.at(-1), { message: /cannot be started/, fields: { detail: 'ENOENT' } });
});

void test('after a minute without trouble the waits are short again', async (t) => {
  const clock = new VirtualClock();
  const deaths: FakeRun[] = Array.from({ length: 8 }, () => ({ end: 1 }));
  const { driver, context, fake } = setUp(t, [...deaths, {}], { clock });
  const ends = (): number => context.metrics.value(RESTARTS, { reason: 'exited' }) ?? 0;
  void driver.run();
  const isIdle = async (): Promise<boolean> => {
    await clock.run(STEP_MS);
    return fake.runs().length === deaths.length + 1;
  };
  await waitFor(isIdle, { what: 'a run that does not end', deadlineMs: 20_000 });
  await clock.run(60_000);
  fake.kill();
  await waitFor(() => ends() === deaths.length + 1, { what: 'its end' });
  const { fields } = context.log.lines.at(-1) ?? {};
  t.ok(Number(fields?.['inSeconds']) <= 2, `it waits ${String(fields?.['inSeconds'])} s`);
  await clock.run(2000);
  await waitFor(() => fake.runs().length === deaths.length + 2, { what: 'the next run' });
});

void test('what is not the export format ends journalctl, and what came before it is good', async (t) => {
  const clock = new VirtualClock();
  const runs: FakeRun[] = [{ out: `${exported(1)}-- No entries --\n` }, { out: exported(2), end: 1 }];
  const { driver, context } = setUp(t, runs, { clock });
  void driver.run();
  await waitFor(() => context.metrics.value(RESTARTS, { reason: 'not_export' }) === 1, { what: 'the end' });
  t.match(context.log.lines.at(-1), {
    message: /does not write the export format/,
    fields: { detail: /does not begin with a name/ },
  });
  await clock.run(2000);
  await waitFor(() => context.records.length === 2, { what: 'the next run' });
  t.same(context.bodies, ['1', '2']);
});

void test('the lag is that of the last entry while there are more, and none as soon as all are read', async (t) => {
  for (const [read, hasLag] of [
    [[1], true],
    [[1, 2], false],
  ] as const) {
    const { driver, context, directory } = setUp(t, [{ out: exported(...read) }]);
    new JournalWriter({ seqnumId: SEQNUM_ID }).append('1', '2').save(join(directory, 'system.journal'));
    void driver.run();
    await waitFor(() => context.records.length === read.length, { what: 'the entries' });
    t.equal(driver.lagSeconds > 0, hasLag);
  }
});

void test('a journalctl that is silent although the journal has grown is started again, once for the same entries', async (t) => {
  const clock = new VirtualClock();
  const { driver, context, fake, directory } = setUp(t, [{}], { clock });
  const journal = new JournalWriter().append('one');
  journal.save(join(directory, 'system.journal'));
  const stalls = (): number => context.metrics.value(RESTARTS, { reason: 'stalled' }) ?? 0;
  void driver.run();
  await waitFor(() => fake.runs().length === 1, { what: 'the first run' });
  await clock.run(STALL_MS - 1);
  t.equal(stalls(), 0);
  await clock.run(5001);
  await waitFor(() => stalls() === 1, { what: 'the silence to be noticed' });
  await clock.run(2000);
  await waitFor(() => fake.runs().length === 2, { what: 'the second run' });
  await clock.run(10 * STALL_MS);
  t.equal(stalls(), 1, 'it does not show that entry, and so be it');
  journal.append('two').save(join(directory, 'system.journal'));
  await clock.run(STALL_MS + 5000);
  await waitFor(() => stalls() === 2, { what: 'the silence to be noticed again' });
});

void test('a journalctl that is silent when there is nothing to read is left alone', async (t) => {
  const clock = new VirtualClock();
  const { driver, context, fake } = setUp(t, [{}], { clock });
  void driver.run();
  await waitFor(() => fake.runs().length === 1, { what: 'the first run' });
  await clock.run(100 * STALL_MS);
  t.equal(context.metrics.sum(RESTARTS), 0);
});

void test('an entry that journalctl ends in again and again is passed over, counted and told', async (t) => {
  const clock = new VirtualClock();
  const ending: FakeRun = { out: exported(2).slice(0, -1), end: 1 };
  const runs: FakeRun[] = [{ out: `${exported(1)}${ending.out}`, end: 1 }, ending, ending, { out: exported(3) }];
  const { driver, context, fake, positions } = setUp(t, runs, { clock });
  void driver.run();
  for (let run = 1; run <= 3; run++) {
    await waitFor(() => context.metrics.value(RESTARTS, { reason: 'exited' }) === run, { what: `run ${run}` });
    await clock.run(10_000);
  }
  await waitFor(() => fake.runs().length === 4, { what: 'the run behind that entry' });
  await waitFor(
    async () => {
      await clock.run(100);
      return context.records.length === 2;
    },
    { what: 'the next entry' },
  );
  t.same(context.bodies, ['1', '3']);
  t.equal(fake.runs()[3]?.at(-1), `--after-cursor=${cursorText(2)}`);
  t.equal(context.metrics.value('sluice_journald_unreadable_objects_total', { reason: 'entry' }), 1);
  t.match(
    context.log.lines.filter(({ level }) => level === 'error'),
    [{ message: /left out/, fields: { cursor: cursorText(2) } }],
  );
  context.settleAll({ kind: 'delivered' });
  t.equal(positions.of(SEQNUM_ID).seqnum, 3);
});

void test('an entry that lacks its cursor is counted, and the others are read', async (t) => {
  const out = `MESSAGE=x\n\n__CURSOR=t=1\nMESSAGE=y\n\n\n${exported(1)}`;
  const { driver, context } = setUp(t, [{ out }]);
  void driver.run();
  await waitFor(() => context.records.length > 0, { what: 'the entry' });
  t.same(context.bodies, ['1']);
  t.equal(context.metrics.value('sluice_journald_unreadable_objects_total', { reason: 'entry' }), 2);
});

void test('while there is no room journalctl waits, and nothing piles up', async (t) => {
  // So small that the pipe takes some of them, be they read or not.
  const entry = exported(1).replace('MESSAGE=1', `MESSAGE=${'x'.repeat(8 * 1024)}`);
  const times = 1024;
  const { driver, context, fake } = setUp(t, [{ out: entry, times }]);
  context.fill();
  void driver.run();
  let written = 0;
  const isStill = async (): Promise<boolean> => {
    written = fake.written();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return written > 0 && fake.written() === written;
  };
  await waitFor(isStill, { what: 'journalctl to wait' });
  t.ok(written < times / 8, `${written} of ${times} were written`);
  t.equal(context.emitted.length, 0);
  context.drain();
  await waitFor(() => fake.written() === times, { what: 'journalctl to go on', deadlineMs: 10_000 });
});

void test('what journalctl says on its standard error is logged, and a flood of it is no harm', async (t) => {
  const { driver, context } = setUp(t, [{ out: exported(1), err: `${'e'.repeat(5000)}\n`, times: 100 }]);
  void driver.run();
  await waitFor(() => context.log.lines.filter(({ message }) => message === 'journalctl says something').length === 100, {
    what: 'the lines',
  });
  t.equal(context.log.lines.at(-1)?.fields['line'], 'e'.repeat(1024));
  await waitFor(() => context.records.length > 0, { what: 'the entry' });
});

void test('stopping ends journalctl, emits what came, and leaves nothing behind', async (t) => {
  const clock = new VirtualClock();
  const { driver, context, fake } = setUp(t, [{ out: exported(1) }], { clock });
  void driver.run();
  await waitFor(() => fake.runs().length === 1, { what: 'the run' });
  await driver.stop();
  await driver.stop();
  t.equal(clock.pendingTimers, 0);
  t.ok(context.records.length <= 1);
  const idle = setUp(t, [{}]);
  await idle.driver.stop();
  t.same(await idle.driver.run(), 'stopped');
  t.same(idle.fake.runs(), []);
});

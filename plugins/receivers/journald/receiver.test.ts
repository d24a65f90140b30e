import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../src/core/ack.ts';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import definition from './index.ts';
import { JournalWriter } from './testdata/journal_writer.ts';
import { temporaryDirectory } from './testdata/temporary.ts';

const POLL_MS = 100;
const COMMIT_MS = 1000;

interface Tap {
  teardown(run: () => unknown): unknown;
}

/** A journal directory, a state directory, and receivers that read the one and keep their place in the other. */
function setUp(t: Tap) {
  const root = temporaryDirectory(t);
  const [directory, stateDirectory] = [join(root, 'journal'), join(root, 'state')];
  for (const path of [directory, stateDirectory]) mkdirSync(path);
  const journal = new JournalWriter();
  const write = (...messages: string[]): void => {
    journal.append(...messages);
    journal.save(join(directory, 'system.journal'));
  };
  write();
  const create = (options: Record<string, unknown> = {}) => {
    const clock = new VirtualClock();
    const context = new FakeReceiverContext({ id: 'journald', clock, stateDirectory });
    const receiver = definition.create(definition.options.parse({ directory, start_at: 'beginning', ...options }), context);
    t.teardown(() => receiver.stop());
    /** Ends as the engine does: what was not settled failed. */
    const end = async (): Promise<void> => {
      await receiver.stop();
      context.settleAll({ kind: 'failed', reason: 'shutdown' });
      await receiver.close?.();
    };
    return { context, clock, receiver, end };
  };
  const cursor = (): string => readFileSync(join(stateDirectory, 'cursor'), 'utf8');
  return { directory, stateDirectory, journal, write, create, cursor };
}

/** What was logged that somebody has to look at. */
function troubles({ log }: FakeReceiverContext) {
  return log.lines.filter(({ level }) => level !== 'info');
}

/** Messages numbered from `first` to `last`. */
function numbered(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `message ${first + index}`);
}

void test('what is stored is read, and then what is written', async (t) => {
  const { write, create, journal } = setUp(t);
  write('one', 'two');
  const { context, receiver, clock } = create();
  await receiver.start();
  await clock.settle();
  t.same(context.bodies, ['one', 'two']);
  write('three');
  await clock.run(POLL_MS);
  t.same(context.bodies, ['one', 'two', 'three']);
  t.match(context.emitted[0]?.batch, { receiver: 'journald', format: 'journal', epoch: journal.seqnumId });
  t.same(
    context.records.map(({ sequence }) => sequence),
    [1, 2, 3],
  );
  t.equal(context.metrics.value('sluice_journald_entries_read_total'), 3);
  t.equal(context.metrics.value('sluice_journald_files'), 1);
  await receiver.stop();
  t.equal(clock.pendingTimers, 0);
});

void test('a large backlog comes in batches, with room asked for before each', async (t) => {
  const { write, create } = setUp(t);
  write(...numbered(1, 10_000));
  const { context, receiver, clock } = create();
  await receiver.start();
  context.fill();
  for (let turn = 0; turn < 20; turn++) await clock.settle();
  const waiting = context.records.length;
  t.ok(waiting < 10_000, `${waiting} were emitted before there was no room`);
  t.ok((context.metrics.value('sluice_journald_lag_seconds') ?? 0) > 0);
  context.drain();
  for (let turn = 0; turn < 20; turn++) await clock.settle();
  t.same(context.bodies, numbered(1, 10_000));
  t.equal(context.metrics.value('sluice_journald_lag_seconds'), 0);
});

void test('after a restart reading goes on exactly where delivery ended', async (t) => {
  const { write, create } = setUp(t);
  write('1', '2');
  const first = create();
  await first.receiver.start();
  await first.clock.settle();
  first.context.settleAll(DELIVERED);
  write('3');
  await first.clock.run(POLL_MS);
  await first.end();
  write('4');
  const second = create();
  await second.receiver.start();
  await second.clock.settle();
  t.same(second.context.bodies, ['3', '4'], 'the third was read and not delivered');
  second.context.settleAll(DELIVERED);
  await second.end();
  const third = create();
  await third.receiver.start();
  await third.clock.settle();
  t.same(third.context.bodies, []);
});

void test('a restart in the middle of a backlog, and of a file, loses and repeats nothing that was delivered', async (t) => {
  const { write, create } = setUp(t);
  write(...numbered(1, 10_000));
  const first = create();
  await first.receiver.start();
  for (let turn = 0; turn < 20; turn++) await first.clock.settle();
  const [batch] = first.context.emitted;
  batch?.batch.settle(DELIVERED);
  await first.end();
  const second = create();
  await second.receiver.start();
  for (let turn = 0; turn < 20; turn++) await second.clock.settle();
  const delivered = batch?.records.length ?? 0;
  t.ok(delivered > 0 && delivered < 10_000);
  t.same(second.context.bodies, numbered(delivered + 1, 10_000));
});

void test('the position does not pass a batch that is not settled', async (t) => {
  const { write, create, cursor } = setUp(t);
  const { context, receiver, clock } = create({ commit_interval: '1s' });
  await receiver.start();
  for (const message of ['1', '2', '3']) {
    write(message);
    await clock.run(POLL_MS);
  }
  const [first, second, third] = context.emitted.map(({ batch }) => batch);
  t.equal(context.emitted.length, 3);
  const savedSeqnum = (): string | undefined => /;i=([0-9a-f]+);/.exec(cursor())?.[1];
  third?.settle(DELIVERED);
  first?.settle({ kind: 'dropped', reason: 'rate_limit' });
  await clock.run(COMMIT_MS);
  await waitFor(() => savedSeqnum() !== undefined, { what: 'a position to be saved' });
  t.equal(savedSeqnum(), '1', 'the second batch is not settled');
  second?.settle(DELIVERED);
  await clock.run(COMMIT_MS);
  await waitFor(() => savedSeqnum() !== '1', { what: 'the position to be saved again' });
  t.equal(savedSeqnum(), '3');
});

void test('where reading began is kept even if nothing came', async (t) => {
  const { write, create } = setUp(t);
  write('before');
  const first = create({ start_at: 'end' });
  await first.receiver.start();
  await first.end();
  write('between');
  const second = create({ start_at: 'end' });
  await second.receiver.start();
  await second.clock.settle();
  t.same(second.context.bodies, ['between']);
});

void test('rotation is followed', async (t) => {
  const { write, create, directory, journal } = setUp(t);
  const { context, receiver, clock } = create();
  await receiver.start();
  write('1');
  await clock.run(POLL_MS);
  journal.append('2').save(join(directory, 'system.journal'));
  journal.archive(join(directory, 'system.journal'), join(directory, 'system@1.journal'));
  new JournalWriter({ firstSeqnum: 3 }).append('3').save(join(directory, 'system.journal'));
  await clock.run(2 * POLL_MS);
  t.same(context.bodies, ['1', '2', '3']);
});

void test('a directory that is configured and missing fails the start, with what to do', async (t) => {
  const { create, directory } = setUp(t);
  rmSync(directory, { recursive: true });
  await t.rejects(create().receiver.start(), { code: 'path_missing', message: /there is no directory/, hint: /directory/ });
  writeFileSync(directory, '');
  await t.rejects(create().receiver.start(), { code: 'path_missing' });
});

void test('a saved position that is none fails the start', async (t) => {
  const { create, stateDirectory } = setUp(t);
  appendFileSync(join(stateDirectory, 'cursor'), 'garbage');
  await t.rejects(create().receiver.start(), { code: 'state_invalid' });
});

const asRoot = process.getuid?.() === 0 ? 'root may read everything' : false;

void test('files that may not be read are reported, and read when they may be', { skip: asRoot }, async (t) => {
  const { write, create, directory } = setUp(t);
  write('1');
  const path = join(directory, 'system.journal');
  chmodSync(path, 0);
  const { context, receiver, clock } = create();
  await receiver.start();
  await clock.run(5000);
  t.same(context.bodies, []);
  t.equal(context.metrics.value('sluice_journald_unreadable_paths'), 1);
  const warnings = troubles(context);
  t.match(warnings, [{ message: `cannot read ${path}`, fields: { reason: 'EACCES', hint: /group systemd-journal/ } }]);
  chmodSync(path, 0o600);
  await clock.run(2000);
  t.same(context.bodies, ['1']);
  t.equal(context.metrics.value('sluice_journald_unreadable_paths'), 0);
});

void test('files that cannot be read are reported once, and read when they can be', async (t) => {
  const { write, create, directory } = setUp(t);
  const path = join(directory, 'other.journal');
  writeFileSync(path, Buffer.alloc(1000, 'x'));
  const { context, receiver, clock } = create();
  await receiver.start();
  write('good');
  await clock.run(5000);
  t.same(context.bodies, ['good']);
  t.equal(context.metrics.value('sluice_journald_unreadable_paths'), 1);
  t.match(
    context.log.lines.filter(({ level }) => level === 'warn'),
    [{ message: `cannot read ${path}`, fields: { reason: /not a journal file/ } }],
  );
  rmSync(path);
  const other = new JournalWriter({ seqnumId: 'cc'.repeat(16) });
  other.append('repaired').save(path);
  await clock.run(2000);
  t.same(context.bodies, ['good', 'repaired']);
  t.equal(context.metrics.value('sluice_journald_unreadable_paths'), 0);
});

void test('where reading begins is said, and the counts of what may be lost are there before anything is', async (t) => {
  const { create, write } = setUp(t);
  write('one');
  const first = create({ start_at: 'end' });
  await first.receiver.start();
  t.match(first.context.log.lines, [{ level: 'info', message: /from now on: no position was saved, and start_at is end/ }]);
  for (const reason of ['vacuumed', 'unreadable']) {
    t.equal(first.context.metrics.value('sluice_journald_lost_entries_total', { reason, unit: '' }), 0, reason);
  }
  await first.end();
  const second = create({ start_at: 'end' });
  await second.receiver.start();
  t.match(second.context.log.lines, [{ message: /from the saved position/, fields: { cursor: /i=1;/ } }]);
});

void test('no journal at all is said once, and one that appears is read', async (t) => {
  const { create, directory } = setUp(t);
  rmSync(join(directory, 'system.journal'));
  const { context, receiver, clock } = create();
  await receiver.start();
  await clock.run(30_000);
  t.match(troubles(context), [{ level: 'warn', message: `there is no journal in ${directory}` }]);
  t.equal(troubles(context).length, 1);
  const machine = join(directory, 'ab'.repeat(16));
  mkdirSync(machine);
  new JournalWriter().append('here').save(join(machine, 'system.journal'));
  await clock.run(2 * POLL_MS);
  t.same(context.bodies, ['here']);
});

void test('damage is counted by its reason, and said once', async (t) => {
  const { create, directory } = setUp(t);
  const fields = [{ name: 'X', value: 'x', compression: 'lz4', stored: Buffer.from('damaged') } as const];
  new JournalWriter({ seqnumId: 'cc'.repeat(16) })
    .append({ fields }, { fields: ['MESSAGE=m'] })
    .save(join(directory, 'a.journal'));
  const { context, receiver, clock } = create({ fields: 'all' });
  await receiver.start();
  await clock.settle();
  t.same(context.bodies, ['', 'm']);
  t.equal(context.metrics.value('sluice_journald_unreadable_objects_total', { reason: 'lz4' }), 1);
  t.match(troubles(context), [{ message: /cannot be read/, fields: { reason: 'lz4', path: join(directory, 'a.journal') } }]);
  t.equal(troubles(context).length, 1);
});

void test('a position that cannot be saved is reported, and saved when it can be', async (t) => {
  const { write, create, stateDirectory, cursor } = setUp(t);
  write('1');
  const obstacle = join(stateDirectory, 'cursor.new');
  mkdirSync(obstacle);
  const { context, receiver, clock } = create();
  await receiver.start();
  await clock.settle();
  t.match(troubles(context), [{ level: 'error', message: /cannot save the position/ }]);
  t.equal(context.metrics.value('sluice_journald_cursor_save_failures_total'), 1);
  context.settleAll(DELIVERED);
  rmSync(obstacle, { recursive: true });
  await clock.run(COMMIT_MS);
  await waitFor(() => /can be saved again/.test(context.log.lines.at(-1)?.message ?? ''), { what: 'the position to be saved' });
  t.match(cursor(), /;i=1;/);
  t.match(context.log.lines.at(-1)?.message, /can be saved again/);
});

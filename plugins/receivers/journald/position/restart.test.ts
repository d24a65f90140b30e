import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../../src/core/ack.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { JournalFile } from '../file/journal_file.ts';
import definition from '../index.ts';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const [BOOT, NEXT_BOOT] = ['b0'.repeat(16), 'b1'.repeat(16)];
const START = 1_700_000_000_000_000;

interface Tap {
  teardown(run: () => unknown): unknown;
}

/** Entries `first` to `last`, which say their numbers, each a second behind the one before. */
function entries(first: number, last: number, bootId = BOOT, text = ''): EntrySpec[] {
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const seqnum = first + index;
    return { seqnum, bootId, realtime: START + seqnum * 1_000_000, fields: [`MESSAGE=${text}${seqnum}`] };
  });
}

/** A journal, and receivers that read it one after the other and keep their place in one file. */
function setUp(t: Tap) {
  const root = temporaryDirectory(t);
  const [directory, stateDirectory] = [join(root, 'journal'), join(root, 'state')];
  for (const path of [directory, stateDirectory]) mkdirSync(path);
  const cursorPath = join(stateDirectory, 'cursor');
  const write = (name: string, specs: readonly EntrySpec[], seqnumId?: string): void => {
    const path = join(directory, `${name}.journal`);
    rmSync(path, { force: true });
    new JournalWriter(seqnumId === undefined ? {} : { seqnumId }).append(...specs).save(path);
  };
  /** Starts a receiver, delivers what it reads, and ends it. */
  const live = async (options: Record<string, unknown> = {}, forMs = 0) => {
    const clock = new VirtualClock();
    const context = new FakeReceiverContext({ id: 'journald', clock, stateDirectory });
    const receiver = definition.create(definition.options.parse({ directory, start_at: 'beginning', ...options }), context);
    t.teardown(() => receiver.stop());
    await receiver.start();
    for (let turn = 0; turn < 5; turn++) await clock.settle();
    for (let ms = 0; ms < forMs; ms += 1000) await clock.run(1000);
    context.settleAll(DELIVERED);
    await receiver.stop();
    await receiver.close?.();
    const ids = context.emitted.flatMap(({ batch, records }) => records.map(({ sequence }) => `${batch.epoch}-${sequence}`));
    const count = (metric: string, labels = {}): number => context.metrics.value(`sluice_journald_${metric}`, labels) ?? 0;
    return { read: context.bodies, ids, count, warnings: context.log.lines.filter(({ level }) => level === 'warn') };
  };
  return { directory, write, live, cursorPath };
}

const VACUUMED = { reason: 'vacuumed', unit: '' };

const READ_AGAIN: readonly (readonly [action: string, read: readonly string[], counts: readonly number[]])[] = [
  ['nearest', ['10', '11'], [0, 0]],
  ['oldest', ['10', '11'], [0, 0]],
  ['newest', [], [2, 0]],
];

for (const [action, read, [skipped, repeated]] of READ_AGAIN) {
  void test(`on_stale_cursor: ${action}, where all that was read and more was vacuumed`, async (t) => {
    const { write, live } = setUp(t);
    write('system', entries(1, 5));
    t.equal((await live()).read.length, 5);
    write('system', entries(10, 11));
    const second = await live({ on_stale_cursor: action });
    t.same(second.read, read);
    t.same([second.count('skipped_entries_total'), second.count('repeated_entries_total')], [skipped, repeated]);
    t.equal(second.count('stale_cursor_total', { action }), 1);
    t.match(second.warnings[0], {
      message: /^cannot go on at the saved position: its entry is gone; going on /,
      fields: { cursor: /;i=5;/, journal: 'entries 10 to 11', missing: 'at most 4' },
    });
    const third = await live({ on_stale_cursor: action });
    t.same([third.read, third.warnings], [[], []], 'and it is over');
  });
}

void test('what was vacuumed unread is counted as lost, once', async (t) => {
  const { write, live } = setUp(t);
  write('system', entries(1, 5));
  await live();
  write('system', entries(10, 11));
  // A hole is believed in when several looks have not filled it.
  const lost = async (): Promise<number> => (await live({}, 60_000)).count('lost_entries_total', VACUUMED);
  t.equal(await lost(), 4);
  t.equal(await lost(), 0);
});

void test('on_stale_cursor: oldest reads again what is still there', async (t) => {
  const { write, live } = setUp(t);
  write('1', entries(1, 3));
  write('2', entries(4, 6));
  await live();
  write('2', entries(8, 9));
  const { read, count } = await live({ on_stale_cursor: 'oldest' });
  t.same(read, ['1', '2', '3', '8', '9']);
  t.equal(count('repeated_entries_total'), 3);
});

void test('on_stale_cursor: fail fails the start and leaves the position as it is', async (t) => {
  const { write, live, cursorPath } = setUp(t);
  write('system', entries(1, 5));
  await live();
  const saved = readFileSync(cursorPath, 'utf8');
  write('system', entries(10, 11));
  await t.rejects(live({ on_stale_cursor: 'fail' }), { code: 'state_invalid', hint: /on_stale_cursor/ });
  t.equal(readFileSync(cursorPath, 'utf8'), saved);
  rmSync(cursorPath);
  t.same((await live({ on_stale_cursor: 'fail' })).read, ['10', '11'], 'as the hint says');
});

void test('where the journal is gone, what is there instead is read from where it would have been the first time', async (t) => {
  const { write, live, directory } = setUp(t);
  write('system', entries(1, 5));
  await live();
  rmSync(join(directory, 'system.journal'));
  // A volatile journal of a machine without a clock of its own, which begins a boot with a time that is over.
  write('other', entries(3, 8, NEXT_BOOT), 'cc'.repeat(16));
  const { read, warnings } = await live();
  t.same(read, ['3', '4', '5', '6', '7', '8']);
  t.match(warnings[0], { message: /its journal is gone; going on with the nearest later entry/, fields: { missing: 'unknown' } });
});

void test('a file that could not be seen before a restart is read from its first entry on', async (t) => {
  const { write, live } = setUp(t);
  write('system', entries(1, 20));
  t.equal((await live()).read.length, 20);
  write('user-1000', entries(5, 7, BOOT, 'user '), 'cc'.repeat(16));
  t.same((await live()).read, ['user 5', 'user 6', 'user 7'], 'although later entries of another file were delivered');
  t.same((await live()).read, []);
});

void test('a position that an operator wrote is gone on behind', async (t) => {
  const { directory, write, live, cursorPath } = setUp(t);
  write('system', entries(1, 5));
  await live();
  const file = new JournalFile(join(directory, 'system.journal'), () => {});
  file.seekBehindSeqnum(2);
  file.advance();
  writeFileSync(cursorPath, `${file.cursorAt(file.entryOffset)?.text}\n`);
  file.close();
  t.same((await live({ on_stale_cursor: 'fail' })).read, ['4', '5']);
  writeFileSync(cursorPath, `t=${(START + 3_500_000).toString(16)}\n`);
  const byTime = await live({ on_stale_cursor: 'fail' });
  t.same([byTime.read, byTime.warnings], [['4', '5'], []]);
});

void test('after a power cut, what has the numbers of what was read is read too, under other ids', async (t) => {
  const { write, live } = setUp(t);
  write('system', entries(1, 12));
  const first = await live();
  t.equal(first.read.length, 12);
  // Entries 8 to 12 had not come to the disk.
  write('system@1', entries(1, 7));
  write('system', entries(8, 20, NEXT_BOOT, 'new '));
  const second = await live();
  t.same(
    second.read,
    entries(8, 20).map(({ seqnum }) => `new ${seqnum}`),
  );
  t.equal(new Set([...first.ids, ...second.ids]).size, 12 + 13);
  t.equal(second.count('lost_entries_total', VACUUMED), 0);
  t.same((await live()).read, []);
});

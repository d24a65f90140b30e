/** What the receiver does of what the reader asks for: time, positions and metrics. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../../src/core/ack.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import definition from '../index.ts';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const START = 1_700_000_000_000_000;

interface Tap {
  teardown(run: () => unknown): unknown;
}

function setUp(t: Tap, given: Record<string, unknown>) {
  const root = temporaryDirectory(t);
  const [directory, stateDirectory] = [join(root, 'journal'), join(root, 'state')];
  for (const path of [directory, stateDirectory]) mkdirSync(path);
  const journal = new JournalWriter();
  const write = (...entries: readonly (EntrySpec | string)[]): void => {
    journal.append(...entries).save(join(directory, 'system.journal'));
  };
  write();
  const create = () => {
    const clock = new VirtualClock();
    const context = new FakeReceiverContext({ id: 'journald', clock, stateDirectory });
    const receiver = definition.create(definition.options.parse({ directory, start_at: 'beginning', ...given }), context);
    t.teardown(() => receiver.stop());
    return { clock, context, receiver };
  };
  /** Resolves when the first line of the saved cursors is of that entry. */
  const saved = (seqnum: number): Promise<void> =>
    waitFor(
      () => readFileSync(join(stateDirectory, 'cursor'), 'utf8').startsWith(`s=${journal.seqnumId};i=${seqnum.toString(16)};`),
      {
        what: `the position behind entry ${seqnum}`,
      },
    );
  return { write, create, saved };
}

const PART: EntrySpec = { realtime: START, fields: ['MESSAGE=one', '_STREAM_ID=a', '_LINE_BREAK=line-max'] };
const END: EntrySpec = { realtime: START, fields: ['MESSAGE= two', '_STREAM_ID=a'] };

void test('a line whose end does not come is shipped after a second, however seldom the journal is looked at', async (t) => {
  const { write, create, saved } = setUp(t, { poll_interval: '1m', commit_interval: '100ms' });
  write({ realtime: START, fields: ['MESSAGE=before'] }, PART, { realtime: START, fields: ['MESSAGE=other'] });
  const { clock, context, receiver } = create();
  await receiver.start();
  await clock.run(990);
  t.same(context.bodies, ['before', 'other']);
  context.settleAll(DELIVERED);
  await clock.run(200);
  t.same(context.bodies, ['before', 'other', 'one']);
  t.equal(context.records[2]?.partial, true);
  // The line would be read again.
  await saved(1);
  context.settleAll(DELIVERED);
  await clock.run(200);
  await saved(3);
});

void test('a restart in the middle of a line reads it again from its beginning', async (t) => {
  const { write, create } = setUp(t, {});
  write({ realtime: START, fields: ['MESSAGE=before'] }, PART);
  const first = create();
  await first.receiver.start();
  await first.clock.settle();
  first.context.settleAll(DELIVERED);
  await first.receiver.stop();
  await first.receiver.close?.();
  write(END);
  const second = create();
  await second.receiver.start();
  await second.clock.settle();
  t.same([...first.context.bodies, ...second.context.bodies], ['before', 'one two']);
});

void test('entries that are left out are counted, and the position passes them', async (t) => {
  const { write, create, saved } = setUp(t, { include: { units: ['web'] }, commit_interval: '100ms' });
  write(...Array.from({ length: 20_000 }, (_, number) => ({ fields: [`MESSAGE=${number}`, '_SYSTEMD_UNIT=db.service'] })));
  const { clock, context, receiver } = create();
  await receiver.start();
  for (let turn = 0; turn < 10; turn++) await clock.settle();
  await clock.run(500);
  t.same(context.bodies, []);
  t.equal(context.metrics.value('sluice_journald_entries_filtered_total'), 20_000);
  await saved(20_000);
  t.equal(context.metrics.value('sluice_journald_lag_seconds'), 0);
});

void test('messages that journald dropped are a metric by unit', async (t) => {
  const { write, create } = setUp(t, {});
  const message = 'MESSAGE=Suppressed 17 messages from web.service';
  write({ fields: ['MESSAGE_ID=a596d6fe7bfa4994828e72309e95d61e', '_TRANSPORT=driver', 'N_DROPPED=17', message] });
  const { clock, context, receiver } = create();
  await receiver.start();
  await clock.settle();
  t.equal(context.metrics.value('sluice_journald_lost_entries_total', { reason: 'suppressed', unit: 'web.service' }), 17);
  t.equal(context.records.length, 1);
  await receiver.stop();
  await receiver.close?.();
  t.equal(clock.pendingTimers, 0, 'and nothing waits to be told');
});

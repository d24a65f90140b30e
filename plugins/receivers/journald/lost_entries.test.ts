import { test } from 'tap';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { LostEntries } from './lost_entries.ts';

function setUp() {
  const clock = new VirtualClock();
  const context = new FakeReceiverContext({ clock });
  return { clock, context, lost: new LostEntries(context) };
}

void test('losses are counted by reason, and suppressed entries by unit', async (t) => {
  const { context, lost } = setUp();
  lost.add('vacuumed', 3);
  lost.add('vacuumed', 4);
  lost.add('unreadable', 0);
  lost.add('suppressed', 5, 'nginx.service');
  const count = (reason: string, unit: string): unknown =>
    context.metrics.value('sluice_journald_lost_entries_total', { reason, unit });
  t.equal(count('vacuumed', ''), 7);
  t.equal(count('suppressed', 'nginx.service'), 5);
  t.equal(context.log.lines.length, 2, 'nothing is no loss');
});

void test('the first loss is told of at once, later ones of the same reason once a minute with their number', async (t) => {
  const { clock, context, lost } = setUp();
  for (let second = 0; second <= 60; second++) {
    lost.add('vacuumed', 2);
    if (second === 30) lost.add('unreadable', 1);
    clock.advance(1000);
  }
  t.match(context.log.lines, [
    { level: 'warn', fields: { count: 2 } },
    { level: 'warn', message: /damaged/, fields: { count: 1 } },
    { level: 'warn', message: /removed before/, fields: { count: 120 } },
  ]);
  t.equal(context.log.lines.length, 3);
});

void test('units do not fill the memory', async (t) => {
  const { context, lost } = setUp();
  for (let number = 0; number < 1000; number++) lost.add('suppressed', 1, `run-${number}.service`);
  lost.add('suppressed', 1, 'run-0.service');
  const count = (unit: string): unknown =>
    context.metrics.value('sluice_journald_lost_entries_total', { reason: 'suppressed', unit });
  t.equal(count('_other'), 744);
  t.equal(count('run-0.service'), 2);
});

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
  for (let second = 0; second < 60; second++) {
    lost.add('vacuumed', 2);
    if (second === 30) lost.add('unreadable', 1);
    clock.advance(1000);
  }
  t.match(context.log.lines, [
    { level: 'warn', fields: { count: 2 } },
    { level: 'warn', message: /damaged/, fields: { count: 1 } },
    { level: 'warn', message: /removed before/, fields: { count: 118 } },
  ]);
  t.equal(context.log.lines.length, 3);
});

void test('what was lost within the minute is told of when it is over, also where nothing is lost after it', async (t) => {
  const { clock, context, lost } = setUp();
  for (const [count, unit] of [
    [1, 'a.service'],
    [2, 'b.service'],
    [3, 'c.service'],
  ] as const) {
    lost.add('suppressed', count, unit);
  }
  clock.advance(59_999);
  t.equal(context.log.lines.length, 1);
  clock.advance(1);
  t.match(context.log.lines[1], { fields: { count: 5, latestUnit: 'c.service' } });
  clock.advance(60_000);
  t.equal(context.log.lines.length, 2, 'nothing was lost since');
  t.equal(clock.pendingTimers, 0);
  lost.add('suppressed', 7, 'a.service');
  t.match(context.log.lines[2], { fields: { count: 7 } }, 'and the next one is told of at once again');
});

void test('nothing is left untold in the end', async (t) => {
  const { clock, context, lost } = setUp();
  lost.add('vacuumed', 1);
  lost.add('vacuumed', 2);
  lost.add('unreadable', 3);
  lost.close();
  t.match(context.log.lines[2], { message: /removed before/, fields: { count: 2 } });
  t.equal(context.log.lines.length, 3);
  t.equal(clock.pendingTimers, 0);
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

import { test } from 'tap';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { Alarm } from './alarm.ts';

/** An alarm, and how often a wait of it has ended. */
function setUp() {
  const clock = new VirtualClock();
  const alarm = new Alarm(clock);
  let ended = 0;
  const wait = (delayMs: number, soonMs: number): void => void alarm.wait(delayMs, soonMs).then(() => (ended += 1));
  return { clock, alarm, wait, ended: () => ended };
}

void test('a wait takes its time, and is cut short by a ring', async (t) => {
  const { clock, alarm, wait, ended } = setUp();
  wait(1000, 10);
  await clock.run(999);
  t.equal(ended(), 0);
  await clock.run(1);
  t.equal(ended(), 1);
  wait(1000, 10);
  await clock.run(500);
  alarm.ring();
  await clock.run(9);
  alarm.ring();
  t.equal(ended(), 1, 'a second ring does not put it off');
  await clock.run(1);
  t.equal(ended(), 2);
  t.equal(clock.pendingTimers, 0);
});

void test('a ring that nobody waits for cuts the next wait short, and only that', async (t) => {
  const { clock, alarm, wait, ended } = setUp();
  alarm.ring();
  alarm.ring();
  wait(1000, 10);
  await clock.run(10);
  t.equal(ended(), 1);
  wait(1000, 10);
  await clock.run(999);
  t.equal(ended(), 1);
  await clock.run(1);
  alarm.ring();
  wait(1000, 0);
  await clock.settle();
  t.equal(ended(), 3, 'at once, where nothing else is to be waited for');
  t.equal(clock.pendingTimers, 0);
});

void test('switched off, it ends the wait and every later one', async (t) => {
  const { clock, alarm, wait, ended } = setUp();
  wait(1000, 10);
  alarm.switchOff();
  wait(1000, 10);
  await clock.settle();
  t.equal(ended(), 2);
  t.equal(clock.pendingTimers, 0);
});

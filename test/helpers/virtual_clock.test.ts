import { test } from 'tap';
import { sleep } from '../../src/core/clock.ts';
import { VirtualClock } from './virtual_clock.ts';

void test('time stands still until it is advanced, and the wall clock moves with it', async (t) => {
  const clock = new VirtualClock(5_000_000);
  t.equal(clock.monotonicMs(), 0);
  clock.advance(1.5);
  t.equal(clock.monotonicMs(), 1.5);
  t.equal(clock.wallMicros(), 5_001_500);
});

void test('timers run at their own time, in the order in which they are due, then in which they were set', async (t) => {
  const clock = new VirtualClock();
  const ran: string[] = [];
  const note = (name: string) => () => ran.push(`${name}@${clock.monotonicMs()}`);
  clock.after(20, note('late'));
  clock.after(10, note('first'));
  clock.after(10, note('second'));
  clock.after(31, note('not yet'));
  clock.advance(30);
  t.same(ran, ['first@10', 'second@10', 'late@20']);
  t.equal(clock.monotonicMs(), 30);
  t.equal(clock.pendingTimers, 1);
});

void test('a timer that a timer sets runs in the same advance when it falls due in it', async (t) => {
  const clock = new VirtualClock();
  const ticks: number[] = [];
  const tick = (): void => {
    ticks.push(clock.monotonicMs());
    clock.after(10, tick);
  };
  clock.after(10, tick);
  clock.advance(35);
  t.same(ticks, [10, 20, 30]);
});

void test('a cancelled timer does not run, and cancelling one that has run does nothing', async (t) => {
  const clock = new VirtualClock();
  let runs = 0;
  const cancelled = clock.after(1, () => (runs += 10));
  const kept = clock.after(1, () => (runs += 1));
  cancelled.cancel();
  cancelled.cancel();
  clock.advance(1);
  kept.cancel();
  t.equal(runs, 1);
  t.equal(clock.pendingTimers, 0);
});

void test('run lets code that awaits between its sleeps go on at the right times', async (t) => {
  const clock = new VirtualClock();
  const woke: number[] = [];
  const sleeper = (async () => {
    for (let round = 0; round < 3; round++) {
      await sleep(clock, 100);
      woke.push(clock.monotonicMs());
    }
  })();
  await clock.run(250);
  t.same(woke, [100, 200]);
  await clock.run(50);
  t.same(woke, [100, 200, 300]);
  await sleeper;
});

void test('setting the wall clock back leaves monotonic time and timers alone', async (t) => {
  const clock = new VirtualClock();
  let ran = false;
  clock.after(10, () => (ran = true));
  clock.advance(5);
  clock.setWallMicros(1_000_000);
  t.equal(clock.wallMicros(), 1_000_000);
  t.equal(clock.monotonicMs(), 5);
  clock.advance(5);
  t.equal(ran, true);
  t.equal(clock.wallMicros(), 1_005_000);
});

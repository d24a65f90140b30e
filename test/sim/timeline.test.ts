import { test } from 'tap';
import { Timeline } from './timeline.ts';

void test('events happen at their time, in the order in which they are due, then in which they were planned', async (t) => {
  const timeline = new Timeline();
  const happened: string[] = [];
  const note = (name: string) => () => happened.push(`${name}@${timeline.nowMs}`);
  for (const delayMs of [30, 10, 20, 10, 40]) timeline.after(delayMs, note(`planned for ${delayMs}`));
  timeline.after(10, note('last at 10'));
  t.equal(await timeline.advance(35), false);
  t.same(happened, ['planned for 10@10', 'planned for 10@10', 'last at 10@10', 'planned for 20@20', 'planned for 30@30']);
  t.equal(timeline.nowMs, 35);
});

void test('between two events everything runs that waits for promises or ticks', async (t) => {
  const timeline = new Timeline();
  const happened: string[] = [];
  timeline.after(1, () => {
    process.nextTick(() => {
      void Promise.resolve()
        .then(() => process.nextTick(() => void Promise.resolve().then(() => happened.push('end of the chain'))))
        .then(() => happened.push('promise'));
    });
  });
  timeline.after(1, () => happened.push('next event'));
  await timeline.advance(1);
  t.same(happened, ['promise', 'end of the chain', 'next event']);
});

void test('a cancelled event does not happen, and time stops where it is asked to', async (t) => {
  const timeline = new Timeline();
  const happened: number[] = [];
  timeline.after(1, () => happened.push(1)).cancel();
  timeline.after(2, () => happened.push(2));
  timeline.after(3, () => happened.push(3));
  t.equal(await timeline.advance(10, () => happened.length > 0), true);
  t.same(happened, [2]);
  t.equal(timeline.nowMs, 2);
});

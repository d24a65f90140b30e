import { test } from 'tap';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { RepeatLimit } from './repeat_limit.ts';

void test('ten of a kind pass in a minute, and the first of the next minute tells how many did not', async (t) => {
  const clock = new VirtualClock();
  const limit = new RepeatLimit(clock);
  const admitted = Array.from({ length: 12 }, () => limit.admit('a'));
  t.same(admitted, [...Array.from({ length: 10 }, () => 0), undefined, undefined]);
  clock.advance(59_999);
  t.equal(limit.admit('a'), undefined);
  clock.advance(1);
  t.equal(limit.admit('a'), 3);
  t.equal(limit.admit('a'), 0);
});

void test('the kinds that are remembered are bounded: the oldest is forgotten for a new one', async (t) => {
  const limit = new RepeatLimit(new VirtualClock());
  for (let n = 0; n < 11; n++) limit.admit('first');
  for (let n = 0; n < 999; n++) limit.admit(`other ${n}`);
  t.equal(limit.admit('first'), undefined, 'a thousand kinds are remembered');
  limit.admit('one more');
  t.equal(limit.admit('first'), 0);
});

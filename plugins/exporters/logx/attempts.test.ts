import { test } from 'tap';
import { Attempts } from './attempts.ts';

void test('attempts are counted until the delivery is settled', (t) => {
  const attempts = new Attempts();
  t.equal(attempts.of(7), 0);
  for (const position of [7, 8, 7]) attempts.sentInVain(position);
  t.same([attempts.of(7), attempts.of(8)], [2, 1]);
  attempts.forget(7);
  t.same([attempts.of(7), attempts.of(8)], [0, 1]);
  attempts.clear();
  t.equal(attempts.of(8), 0);
  t.end();
});

void test('of too many deliveries the oldest are forgotten', (t) => {
  const attempts = new Attempts();
  for (let position = 0; position < 65_537; position++) attempts.sentInVain(position);
  t.same([attempts.of(0), attempts.of(1), attempts.of(65_536)], [0, 1, 1]);
  t.end();
});

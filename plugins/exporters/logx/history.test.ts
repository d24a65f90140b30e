import { test } from 'tap';
import { History } from './history.ts';

void test('attempts are counted until the delivery is settled', (t) => {
  const history = new History();
  t.equal(history.attempts(7), 0);
  history.sentInVain(7);
  history.sentInVain(7);
  t.same([history.attempts(7), history.remains(7)], [2, undefined]);
  history.forget(7);
  t.equal(history.attempts(7), 0);
  t.end();
});

void test('what remains of a delivery is kept with its attempts', (t) => {
  const history = new History();
  const remains = { ranges: [{ first: 3, count: 2 }], refused: [] };
  history.keep(7, remains, 5);
  history.sentInVain(7);
  t.same([history.remains(7), history.attempts(7)], [remains, 6]);
  history.clear();
  t.same([history.remains(7), history.attempts(7)], [undefined, 0]);
  t.end();
});

void test('of too many deliveries the oldest are forgotten', (t) => {
  const history = new History();
  for (let position = 0; position < 65_537; position++) history.sentInVain(position);
  t.same([history.attempts(0), history.attempts(1), history.attempts(65_536)], [0, 1, 1]);
  t.end();
});

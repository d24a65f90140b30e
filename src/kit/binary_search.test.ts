import { test } from 'tap';
import { firstNotBefore } from './binary_search.ts';

void test('the first of a sorted list that is not before something is found', async (t) => {
  const list = [1, 3, 3, 7];
  for (const [value, index] of [
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 3],
    [7, 3],
    [8, 4],
  ] as const) {
    t.equal(firstNotBefore(list.length, (at) => (list[at] ?? 0) < value), index, `${value}`); // prettier-ignore
  }
  t.equal(firstNotBefore(0, () => true), 0); // prettier-ignore
});

import fc from 'fast-check';
import { test } from 'tap';
import { DELIVERED, type Outcome } from '../../../../src/core/ack.ts';
import { SettledPrefix } from './settled_prefix.ts';

function prefix() {
  const passed: number[] = [];
  const failures: string[] = [];
  const followed = new SettledPrefix<number>({
    advance: (position) => passed.push(position),
    fail: (reason) => failures.push(reason),
    merge: (known, later) => (known % 2 === later % 2 ? Math.max(known, later) : undefined),
  });
  return { passed, failures, followed };
}

void test('a position counts when its batch and all before it are settled', async (t) => {
  const { passed, followed } = prefix();
  const [first, second, third] = [1, 2, 3].map((position) => followed.add(position));
  second?.(DELIVERED);
  t.same(passed, []);
  first?.({ kind: 'dropped', reason: 'rate_limit' });
  t.same(passed, [1, 2]);
  third?.({ kind: 'rejected', reason: 'malformed' });
  t.same(passed, [1, 2, 3]);
  t.equal(followed.size, 0);
});

void test('nothing behind a batch that failed counts, what is before it does', async (t) => {
  const { passed, failures, followed } = prefix();
  const [first, second, third] = [1, 2, 3].map((position) => followed.add(position));
  third?.(DELIVERED);
  second?.({ kind: 'failed', reason: 'shutdown' });
  t.same(passed, []);
  first?.(DELIVERED);
  followed.add(4)(DELIVERED);
  followed.add(5)({ kind: 'failed', reason: 'again' });
  t.same(passed, [1]);
  t.same(failures, ['shutdown'], 'reported once');
  t.equal(followed.size, 0, 'and nothing is kept for it');
});

void test('what was passed counts when all batches before it are settled, of each line what is furthest', async (t) => {
  const { passed, followed } = prefix();
  followed.pass(0);
  t.same(passed, [0], 'there is nothing before it');
  const settle = followed.add(2);
  for (const position of [4, 5, 6, 7, 8, 3]) followed.pass(position);
  t.equal(followed.size, 2);
  t.same(passed, [0]);
  settle(DELIVERED);
  t.same(passed, [0, 2, 8, 7]);
  t.equal(followed.size, 0);
});

void test('what was passed behind a batch that is settled already takes the place of its position', async (t) => {
  const { passed, followed } = prefix();
  const [first, second] = [1, 3].map((position) => followed.add(position));
  second?.(DELIVERED);
  followed.pass(5);
  t.equal(followed.size, 2);
  first?.(DELIVERED);
  t.same(passed, [1, 5]);
});

void test('what was passed behind a batch that failed does not count', async (t) => {
  const { passed, followed } = prefix();
  const settle = followed.add(1);
  followed.pass(2);
  settle({ kind: 'failed', reason: 'shutdown' });
  followed.pass(3);
  t.same(passed, []);
  t.equal(followed.size, 0);
});

void test('a batch without a position holds back what comes behind it, and moves nothing', async (t) => {
  const { passed, followed } = prefix();
  const settle = followed.add(undefined);
  followed.pass(2);
  t.same(passed, []);
  settle(DELIVERED);
  t.same(passed, [2]);
});

void test('in whatever order batches are settled, the prefix is the longest without a gap', async (t) => {
  const outcome = fc.constantFrom<Outcome['kind']>('delivered', 'dropped', 'rejected', 'failed');
  const steps = fc.array(fc.record({ outcome, order: fc.double({ noNaN: true }) }), { maxLength: 40 });
  const property = fc.property(steps, fc.nat(40), (batches, settledCount) => {
    const { passed, followed } = prefix();
    const settle = batches.map((_, position) => followed.add(position));
    const order = batches.map(({ order }, position) => ({ order, position })).toSorted((a, b) => a.order - b.order);
    const settled = order.slice(0, settledCount).map(({ position }) => position);
    for (const position of settled) settle[position]?.({ kind: batches[position]?.outcome ?? 'delivered', reason: 'test' });
    const isGood = (position: number): boolean => settled.includes(position) && batches[position]?.outcome !== 'failed';
    const end = batches.findIndex((_, position) => !isGood(position));
    const expected = batches.map((_, position) => position).slice(0, end < 0 ? batches.length : end);
    return passed.join() === expected.join();
  });
  t.doesNotThrow(() => fc.assert(property));
});

import fc from 'fast-check';
import { test } from 'tap';
import { MAX_HOLE, SequenceSet } from './sequence_set.ts';

function open(maxWidth = 1000, maxRuns = 64) {
  const holes = { opened: 0, filled: 0 };
  const set = new SequenceSet(
    { maxWidth, maxRuns },
    {
      holeOpened: (numbers) => (holes.opened += numbers),
      holeFilled: (numbers) => (holes.filled += numbers),
    },
  );
  return { set, holes, has: (number: number) => set.nextFrom(number) === number };
}

void test('a number that was passed over is counted, and counted again when it comes after all', (t) => {
  const { set, holes, has } = open();
  set.add(100, 199);
  set.add(200, 299);
  t.same(holes, { opened: 0, filled: 0 });
  set.add(310, 319);
  t.same(holes, { opened: 10, filled: 0 });
  set.add(300, 304);
  t.same(holes, { opened: 10, filled: 5 });
  t.same([304, 305, 309, 310, 319, 320].map(has), [true, false, false, true, true, false]);
  t.equal(set.nextFrom(305), 310);
  set.add(305, 309);
  t.same(holes, { opened: 10, filled: 10 });
  t.equal(set.nextFrom(100), 100);
  t.end();
});

void test('numbers that are taken back are a hole, wherever they are', (t) => {
  const { set, holes, has } = open();
  set.add(1, 30);
  set.remove(11, 20);
  set.remove(21, 30);
  set.remove(1, 10);
  t.same(holes, { opened: 30, filled: 0 });
  t.same([1, 15, 30].map(has), [false, false, false]);
  set.add(21, 40);
  t.same(holes, { opened: 30, filled: 10 });
  set.add(1, 20);
  t.same(holes, { opened: 30, filled: 30 });
  t.ok(has(1) && has(40));
  t.end();
});

void test('what lies below the first number, or too far below the highest, is not remembered and not counted', (t) => {
  const { set, holes, has } = open(100);
  set.add(1000, 1000);
  t.notOk(set.add(999, 999));
  t.ok(set.add(1150, 1150));
  t.same(holes, { opened: 149, filled: 0 });
  t.notOk(set.add(1050, 1050));
  t.ok(set.add(1051, 1051));
  t.same(holes, { opened: 149, filled: 1 });
  t.same([1000, 1050, 1051, 1150].map(has), [false, false, true, true]);
  t.end();
});

void test('a step that is too large to be a loss begins anew and is no hole', (t) => {
  const { set, holes, has } = open(MAX_HOLE);
  set.add(1, 5);
  set.add(MAX_HOLE + 6, MAX_HOLE + 6);
  t.same(holes, { opened: 0, filled: 0 });
  t.notOk(has(5));
  t.notOk(set.add(6, 6));
  set.add(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  t.ok(has(Number.MAX_SAFE_INTEGER));
  t.same(holes, { opened: 0, filled: 0 });
  t.end();
});

void test('numbers may begin at 0', (t) => {
  const { set, holes, has } = open();
  set.add(0, 0);
  t.ok(has(0));
  set.add(2, 2);
  t.same(holes, { opened: 1, filled: 0 });
  t.end();
});

void test('with more runs than allowed the lowest are forgotten', (t) => {
  const { set, has } = open(1000, 3);
  for (const number of [10, 20, 30, 40]) set.add(number, number);
  t.same([10, 20, 30, 40].map(has), [false, true, true, true]);
  t.notOk(set.add(10, 10));
  t.ok(set.add(25, 25));
  t.same([20, 25, 30, 40].map(has), [false, true, true, true]);
  for (const [first, last] of [[26, 29], [31, 39], [50, 50], [60, 60]] as const) set.add(first, last); // prettier-ignore
  t.same([25, 33, 40, 50, 60].map(has), [true, true, true, true, true], 'runs that meet are one');
  t.end();
});

interface Step {
  readonly from: number;
  readonly length: number;
  readonly isTakenBack: boolean;
}

function takeBack(set: SequenceSet, model: Set<number>, first: number, last: number): void {
  set.remove(first, last);
  for (let number = first; number <= last; number++) model.delete(number);
}

/** Plays steps against a set of numbers in memory; a step adds the new numbers of a range, which may be taken back at once. */
function play(steps: readonly Step[], maxWidth: number, maxRuns: number) {
  const opened = open(maxWidth, maxRuns);
  const { set, has } = opened;
  const model = new Set<number>();
  /** First and highest number that the set took. */
  const territory: number[] = [];
  for (const { from, length, isTakenBack } of steps) {
    let first = from;
    while (first < from + length) {
      const next = Math.min(set.nextFrom(first), from + length);
      if (next > first && set.add(first, next - 1)) {
        for (let number = first; number < next; number++) model.add(number);
        territory.splice(0, 2, territory[0] ?? first, Math.max(territory[1] ?? 0, next - 1));
        if (isTakenBack) takeBack(set, model, first, next - 1);
      }
      first = Math.max(next, first + 1);
    }
  }
  return { ...opened, has, model, territory };
}

const steps = fc.array(
  fc.record({ from: fc.nat({ max: 120 }), length: fc.integer({ min: 1, max: 12 }), isTakenBack: fc.boolean() }),
  { maxLength: 60 },
);

void test('whatever comes, what came and was kept is known, and holes are those between the first and the highest', (t) => {
  fc.assert(
    fc.property(steps, (all) => {
      const { has, model, holes, territory } = play(all, 1000, 1000);
      for (let number = 0; number < 150; number++) if (has(number) !== model.has(number)) throw new Error(`number ${number}`);
      const [first = 0, top = -1] = territory;
      let missing = 0;
      for (let number = first; number <= top; number++) if (!model.has(number)) missing += 1;
      if (holes.opened - holes.filled !== missing) throw new Error(`${JSON.stringify(holes)} and ${missing} missing`);
    }),
    { numRuns: 1000 },
  );
  t.end();
});

void test('whatever is forgotten, no number is taken for one that came and did not', (t) => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 4 }), (all, maxWidth, maxRuns) => {
      const { has, model } = play(all, maxWidth, maxRuns);
      for (let number = 0; number < 150; number++) if (has(number) && !model.has(number)) throw new Error(`number ${number}`);
    }),
    { numRuns: 1000 },
  );
  t.end();
});

import fc from 'fast-check';
import { test } from 'tap';
import { LaneModel } from './testdata/lane_model.ts';

/** One thing that happens to a lane. */
type Happening = (lane: LaneModel) => Promise<void> | void;

function happening<T extends unknown[]>(
  name: string,
  args: fc.Arbitrary<T>,
  run: (lane: LaneModel, ...given: T) => Promise<void> | void,
) {
  return args.map((given) =>
    Object.assign((lane: LaneModel) => run(lane, ...given), { toString: () => `${name}(${given.join(', ')})` }),
  );
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const few = fc.integer({ min: 1, max: 5 });
const code = fc.constantFrom('ENOSPC', 'EIO', 'EROFS');

const APPEND = happening('append', fc.tuple(few), (lane, count) => lane.append(count));
const ORDERLY = [
  { weight: 6, arbitrary: APPEND },
  { weight: 3, arbitrary: happening('sync', fc.tuple(), (lane) => lane.sync()) },
  { weight: 2, arbitrary: happening('read', fc.tuple(share), (lane, from) => lane.read(from)) },
  { weight: 2, arbitrary: happening('settle', fc.tuple(share), (lane, part) => lane.settle(part)) },
  { weight: 1, arbitrary: happening('dropOldest', fc.tuple(), (lane) => lane.dropOldest()) },
];
const CRASHES = [
  { weight: 1, arbitrary: happening('crash', fc.tuple(fc.boolean()), (lane, isPowerLost) => lane.crash(isPowerLost)) },
  {
    weight: 2,
    arbitrary: happening('crashInAppend', fc.tuple(few, few, fc.boolean()), (lane, count, calls, isPowerLost) =>
      lane.crashInAppend(count, calls, isPowerLost),
    ),
  },
];
const FAILURES = [
  { weight: 2, arbitrary: happening('fail', fc.tuple(code, few), (lane, errno, calls) => lane.fail(errno, calls)) },
];
const FLIPS = [{ weight: 1, arbitrary: happening('flip', fc.tuple(), (lane) => lane.flip()) }];

/** Runs what happens on lanes of many random disks; each ends with the count of all that was in it. */
async function holds(happenings: { weight: number; arbitrary: fc.Arbitrary<Happening> }[], numRuns: number): Promise<void> {
  const history = fc.array(fc.oneof(...happenings), { maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(history, fc.infiniteStream(share), async (events, numbers) => {
      const lane = new LaneModel(() => Math.min(numbers.next().value, 1 - Number.EPSILON));
      await lane.start();
      for (const happens of events) await happens(lane);
      await lane.end();
    }),
    { numRuns },
  );
}

void test('a lane gives back what it was given', () => holds(ORDERLY, 100));

void test('a lane gives back what was synced after every crash, and what was written where the machine has stayed up', () =>
  holds([...ORDERLY, ...CRASHES], 120));

void test('a disk that fails costs nothing that was told to be safe', () => holds([...ORDERLY, ...CRASHES, ...FAILURES], 120));

void test('a bit that flips costs one batch at most', () => holds([...ORDERLY, ...CRASHES, ...FLIPS], 120));

void test('all of it at once', () => holds([...ORDERLY, ...CRASHES, ...FAILURES, ...FLIPS], 120));

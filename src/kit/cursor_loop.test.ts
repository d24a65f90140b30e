import { test } from 'tap';
import { makeBatch } from '../../test/helpers/batches.ts';
import { MemorySpool } from '../../test/helpers/memory_spool.ts';
import { RecordingLog } from '../../test/helpers/recording.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { BackOff } from './back_off.ts';
import { CursorLoop, type CursorLoopOptions, type RefusedDelivery } from './cursor_loop.ts';

interface Write {
  readonly positions: readonly number[];
  readonly atMs: number;
  succeed(...refusals: RefusedDelivery[]): void;
  fail(reason: string): void;
}

/** A loop whose writes stay under way until the test ends them. The waits after failures are 200, 400, 800, 1000, 1000, … ms. */
function setUp(options: Partial<CursorLoopOptions> = {}) {
  const spool = new MemorySpool(['store']);
  const cursor = spool.cursors[0]!; // one name, one cursor
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const writes: Write[] = [];
  const loop = new CursorLoop({
    cursor,
    clock,
    log,
    backOff: new BackOff({ minMs: 100, maxMs: 1000, random: () => 1 }),
    write(deliveries) {
      const { promise, resolve, reject } = Promise.withResolvers<readonly RefusedDelivery[]>();
      writes.push({
        positions: deliveries.map(({ position }) => position),
        atMs: clock.monotonicMs(),
        succeed: (...refusals) => resolve(refusals),
        fail: (reason) => reject(new Error(reason)),
      });
      return promise;
    },
    ...options,
  });
  const push = (batches: number): void => {
    for (let count = 0; count < batches; count++) spool.push(batch());
  };
  return { cursor, clock, log, writes, loop, push };
}

const batch = () => makeBatch(['a record']);

void test('a delivery is settled when its write has ended, not before', async (t) => {
  const { cursor, clock, writes, loop, push } = setUp();
  push(1);
  loop.start();
  await clock.settle();
  t.equal(writes.length, 1);
  t.equal(cursor.settled.length, 0);
  writes[0]?.succeed();
  await clock.settle();
  t.equal(cursor.settled.length, 1);
});

void test('what comes while a write is under way is the next group', async (t) => {
  const { clock, writes, loop, push } = setUp();
  loop.start();
  await clock.settle();
  push(1);
  await clock.settle();
  push(3);
  await clock.settle();
  t.equal(writes.length, 1, 'one write at a time');
  writes[0]?.succeed();
  await clock.settle();
  t.same(
    writes.map(({ positions }) => positions),
    [[0], [1, 2, 3]],
  );
});

void test('a group is bounded by its number of batches', async (t) => {
  const { clock, writes, loop, push } = setUp({ maxDeliveries: 2 });
  push(3);
  loop.start();
  await clock.settle();
  t.same(writes[0]?.positions, [0, 1]);
});

void test('a group is bounded by the memory of its batches, but takes at least one', async (t) => {
  const { clock, writes, loop, push } = setUp({ maxBytes: batch().memoryBytes + 1 });
  push(3);
  loop.start();
  await clock.settle();
  t.same(writes[0]?.positions, [0, 1]);
  const single = setUp({ maxBytes: 1 });
  single.push(2);
  single.loop.start();
  await single.clock.settle();
  t.same(single.writes[0]?.positions, [0]);
});

void test('a failed write is tried again with the same records after waits that grow', async (t) => {
  const { cursor, clock, writes, loop, push } = setUp();
  push(2);
  loop.start();
  for (let attempt = 0; attempt < 5; attempt++) {
    await clock.settle();
    writes[attempt]?.fail('disk full');
    await clock.run(1000);
  }
  writes[5]?.succeed();
  await clock.settle();
  t.same(
    writes.map(({ positions }) => positions),
    Array.from({ length: 6 }, () => [0, 1]),
  );
  t.same(
    writes.map(({ atMs }) => atMs),
    [0, 200, 1400, 2800, 4000, 5000],
  );
  t.equal(cursor.settled.length, 2);
});

void test('new records do not end the wait after a failure', async (t) => {
  const { clock, writes, loop, push } = setUp();
  push(1);
  loop.start();
  await clock.settle();
  writes[0]?.fail('disk full');
  await clock.settle();
  push(1);
  await clock.run(199);
  t.equal(writes.length, 1);
  await clock.run(1);
  t.same(writes[1]?.positions, [0, 1]);
});

void test('a success makes the waits short again', async (t) => {
  const { clock, writes, loop, push } = setUp();
  push(1);
  loop.start();
  await clock.settle();
  writes[0]?.fail('disk full');
  await clock.run(200);
  writes[1]?.succeed();
  await clock.settle();
  push(1);
  await clock.settle();
  writes[2]?.fail('disk full');
  await clock.run(199);
  t.equal(writes.length, 3);
  await clock.run(1);
  t.equal(writes.length, 4);
});

void test('readiness is lost with the reason of a failure and comes back with a success', async (t) => {
  const { clock, writes, loop, push } = setUp();
  t.same(loop.readiness(), { ready: true, reason: '' });
  push(1);
  loop.start();
  await clock.settle();
  writes[0]?.fail('disk full');
  await clock.settle();
  t.same(loop.readiness(), { ready: false, reason: 'disk full' });
  await clock.run(200);
  t.same(loop.readiness(), { ready: false, reason: 'disk full' }, 'still, while the next attempt is under way');
  writes[1]?.succeed();
  await clock.settle();
  t.same(loop.readiness(), { ready: true, reason: '' });
});

void test('an outage is logged once for each reason, and its end once', async (t) => {
  const { clock, log, writes, loop, push } = setUp();
  push(1);
  loop.start();
  for (const [attempt, reason] of ['full', 'full', 'read-only', 'read-only'].entries()) {
    await clock.settle();
    writes[attempt]?.fail(reason);
    await clock.run(1000);
  }
  writes[4]?.succeed();
  await clock.settle();
  t.same(
    log.lines.map(({ level, fields }) => [level, fields['reason']]),
    [
      ['warn', 'full'],
      ['warn', 'read-only'],
      ['info', undefined],
    ],
  );
});

void test('what the store refuses for good is counted, and its delivery is settled all the same', async (t) => {
  const { cursor, clock, loop, push } = setUp({
    async write(group) {
      return group.slice(1).map((delivery) => ({ delivery, detail: 'a bad topic' }));
    },
  });
  push(2);
  loop.start();
  await clock.settle();
  t.same(cursor.refusals, [{ position: 1, records: [0], reason: 'refused', detail: 'a bad topic', attempts: 1 }]);
  t.same(cursor.settled, [0, 1]);
});

void test('stop writes all that waits, then closes', async (t) => {
  let closed = 0;
  const close = async (): Promise<void> => {
    closed += 1;
  };
  const { cursor, clock, writes, loop, push } = setUp({ maxDeliveries: 1, close });
  push(2);
  loop.start();
  await clock.settle();
  const stopped = loop.stop(clock.monotonicMs() + 5000);
  for (const at of [0, 1]) {
    t.equal(closed, 0);
    writes[at]?.succeed();
    await clock.settle();
  }
  await stopped;
  t.equal(cursor.settled.length, 2);
  t.equal(closed, 1);
  t.equal(clock.pendingTimers, 0);
});

void test('stop ends the wait after a failure and tries at once', async (t) => {
  const { cursor, clock, writes, loop, push } = setUp();
  push(1);
  loop.start();
  await clock.settle();
  writes[0]?.fail('disk full');
  await clock.settle();
  const stopped = loop.stop(clock.monotonicMs() + 5000);
  await clock.settle();
  t.equal(writes.length, 2);
  writes[1]?.succeed();
  await stopped;
  t.equal(cursor.settled.length, 1);
});

void test('stop gives up at the deadline, and what a late write did stays unsettled', async (t) => {
  let closed = 0;
  const close = async (): Promise<void> => {
    closed += 1;
  };
  const { cursor, clock, writes, loop, push } = setUp({ close });
  push(1);
  loop.start();
  await clock.settle();
  let isStopped = false;
  const stopped = loop.stop(clock.monotonicMs() + 5000).then(() => (isStopped = true));
  await clock.run(4999);
  t.equal(isStopped, false);
  await clock.run(1);
  t.equal(isStopped, true);
  await stopped;
  t.equal(closed, 0, 'not under a write that hangs');
  writes[0]?.succeed();
  await clock.settle();
  t.equal(closed, 1);
  t.equal(cursor.settled.length, 0);
  t.equal(writes.length, 1);
});

void test('a store that keeps failing does not hold stop up beyond the deadline', async (t) => {
  let attempts = 0;
  const { clock, loop, push } = setUp({
    write: async () => {
      attempts += 1;
      throw new Error('disk full');
    },
  });
  push(1);
  loop.start();
  await clock.settle();
  const stopped = loop.stop(clock.monotonicMs() + 700);
  await clock.run(700);
  await stopped;
  t.equal(clock.pendingTimers, 0);
  const attemptsAtDeadline = attempts;
  await clock.run(10_000);
  t.equal(attempts, attemptsAtDeadline);
});

void test('stop before start and a second stop do nothing', async (t) => {
  const { clock, loop } = setUp();
  await loop.stop(0);
  const { loop: started } = setUp();
  started.start();
  await started.stop(1000);
  await started.stop(1000);
  t.equal(clock.pendingTimers, 0);
});

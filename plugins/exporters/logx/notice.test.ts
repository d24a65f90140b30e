/** With default options, from the death of an endpoint to the first record at the other one, however it dies and whenever. */
import type { FakeBatch, FakeConnection } from './testdata/fake_receiver.ts';
import type { LogxBench } from './testdata/logx_bench.ts';
import { flow, NOTICE_MS, scenario } from './testdata/scenario.ts';

interface Death {
  readonly die: (bench: LogxBench) => void;
  /** What of it is noticed first, by trigger: while records flow, and while nothing is sent. */
  readonly trigger: string;
  readonly idleTrigger: string;
}

const silent = (_connection: FakeConnection, _batch: FakeBatch): void => {};

const DEATHS: Readonly<Record<string, Death>> = {
  'is killed': { die: (bench) => bench.set('log-a', 'refusing'), trigger: 'closed', idleTrigger: 'closed' },
  'is frozen': { die: (bench) => bench.set('log-a', 'frozen'), trigger: 'ack_timeout', idleTrigger: 'ack_timeout' },
  'is cut off by packets that are dropped': {
    die: (bench) => bench.set('log-a', 'unreachable'),
    trigger: 'ack_timeout',
    idleTrigger: 'ack_timeout',
  },
  'is killed, and its host with it': {
    die: (bench) => {
      bench.set('log-a', 'refusing');
      bench.set('log-a', 'unreachable');
    },
    trigger: 'closed',
    idleTrigger: 'closed',
  },
  'accepts and never acks': {
    die: (bench) => (bench.receiver('log-a').script.onBatch = silent),
    trigger: 'ack_timeout',
    idleTrigger: 'ack_timeout',
  },
};

for (const [what, { die, trigger, idleTrigger }] of Object.entries(DEATHS)) {
  scenario(`when a receiver ${what} while records flow, the first one is elsewhere within 4 s`, {}, async (t, bench) => {
    await flow(bench, 1000);
    die(bench);
    const diedMs = bench.clock.monotonicMs();
    const [first = ''] = bench.push();
    while (!bench.stored('log-b', 'log-a').includes(first)) {
      await flow(bench, 100);
      if (bench.clock.monotonicMs() - diedMs > NOTICE_MS) throw new Error('it was not noticed in time');
    }
    t.ok(bench.counted('troubles_total', { destination: 'log-a', trigger }) >= 1, trigger);
  });

  for (const idleMs of [0, 200, 900, 30_000]) {
    scenario(
      `when a receiver ${what} and a record comes ${idleMs} ms later, it is elsewhere within 4 s`,
      {},
      async (t, bench) => {
        await flow(bench, 1000);
        await bench.run(5000);
        die(bench);
        await bench.run(idleMs);
        const [first = ''] = bench.push();
        await bench.until(() => bench.stored('log-b', 'log-a').includes(first), NOTICE_MS);
        t.ok(bench.counted('troubles_total', { destination: 'log-a', trigger: idleTrigger }) >= 1, idleTrigger);
      },
    );
  }
}

scenario('a connection that hangs while it is made, when records come, is no reason to wait', {}, async (t, bench) => {
  bench.set('log-a', 'refusing');
  await bench.run(0);
  bench.set('log-a', 'unreachable');
  bench.push(3);
  await bench.until(() => bench.stored('log-b', 'log-a').length === 3, NOTICE_MS);
  t.equal(bench.counted('diverted', { destination: 'log-a' }), 1);
});

scenario(
  'a plain receiver that takes nothing more is noticed by what cannot be written',
  { scripts: { 'log-a': { isPlain: true }, 'log-b': { isPlain: true } }, destination: { acknowledged: false } },
  async (t, bench) => {
    bench.push();
    await bench.run(0);
    bench.set('log-a', 'frozen');
    for (let batch = 0; batch < 50; batch++) bench.pushBodies(['x'.repeat(10_000)]);
    await bench.until(() => bench.counted('diverted', { destination: 'log-a' }) === 1, NOTICE_MS);
    t.equal(bench.counted('troubles_total', { destination: 'log-a', trigger: 'write_stall' }), 1);
    t.match(bench.context.log.lines.find(({ fields }) => 'reason' in fields)?.fields, {
      reason: /neither taken all that it was sent/,
    });
    bench.set('log-a', 'up');
    await bench.until(() => bench.isDrained, 20_000);
  },
);

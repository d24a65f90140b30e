/** Several endpoints of one destination: they take turns, unmarked, before records go to another destination. */
import { test } from 'tap';
import { Turns } from './endpoints.ts';
import { flow, isComplete, NOTICE_MS, scenario } from './testdata/scenario.ts';

const TWO = { receivers: { 'log-a': ['a1', 'a2'], 'log-b': ['b1', 'b2'] } };

void test('each endpoint has its turn, and after all of them it is time to wait', (t) => {
  const endpoints = [1, 2, 3].map((port) => ({
    name: 'log-a',
    address: { host: 'x', port },
    acknowledged: true,
    compression: undefined,
    tls: undefined,
  }));
  const turns = new Turns(endpoints);
  const next = (): unknown => [turns.fail(), turns.current.address.port];
  t.same([next(), next(), next(), next()], [[true, 2], [true, 3], [false, 1], [true, 2]]); // prettier-ignore
  turns.succeed();
  t.same([next(), next(), next()], [[true, 3], [true, 1], [false, 2]]); // prettier-ignore
  turns.restart(({ address }) => address.port > 1);
  t.equal(turns.current.address.port, 2);
  turns.restart(() => false);
  t.equal(turns.current.address.port, 1);
  t.end();
});

for (const state of ['refusing', 'frozen', 'unreachable'] as const) {
  scenario(`while the first of two endpoints is ${state} the other one gets the records, unmarked`, TWO, async (t, bench) => {
    await flow(bench, 1000);
    bench.set('a1', state);
    const [first = ''] = bench.push();
    await bench.until(() => bench.stored('a2').includes(first), NOTICE_MS);
    await flow(bench, 5000);
    t.ok(isComplete(bench, 'log-a'));
    t.equal(bench.counted('diverted', { destination: 'log-a' }), 0);
    t.same(bench.phases('log-a'), ['suspect', 'direct'], 'it has not been diverted');
    for (const name of ['b1', 'b2']) t.same(bench.stored(name, 'log-a'), []);
    bench.set('a1', 'up');
    await flow(bench, 1000);
    t.same(bench.stored('a2').slice(-10), bench.pushed.slice(-10), 'and keeps them');
  });
}

scenario('an endpoint that is not ready, or says goodbye, is left for the other one at once', TWO, async (t, bench) => {
  bench.receiver('a1').open[0]?.send({ type: 'ready', ready: false, reason: 'full' });
  await bench.run(0);
  const [first = ''] = bench.push();
  await bench.until(() => bench.stored('a2').includes(first), 100);
  bench.receiver('a2').open[0]?.send({ type: 'goodbye' });
  await bench.run(0);
  const [second = ''] = bench.push();
  await bench.until(() => bench.stored('a1').includes(second), 100);
  t.equal(bench.counted('route_changes_total', { destination: 'log-a', phase: 'diverted' }), 0);
});

scenario('only when all endpoints are away do records go to another destination', TWO, async (t, bench) => {
  bench.set('a1', 'refusing');
  bench.set('a2', 'frozen');
  bench.set('b1', 'refusing');
  const [first = ''] = bench.push();
  await bench.until(() => bench.stored('b2', 'log-a').includes(first), NOTICE_MS);
  t.ok(isComplete(bench, 'log-b'));
  bench.set('a2', 'up');
  await bench.until(() => bench.counted('diverted', { destination: 'log-a' }) === 0, 30_000);
  const [second = ''] = bench.push();
  await bench.until(() => bench.stored('a2').includes(second), 100);
  t.equal(
    bench.counted('connections_total', { destination: 'log-a', endpoint: '127.0.0.1:6517' }),
    1,
    'b2 was connected to once',
  );
});

scenario(
  'of several other destinations one that takes records is chosen at once, where that is known',
  { names: ['log-a', 'log-b', 'log-c'] },
  async (t, bench) => {
    await flow(bench, 1000);
    bench.set('log-b', 'frozen');
    await flow(bench, 5000);
    bench.set('log-a', 'frozen');
    const [first = ''] = bench.push();
    await bench.until(() => bench.stored('log-c', 'log-a').includes(first), NOTICE_MS);
    await bench.until(() => bench.stored('log-c', 'log-b').includes(first), NOTICE_MS);
    t.equal(bench.counted('connections_total', { destination: 'log-a', endpoint: '127.0.0.1:6515' }), 0);
  },
);

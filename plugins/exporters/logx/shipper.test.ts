import { flow, isComplete, NOTICE_MS, scenario } from './testdata/scenario.ts';

function idOf(line: string): unknown {
  return JSON.parse(line).log.id;
}

scenario('every destination gets every record at its own endpoint, unmarked, once and in order', {}, async (t, bench) => {
  bench.push(10);
  bench.push(5);
  await bench.run(0);
  for (const name of ['log-a', 'log-b']) t.same(bench.stored(name), bench.pushed);
  t.ok(bench.isDrained);
  t.same(bench.exporter.readiness(), { ready: true, reason: '' });
  t.equal(bench.counted('delivered_records_total', { destination: 'log-a', route: 'direct' }), 15);
  t.equal(bench.counted('route_changes_total', { destination: 'log-a', phase: 'suspect' }), 0);
});

scenario(
  'a receiver that acks slowly but steadily keeps its records',
  { scripts: { 'log-a': { onBatch: () => {} } } },
  async (t, bench) => {
    for (let batch = 0; batch < 6; batch++) bench.push();
    for (let id = 1; id <= 6; id++) {
      await bench.run(1500);
      bench.receiver('log-a').open[0]?.send({ type: 'ack', id });
    }
    await bench.run(0);
    t.ok(bench.isDrained);
    t.same(bench.phases('log-a'), []);
  },
);

for (const state of ['refusing', 'frozen', 'unreachable'] as const) {
  scenario(
    `while a receiver is ${state} its records go to the other one within 4 s, and return when it is back`,
    {},
    async (t, bench) => {
      await flow(bench, 1000);
      t.same(bench.stored('log-a'), bench.pushed);
      bench.set('log-a', state);
      const [first] = bench.push(1);
      const ms = await bench.until(() => bench.stored('log-b', 'log-a').includes(first ?? ''), NOTICE_MS);
      t.comment(`${state}: ${ms} ms`);
      await flow(bench, 3000);
      t.ok(isComplete(bench, 'log-a'), 'nothing is missing');
      t.equal(bench.counted('diverted', { destination: 'log-a' }), 1);
      bench.set('log-a', 'up');
      await bench.until(() => bench.counted('diverted', { destination: 'log-a' }) === 0, 20_000);
      const marked = bench.stored('log-b', 'log-a').length;
      await flow(bench, 1000);
      t.equal(bench.stored('log-b', 'log-a').length, marked, 'nothing is diverted any more');
      t.same(bench.stored('log-a').slice(-10), bench.pushed.slice(-10));
      t.same(bench.phases('log-a'), ['suspect', 'diverted', 'returning', 'direct']);
      t.same(bench.phases('log-b'), []);
      t.ok(isComplete(bench, 'log-b'));
    },
  );
}

scenario(
  'what was sent and not acked goes another way in full, with the ids that it had',
  { scripts: { 'log-a': { onBatch: () => {} } } },
  async (t, bench) => {
    for (let batch = 0; batch < 5; batch++) bench.push(4);
    await bench.until(() => bench.stored('log-b', 'log-a').length === 20, NOTICE_MS);
    const [direct, marked] = [undefined, 'log-a'].map((mark) =>
      bench
        .receiver('log-b')
        .stored.filter((line) => JSON.parse(line).destination === mark)
        .map(idOf),
    );
    t.same(marked, direct);
    t.equal(bench.counted('resent_frames_total', { destination: 'log-a' }), 5);
  },
);

scenario(
  'acks of earlier batches do not hide that a receiver says it is not ready',
  {
    scripts: {
      'log-a': {
        onBatch: (connection, { id }) => {
          connection.send({ type: 'ready', ready: false, reason: 'the disk is full' });
          setImmediate(() => connection.send({ type: 'ack', id }));
        },
      },
    },
  },
  async (t, bench) => {
    bench.push();
    await bench.run(0);
    bench.push();
    await bench.until(() => bench.stored('log-b', 'log-a').length === 1, 2000);
    t.match(bench.context.log.lines[0]?.fields, { reason: /^log-a at 127\.0\.0\.1:6514: it is not ready: the disk is full$/ });
  },
);

scenario('a receiver that is not ready for less than divert_after keeps its records', {}, async (t, bench) => {
  const [connection] = bench.receiver('log-a').open;
  connection?.send({ type: 'ready', ready: false, reason: 'busy' });
  await bench.run(0);
  bench.push(2);
  await bench.run(500);
  t.same(bench.stored('log-a'), [], 'nothing is sent to it meanwhile');
  t.match(bench.exporter.readiness(), { ready: false, reason: /busy/ });
  connection?.send({ type: 'ready', ready: true, reason: '' });
  await bench.run(3000);
  t.same(bench.stored('log-a'), bench.pushed);
  t.same(bench.stored('log-b', 'log-a'), []);
});

scenario('with both receivers away everything is held, and shipped by the first one that is back', {}, async (t, bench) => {
  for (const name of ['log-a', 'log-b']) bench.set(name, 'refusing');
  await flow(bench, 20_000);
  t.match(bench.exporter.readiness(), { ready: false, reason: /no endpoint takes the records of log-a \(.*ECONNREFUSED/ });
  bench.set('log-b', 'up');
  await bench.until(() => isComplete(bench, 'log-a') && isComplete(bench, 'log-b'), 7000);
  t.same(bench.stored('log-b'), bench.pushed);
  t.same(bench.stored('log-b', 'log-a'), bench.pushed);
  bench.set('log-a', 'up');
  await bench.until(() => bench.counted('diverted', { destination: 'log-a' }) === 0, 30_000);
  bench.push(3);
  await bench.run(0);
  t.same(bench.stored('log-a').slice(-3), bench.pushed.slice(-3));
});

scenario('a diverted destination does not wait to return when the other receiver dies as well', {}, async (t, bench) => {
  bench.set('log-a', 'refusing');
  await flow(bench, 3000);
  bench.set('log-b', 'frozen');
  bench.set('log-a', 'up');
  bench.push(5);
  await bench.until(() => isComplete(bench, 'log-a') && isComplete(bench, 'log-b'), 7000);
  t.same(bench.stored('log-a').slice(-5), bench.pushed.slice(-5));
  t.same(new Set(bench.stored('log-a', 'log-b')).has(bench.pushed.at(-1) ?? ''), true, 'and takes the records of the other');
});

const owedAcks: (() => void)[] = [];

function ackAll(): void {
  for (const ack of owedAcks.splice(0)) ack();
}

scenario(
  'records return only when what is under way has been acked, so that none comes twice',
  {
    scripts: { 'log-b': { onBatch: (connection, batch) => void owedAcks.push(() => connection.storeAndAck(batch)) } },
  },
  async (t, bench) => {
    bench.set('log-a', 'refusing');
    for (let passed = 0; passed < 3000; passed += 100) {
      ackAll();
      await flow(bench, 100);
    }
    bench.set('log-a', 'up');
    while (!bench.phases('log-a').includes('returning')) {
      ackAll();
      await flow(bench, 100);
    }
    t.equal(bench.stored('log-a').length, 0, 'nothing goes to it while an ack is owed');
    ackAll();
    await flow(bench, 100);
    ackAll();
    await bench.run(0);
    t.same(bench.storedFor('log-a').sort(), [...bench.pushed].sort());
    t.equal(bench.phases('log-a').at(-1), 'direct');
  },
);

let isSilent = false;
scenario(
  'a return does not wait for acks that never come',
  {
    scripts: {
      'log-b': {
        onBatch: (connection, batch) => {
          if (!isSilent) connection.storeAndAck(batch);
        },
      },
    },
  },
  async (t, bench) => {
    bench.set('log-a', 'refusing');
    await flow(bench, 3000);
    bench.set('log-a', 'up');
    await bench.run(7500);
    t.equal(bench.counted('diverted', { destination: 'log-a' }), 1);
    isSilent = true;
    bench.push(3);
    await bench.until(() => bench.stored('log-a').length === 3, 4000);
    t.same(bench.stored('log-a'), bench.pushed.slice(-3));
    t.same(bench.phases('log-a'), ['suspect', 'diverted', 'returning', 'direct']);
  },
);

scenario(
  'in failover mode the first receiver gets everything, and the next one what the first cannot',
  { options: { mode: 'failover' } },
  async (t, bench) => {
    bench.push(3);
    await bench.run(0);
    t.same(bench.stored('log-a'), bench.pushed);
    t.same(bench.receiver('log-b').stored, []);
    bench.set('log-a', 'refusing');
    bench.push(2);
    await bench.until(() => bench.isDrained, NOTICE_MS);
    t.same(bench.stored('log-b', 'log-a'), bench.pushed.slice(3));
    t.same(bench.stored('log-b'), []);
  },
);

scenario(
  'of several other receivers the first is taken that takes records, in their order, each time anew',
  {
    names: ['log-a', 'log-b', 'log-c'],
    options: { mode: 'failover', min_dwell: '1s', probe_successes: 1 },
  },
  async (t, bench) => {
    for (let round = 0; round < 2; round++) {
      bench.set('log-a', 'refusing');
      bench.push(1);
      await bench.until(() => bench.isDrained, NOTICE_MS);
      bench.set('log-a', 'up');
      await bench.until(() => bench.counted('diverted', { destination: 'log-a' }) === 0, 20_000);
    }
    t.equal(bench.stored('log-b', 'log-a').length, 2);
    for (const name of ['log-a', 'log-b']) bench.set(name, 'refusing');
    bench.push(1);
    await bench.until(() => bench.isDrained, NOTICE_MS);
    t.equal(bench.stored('log-c', 'log-a').length, 1);
  },
);

scenario(
  'a receiver alone, with nowhere else to go, is connected to anew when it is silent',
  { names: ['log-a'] },
  async (t, bench) => {
    bench.push(2);
    await bench.run(0);
    bench.set('log-a', 'frozen');
    bench.push(2);
    await bench.run(20_000);
    t.notOk(bench.exporter.readiness().ready);
    t.ok(bench.receiver('log-a').connections < 20);
    bench.set('log-a', 'up');
    await bench.until(() => bench.isDrained, 10_000);
    t.same(new Set(bench.stored('log-a')), new Set(bench.pushed));
    t.ok(bench.exporter.readiness().ready);
  },
);

scenario(
  'a receiver alone that is silent on one connection is tried on another',
  {
    names: ['log-a'],
    scripts: {
      'log-a': { onBatch: (connection, batch) => void (connection.receiver.connections > 1 && connection.storeAndAck(batch)) },
    },
  },
  async (t, bench) => {
    bench.push(3);
    await bench.until(() => bench.isDrained, 5000);
    t.same(bench.stored('log-a'), bench.pushed);
  },
);

scenario('an endpoint that comes and goes makes its records move a bounded number of times', {}, async (t, bench) => {
  for (let second = 0; second < 600; second += 2) {
    bench.set('log-a', second % 4 === 0 ? 'refusing' : 'up');
    bench.push();
    await bench.run(2000);
  }
  const changes = ['diverted', 'returning'].map((phase) => bench.counted('route_changes_total', { destination: 'log-a', phase }));
  const moves = changes.reduce((sum, count) => sum + count, 0);
  t.ok(moves <= 13, `${moves} moves`);
  bench.set('log-a', 'up');
  await bench.until(() => isComplete(bench, 'log-a') && isComplete(bench, 'log-b'), 10_000);
});

/** Records at which receivers break without a word: each costs itself and nothing else. */
import type { FakeBatch, FakeConnection } from './testdata/fake_receiver.ts';
import { messageOf } from './testdata/fake_receiver.ts';
import { flow, isComplete, scenario } from './testdata/scenario.ts';

/** Ends the connection at a batch that holds a poisonous record, or when `isDown`. */
function breaking(connection: FakeConnection, batch: FakeBatch): void {
  if (batch.lines.some((line) => /poison/.test(messageOf(line)))) connection.stream.destroy();
  else connection.storeAndAck(batch);
}

/** Bodies with one that is poisonous among them. */
function bodies(name: string, count: number, poisonAt: number): string[] {
  return Array.from({ length: count }, (_, at) => (at === poisonAt ? `poison ${name}` : `${name} ${at}`));
}

scenario(
  'a record at which every receiver breaks goes to the dead letters, and everything else is delivered',
  { scripts: { 'log-a': { onBatch: breaking }, 'log-b': { onBatch: breaking } } },
  async (t, bench) => {
    await flow(bench, 500);
    const batch = bodies('x', 300, 211);
    bench.pushBodies(batch);
    for (let passed = 0; !bench.isDrained; passed += 1000) {
      if (passed > 120_000) throw new Error('it found no end');
      await flow(bench, 1000);
    }
    for (const name of ['log-a', 'log-b']) {
      t.same(bench.refused(name), ['poison x']);
      t.ok(isComplete(bench, name));
      const stored = bench.storedFor(name);
      t.same(batch.filter((body) => !stored.includes(body)), ['poison x']); // prettier-ignore
      t.equal(new Set(stored).size, stored.length, 'nothing was stored twice');
    }
    const [refusal] = bench.context.cursors[0]?.refusals ?? [];
    t.match(refusal, { reason: 'refused', detail: /^the connection ended each of the \d+ times that it was sent/ });
    t.ok((refusal?.attempts ?? 0) >= 8, `${refusal?.attempts} attempts`);
    for (const destination of ['log-a', 'log-b']) {
      t.equal(bench.counted('isolating', { destination }), 0);
      t.equal(bench.counted('refused_records_total', { destination, reason: 'refused' }), 1);
      t.ok(bench.counted('isolations_total', { destination }) >= 1);
    }
  },
);

scenario(
  'a record at which only its own receiver breaks is delivered by the other one',
  { scripts: { 'log-a': { onBatch: breaking } } },
  async (t, bench) => {
    const batch = bodies('x', 20, 7);
    bench.pushBodies(batch);
    for (let second = 0; second < 60; second++) await flow(bench, 1000);
    t.ok(isComplete(bench, 'log-a'));
    const stored = new Set(bench.storedFor('log-a'));
    const refused = bench.refused('log-a');
    t.same(batch.filter((body) => !stored.has(body)), refused, 'or refused, where the way around was not taken'); // prettier-ignore
    t.ok(bench.isDrained);
  },
);

scenario(
  'a receiver alone that breaks at two records of a batch loses those two',
  { names: ['log-a'], scripts: { 'log-a': { onBatch: breaking } } },
  async (t, bench) => {
    const batch = bodies('x', 50, 0).map((body, at) => (at === 49 ? 'poison y' : body));
    bench.pushBodies(batch);
    bench.push(500); // some of which are what the others are compared with
    for (let second = 0; second < 120 && !bench.isDrained; second++) await flow(bench, 1000);
    await flow(bench, 1000);
    t.same(bench.refused('log-a').sort(), ['poison x', 'poison y']);
    t.same(bench.context.cursors[0]?.settled.length, new Set(bench.context.cursors[0]?.given).size, 'everything is settled');
    t.ok(isComplete(bench, 'log-a'));
    t.equal(bench.stored('log-a').length, bench.pushed.length + 48, 'once');
  },
);

let isDown = true;
scenario(
  'an outage in which every connection ends at its first batch costs nothing, however long it is',
  {
    names: ['log-a'],
    scripts: {
      'log-a': { onBatch: (connection, batch) => (isDown ? void connection.stream.destroy() : connection.storeAndAck(batch)) },
    },
  },
  async (t, bench) => {
    for (let second = 0; second < 300; second++) {
      bench.push(2);
      await bench.run(1000);
    }
    t.same(bench.refused('log-a'), []);
    isDown = false;
    await bench.until(() => bench.isDrained, 10_000);
    t.same(bench.stored('log-a').sort(), bench.pushed.sort());
  },
);

scenario(
  'a receiver that says why it will not have a batch is tried with its parts as well',
  {
    names: ['log-a'],
    scripts: {
      'log-a': {
        onBatch: (connection, batch) => {
          if (!batch.lines.some((line) => /poison/.test(messageOf(line)))) connection.storeAndAck(batch);
          else {
            connection.send({ type: 'error', reason: 'no such field' });
            connection.stream.end();
          }
        },
      },
    },
  },
  async (t, bench) => {
    bench.pushBodies(bodies('x', 10, 3));
    for (let second = 0; second < 120 && !bench.isDrained; second++) await flow(bench, 1000);
    t.same(bench.refused('log-a'), ['poison x']);
    t.ok(isComplete(bench, 'log-a'));
    t.ok(bench.counted('troubles_total', { destination: 'log-a', trigger: 'refused' }) > 5);
  },
);

scenario(
  'with max_attempts, records are given up after so many sends without an ack',
  { names: ['log-a'], scripts: { 'log-a': { onBatch: () => {} } }, options: { max_attempts: 3 } },
  async (t, bench) => {
    const pushed = bench.push(2);
    await bench.until(() => bench.isDrained, 30_000);
    t.same(bench.refused('log-a'), pushed);
    t.match(bench.context.cursors[0]?.refusals, [
      { reason: 'retries_exhausted', attempts: 3, detail: /^sent 3 times without an ack/ },
    ]);
    const sent = bench.receiver('log-a').connections;
    t.equal(sent, 4, 'three connections carried it, and the fourth was there when it was given up');
    t.equal(bench.counted('refused_records_total', { destination: 'log-a', reason: 'retries_exhausted' }), 2);
  },
);

scenario(
  'with max_attempts, times without a connection do not count, and an ack in time saves what was sent before',
  { names: ['log-a'], options: { max_attempts: 2 } },
  async (t, bench) => {
    bench.set('log-a', 'refusing');
    bench.push(2);
    await bench.run(60_000);
    t.same(bench.refused('log-a'), []);
    bench.receiver('log-a').script.onBatch = (connection, batch) => {
      if (connection.receiver.connections > 1) connection.storeAndAck(batch);
      else connection.stream.destroy();
    };
    bench.set('log-a', 'up');
    await bench.until(() => bench.isDrained, 10_000);
    t.same(bench.refused('log-a'), []);
    t.same(bench.stored('log-a'), bench.pushed);
  },
);

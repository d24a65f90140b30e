/** Receivers that stop: their agents move on at once, and send nothing twice that is still acked. */
import type { FakeBatch, FakeConnection } from './testdata/fake_receiver.ts';
import { flow, isComplete, scenario } from './testdata/scenario.ts';

/** A receiver that owes acks until it is told to pay them. */
class Debtor {
  readonly #owed: (() => void)[] = [];

  readonly onBatch = (connection: FakeConnection, batch: FakeBatch): void => {
    this.#owed.push(() => connection.storeAndAck(batch));
  };

  pay(): void {
    for (const pay of this.#owed.splice(0)) pay();
  }
}

scenario('a receiver that says goodbye is left at once', {}, async (t, bench) => {
  await flow(bench, 1000);
  const [connection] = bench.receiver('log-a').open;
  connection?.send({ type: 'goodbye' });
  await bench.run(0);
  bench.push();
  await bench.run(0);
  t.same(bench.stored('log-b', 'log-a'), bench.pushed.slice(-1), 'divert_after is not waited for');
  t.same(bench.phases('log-a'), ['diverted']);
  t.match(bench.context.log.lines.at(-1)?.fields, { reason: 'log-a at 127.0.0.1:6514: it is stopping' });
  t.ok(bench.exporter.readiness().ready);
  t.equal(bench.counted('troubles_total', { destination: 'log-a', trigger: 'goodbye' }), 1);
});

const stopping = new Debtor();
scenario(
  'what a stopping receiver still acks is not sent twice, and what it does not ack is sent elsewhere',
  { scripts: { 'log-a': { onBatch: stopping.onBatch } } },
  async (t, bench) => {
    const first = bench.push(3);
    await bench.run(0);
    bench.receiver('log-a').open[0]?.send({ type: 'goodbye' });
    await bench.run(0);
    const second = bench.push(2);
    await bench.run(1500);
    t.same(bench.receiver('log-a').open[0]?.batches.length, 1, 'it is sent nothing more');
    t.same(bench.stored('log-b', 'log-a'), [], 'and is waited for');
    stopping.pay();
    await bench.run(0);
    t.same(bench.stored('log-a'), first);
    t.same(bench.stored('log-b', 'log-a'), second);
    t.equal(bench.counted('resent_frames_total', { destination: 'log-a' }), 0);
  },
);

scenario(
  'a stopping receiver that closes takes with it what it has not acked, which goes elsewhere at once',
  { scripts: { 'log-a': { onBatch: () => {} } } },
  async (t, bench) => {
    bench.push(3);
    await bench.run(0);
    const [connection] = bench.receiver('log-a').open;
    connection?.send({ type: 'goodbye' });
    connection?.stream.end();
    const ms = await bench.until(() => bench.stored('log-b', 'log-a').length === 3, 500);
    t.ok(ms <= 50, `${ms} ms`);
  },
);

scenario(
  'a stopping receiver that neither acks nor closes is waited for as long as for any ack',
  { scripts: { 'log-a': { onBatch: () => {} } } },
  async (t, bench) => {
    bench.push(3);
    await bench.run(0);
    bench.receiver('log-a').open[0]?.send({ type: 'goodbye' });
    const ms = await bench.until(() => bench.stored('log-b', 'log-a').length === 3, 2500);
    t.ok(ms >= 2000, `${ms} ms`);
  },
);

scenario('all receivers restart one after the other, and nothing is sent twice', {}, async (t, bench) => {
  for (const name of ['log-a', 'log-b', 'log-a', 'log-b']) {
    await flow(bench, 500);
    for (const connection of bench.receiver(name).open) {
      connection.send({ type: 'goodbye' });
      connection.stream.end();
    }
    await bench.run(0);
    bench.set(name, 'refusing');
    await flow(bench, 2000);
    bench.set(name, 'up');
    await flow(bench, 20_000);
  }
  for (const name of ['log-a', 'log-b']) {
    t.ok(isComplete(bench, name));
    t.equal(bench.storedFor(name).length, bench.pushed.length, `nothing came twice for ${name}`);
  }
});

scenario('a receiver alone that says goodbye is connected to again when it is back', { names: ['log-a'] }, async (t, bench) => {
  bench.push(2);
  await bench.run(0);
  bench.receiver('log-a').open[0]?.send({ type: 'goodbye' });
  await bench.run(0);
  bench.set('log-a', 'refusing');
  bench.push(2);
  await bench.run(3000);
  t.match(bench.exporter.readiness(), { ready: false });
  bench.set('log-a', 'up');
  await bench.until(() => bench.isDrained, 6000);
  t.same(bench.stored('log-a'), bench.pushed);
});

scenario('a receiver that says goodbye to whoever comes makes records move a bounded number of times', {}, async (t, bench) => {
  bench.receiver('log-a').script.onBatch = (connection, batch) => {
    connection.storeAndAck(batch);
    connection.send({ type: 'goodbye' });
    connection.stream.end();
  };
  for (let second = 0; second < 600; second++) {
    bench.push();
    await bench.run(1000);
  }
  const moves = bench.counted('route_changes_total', { destination: 'log-a', phase: 'diverted' });
  t.ok(moves >= 2 && moves <= 7, `${moves} moves`);
  t.ok(isComplete(bench, 'log-a'));
});

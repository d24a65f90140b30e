/** Receivers that are there and do not do what they should: how soon their records are at the other one. */
import { FAKE_HELLO, type FakeScript } from './testdata/fake_receiver.ts';
import { flow, isComplete, NOTICE_MS, scenario } from './testdata/scenario.ts';

/** What is in trouble at once is left when it has been for divert_after. */
const AT_ONCE_MS = 1500;

const troubles: readonly (readonly [what: string, script: Partial<FakeScript>, withinMs: number])[] = [
  ['accepts connections and never answers the hello', { onHello: () => {} }, NOTICE_MS],
  ['answers the hello and never acks', { onBatch: () => {} }, NOTICE_MS],
  ['closes the connection at every batch', { onBatch: ({ stream }) => void stream.destroy() }, AT_ONCE_MS],
  ['says that it is not ready', { onHello: (connection) => connection.hello({ ready: false }) }, AT_ONCE_MS],
  ['refuses every connection', { onHello: (connection) => connection.refuse('go away') }, AT_ONCE_MS],
  ['is not a log-x receiver', { onHello: ({ stream }) => void stream.write('220 mail.example.net ESMTP\r\n') }, AT_ONCE_MS],
  ['answers with what is longer than any hello', { onHello: ({ stream }) => void stream.write('x'.repeat(5000)) }, AT_ONCE_MS],
  ['sends frames that are none', { onHello: ({ stream }) => void stream.write(`${FAKE_HELLO}no frame`) }, AT_ONCE_MS],
  [
    'says goodbye at every batch and neither acks nor closes',
    { onBatch: (connection) => connection.send({ type: 'goodbye' }) },
    NOTICE_MS,
  ],
  ['acks what it was not sent', { onBatch: (connection, { id }) => connection.send({ type: 'ack', id: id + 1 }) }, AT_ONCE_MS],
  ['acks with numbers that are no ids', { onBatch: (connection) => connection.send({ type: 'ack', id: -1 }) }, AT_ONCE_MS],
  ['refuses records that a batch does not have', { onBatch: refuseAndAck((lines) => [lines]) }, AT_ONCE_MS],
  ['refuses with numbers that are no indexes', { onBatch: refuseAndAck(() => [0.5]) }, AT_ONCE_MS],
  ['refuses a record twice', { onBatch: refuseAndAck(() => [0], 2) }, AT_ONCE_MS],
  ['refuses records of batches that it was not sent', { onBatch: refuseAndAck(() => [0], 1, 99) }, AT_ONCE_MS],
];

function refuseAndAck(records: (lines: number) => number[], times = 1, addToId = 0): FakeScript['onBatch'] {
  return (connection, { id, lines }) => {
    for (let time = 0; time < times; time++)
      connection.send({ type: 'refused', id: id + addToId, records: records(lines.length), reason: 'x' });
    connection.send({ type: 'ack', id });
  };
}

for (const [what, script, withinMs] of troubles) {
  scenario(
    `records meant for a receiver that ${what} arrive at the other one, marked, within ${withinMs} ms`,
    { scripts: { 'log-a': script } },
    async (t, bench) => {
      bench.push(3);
      const ms = await bench.until(() => bench.stored('log-b', 'log-a').length === 3, withinMs);
      t.ok(ms >= 1000, `not before the trouble has lasted: ${ms} ms`);
      t.same(bench.stored('log-b', 'log-a'), bench.pushed);
      t.same(bench.stored('log-b'), bench.pushed);
      await bench.run(30_000);
      t.ok(bench.receiver('log-a').connections < 50, `${bench.receiver('log-a').connections} connections in half a minute`);
      t.equal(bench.context.metrics.sum('sluice_logx_refused_records_total'), 0);
      bench.push(2);
      await bench.until(() => isComplete(bench, 'log-a') && isComplete(bench, 'log-b'), 10_000);
    },
  );
}

scenario('it is told which endpoint takes the records, and that none does', { names: ['log-a', 'log-b'] }, async (t, bench) => {
  const told = (): unknown[] =>
    bench.context.log.lines
      .filter(({ fields }) => fields['destination'] === 'log-a' && !('route' in fields))
      .map(({ message, fields }) => fields['endpoint'] ?? message);
  await flow(bench, 1000);
  t.same(told(), ['log-a at 127.0.0.1:6514']);
  bench.set('log-a', 'refusing');
  await flow(bench, 3000);
  t.same(told().slice(1), ['log-b at 127.0.0.1:6515']);
  bench.set('log-b', 'refusing');
  await flow(bench, 10_000);
  t.same(told().slice(2), ['no endpoint takes the records; they wait in the spool']);
  bench.set('log-a', 'up');
  bench.set('log-b', 'up');
  await bench.until(() => bench.isDrained, 60_000);
  await bench.run(1000);
  t.equal(told().length, 4);
});

scenario('after an outage of both, records are not kept at the one that came back first by chance', {}, async (t, bench) => {
  bench.set('log-a', 'refusing');
  bench.set('log-b', 'refusing');
  await flow(bench, 20_000);
  bench.set('log-a', 'up');
  await flow(bench, 300);
  bench.set('log-b', 'up');
  await flow(bench, 4000);
  t.equal(bench.counted('diverted', { destination: 'log-b' }), 0, 'they are back after one probe, not after a dwell of 10 s');
  await bench.until(() => bench.isDrained, 30_000);
});

import fc from 'fast-check';
import { test } from 'tap';
import { lineOf, messageOf } from './testdata/lines.ts';
import { Wire } from './testdata/wire.ts';

function marked(message: string): string {
  return `${lineOf(message).slice(0, -1)},"destination":"log-b"}`;
}

void test('lines are emitted as they come and nothing is answered', async (t) => {
  const wire = new Wire();
  const { agent } = wire.connect();
  agent.stream.write(`${lineOf('one')}\n${marked('two')}\r\n${lineOf('three').slice(0, 10)}`);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one', 'two']);
  t.same(
    wire.context.emitted.map(({ batch }) => batch.destination),
    [undefined, 'log-b'],
  );
  agent.stream.write(`${lineOf('three').slice(10)}\n`);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one', 'two', 'three']);
  t.equal(agent.greeting, '');
  agent.close();
  await wire.settle();
  t.equal(wire.clock.pendingTimers, 0);
});

void test('a last line without its newline is a line when the peer has ended', async (t) => {
  const wire = new Wire();
  const { agent } = wire.connect();
  agent.stream.end(`${lineOf('one')}\n${lineOf('two')}`);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one', 'two']);
});

void test('empty lines are passed over', async (t) => {
  const wire = new Wire();
  const { agent } = wire.connect();
  agent.stream.write(`\n\r\n${lineOf('one')}\n\n\n${lineOf('two')}\n`);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one', 'two']);
  t.equal(agent.greeting, '');
});

void test('a record that speaks of hellos is a record', async (t) => {
  const wire = new Wire();
  const { agent } = wire.connect();
  agent.stream.write(`${lineOf('{"format":"sluice.hello","sluice.hello":{"version":1}}')}\n`);
  await wire.settle();
  t.equal(wire.context.records.length, 1);
});

const refused: readonly (readonly [what: string, bytes: string | Buffer, reason: RegExp])[] = [
  ['an HTTP request', 'GET / HTTP/1.1\r\nhost: x\r\n\r\n', /something that is not cfjs1/],
  ['a TLS hello', Buffer.from('16030100a5010000a10303', 'hex'), /something that is not cfjs1/],
  ['a syslog message', '<13>1 2026-11-20T07:00:00Z web-1 app - - - hi\n', /something that is not cfjs1/],
  ['JSON that is not cfjs1', '{"message":"hi"}\n', /not cfjs1 \(no member "format"/],
  ['broken JSON', '{"format":"app","app":{"message":"hi}}\n', /not cfjs1 \(not a JSON object\)/],
  [
    'a hello that cannot be understood',
    '{"format":"sluice.hello","sluice.hello":{"version":"one"}}\n',
    /member "version" is wrong/,
  ],
  ['a line that is too long', `${lineOf('x'.repeat(1000))}\n`, /longer than 1024 bytes/],
  ['a line that never ends', `{"format":"app","app":{"message":"${'x'.repeat(1000)}`, /line of more than 1024 bytes/],
];

for (const [what, bytes, reason] of refused) {
  void test(`a peer that begins with ${what} is told why in a line and is closed`, async (t) => {
    const wire = new Wire({ max_line_bytes: '1KiB' });
    const { agent } = wire.connect();
    agent.stream.write(bytes);
    await wire.settle();
    t.match(JSON.parse(agent.greeting), { format: 'sluice.error', 'sluice.error': { reason } });
    t.ok(agent.isClosed);
    t.same(wire.context.emitted, []);
    t.equal(wire.counted('refused_connections_total'), 1);
    t.equal(wire.budget.usedBytes, 0);
    t.equal(wire.clock.pendingTimers, 0);
  });
}

void test('of lines that come together those that are cfjs1 are taken, the others counted, and the peer is refused', async (t) => {
  const wire = new Wire();
  const { agent } = wire.connect();
  agent.stream.write(`${lineOf('one')}\ngarbage\n{}\n${lineOf('two')}\n`);
  await wire.settle();
  t.same(wire.context.bodies.map(messageOf), ['one', 'two']);
  t.equal(wire.counted('refused_records_total'), 2);
  t.match(agent.greeting, /"sluice.error".*not a JSON object/);
  agent.stream.write(`${lineOf('three')}\n`);
  await wire.settle();
  t.equal(wire.context.records.length, 2);
});

void test('whatever bytes come, what is emitted are whole lines of cfjs1, and the rest is refused', async (t) => {
  const piece = fc.oneof(
    fc.constantFrom(`${lineOf('x')}\n`, lineOf('x'), '\n', '{"format":"app","app":{', '}}\n', ' '),
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (pieces) => {
      const wire = new Wire();
      const { agent } = wire.connect();
      for (const each of pieces) agent.stream.write(each);
      agent.stream.end();
      await wire.settle();
      for (const body of wire.context.bodies) JSON.parse(body);
      const text = Buffer.concat(pieces.map((each) => Buffer.from(each))).toString('latin1');
      const isRefused = wire.counted('refused_connections_total') === 1;
      const whole = text.split('\n').filter((line) => line === lineOf('x')).length;
      if (!isRefused && wire.context.records.length < whole) throw new Error('a line was lost');
      if (wire.clock.pendingTimers > 0) throw new Error('a timer was left');
    }),
    { numRuns: 300 },
  );
  t.end();
});

import { once } from 'node:events';
import { test } from 'tap';
import { Incarnation, type Machine } from './incarnation.ts';
import { Network } from './network.ts';
import { Random } from './random.ts';
import type { SimulatedSocket } from './socket.ts';
import { Timeline } from './timeline.ts';

const LATENCY_MS = 10;

/** A client that is connected to a server, and what the server has read. */
async function connected() {
  const timeline = new Timeline();
  const network = new Network({
    timeline,
    random: new Random(1),
    weather: { latencyMs: LATENCY_MS, jitterMs: 0 },
    windowBytes: 1024,
    chopProbability: 0.5,
  });
  const here: Machine = { name: 'here', wallOffsetMicros: 0, isUp: true };
  const there: Machine = { name: 'there', wallOffsetMicros: 0, isUp: true };
  const [client, server] = [new Incarnation(timeline, here, 1), new Incarnation(timeline, there, 1)];
  const accepted: SimulatedSocket[] = [];
  let text = '';
  network.listen(server, (socket) => {
    accepted.push(socket);
    socket.on('data', (chunk: Buffer) => (text += chunk.toString()));
    socket.on('error', () => {});
  });
  const socket = network.dial(client, there);
  const seen: string[] = [];
  for (const event of ['connect', 'end', 'close']) socket.on(event, () => seen.push(event));
  socket.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code ?? error.message));
  const pass = (ms: number) => timeline.advance(timeline.nowMs + ms);
  await pass(2 * LATENCY_MS);
  return { network, socket, seen, accepted, here, there, client, server, pass, text: () => text };
}

void test('bytes arrive in order after the latency, in pieces of any size', async (t) => {
  const { socket, seen, pass, text } = await connected();
  t.same(seen, ['connect']);
  for (const word of ['one ', 'two ', 'three ', 'four']) socket.write(word);
  await pass(LATENCY_MS - 1);
  t.equal(text(), '');
  await pass(1);
  t.equal(text(), 'one two three four');
});

void test('a connection to a machine where nobody listens is refused', async (t) => {
  const { network, client, here, pass } = await connected();
  const socket = network.dial(client, here);
  const failed = once(socket, 'error');
  await pass(2 * LATENCY_MS);
  t.match(await failed, [{ code: 'ECONNREFUSED' }]);
});

void test('what is sent over a blocked link arrives when it is open again', async (t) => {
  const { network, socket, here, there, pass, text } = await connected();
  network.link(here, there).block();
  socket.write('late');
  await pass(60_000);
  t.equal(text(), '');
  network.link(here, there).unblock();
  await pass(2000);
  t.equal(text(), 'late');
});

void test('a killed process leaves its kernel to send what was written, and to close', async (t) => {
  const { network, socket, client, accepted, pass, text } = await connected();
  socket.write('last words');
  client.die();
  network.ended(client);
  await pass(LATENCY_MS);
  t.equal(text(), 'last words');
  t.equal(accepted[0]?.readableEnded, true);
});

void test('the other side of a machine that has lost power finds out when it sends after the return', async (t) => {
  const { network, socket, seen, server, there, pass } = await connected();
  there.isUp = false;
  server.die();
  network.ended(server);
  socket.write('anybody?');
  await pass(60_000);
  t.same(seen, ['connect']);
  there.isUp = true;
  network.powered(there);
  await pass(3000);
  t.same(seen, ['connect', 'ECONNRESET', 'close']);
});

void test('a frozen process reads nothing, and fills the window', async (t) => {
  const { socket, server, pass, text } = await connected();
  server.freeze();
  let taken = 0;
  for (let at = 0; at < 8; at++) socket.write('x'.repeat(512), () => (taken += 1));
  await pass(60_000);
  t.equal(text(), '');
  t.ok(taken > 0 && taken < 8, `${taken} of 8 writes were taken`);
  server.thaw();
  await pass(1000);
  t.equal(text().length, 8 * 512);
});

void test('a half-open connection carries nothing, and is told of in the end', async (t) => {
  const { network, socket, seen, there, pass, text } = await connected();
  network.forget(there);
  socket.write('lost');
  await pass(60_000);
  t.same(seen, ['connect']);
  t.equal(text(), '');
  network.remember();
  await pass(2000);
  t.same(seen, ['connect', 'ECONNRESET', 'close']);
  t.equal(network.connections, 0);
});

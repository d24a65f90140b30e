/** A receiver under hostile connections: its agents are served as if nothing were, and its memory stays bounded. */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Test, test } from 'tap';
import { encodeHello, PROTOCOL_VERSION } from '../../src/kit/hello.ts';
import { readTopic, type Running, scrape, startAgent, startReceiver, stop } from '../helpers/agents.ts';
import { PipeLoad } from '../helpers/pipe_load.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { waitFor, within } from '../helpers/wait_for.ts';

const MEBIBYTE = 1024 * 1024;
const DEADLINE_MS = 30_000;

/** What hostile connections may cost: the bound on what has come in part (256 MiB), of which only touched memory counts. */
const MAX_GROWTH_BYTES = 200 * MEBIBYTE;

const HELLO = encodeHello({ version: PROTOCOL_VERSION, role: 'agent', name: 'hostile' });

/** The prefix and header of a batch whose payload of 30 MiB never comes. */
const CLAIM = Buffer.concat([
  Buffer.from(HELLO),
  Buffer.from('170000000000e00183a474797065a56261746368a2696401a5636f756e7401', 'hex'),
]);

/** A connection that says something and keeps what it is answered. */
class Hostile {
  readonly socket: Socket;
  answer = '';
  isClosed = false;

  constructor(t: Test, port: number) {
    this.socket = connect({ host: '127.0.0.1', port });
    this.socket.on('data', (chunk: Buffer) => (this.answer += chunk.toString('latin1')));
    this.socket.on('close', () => (this.isClosed = true));
    this.socket.on('error', () => {});
    t.teardown(() => this.socket.destroy());
  }

  say(bytes: string | Buffer): this {
    this.socket.write(bytes);
    return this;
  }

  /** Writes as much as is taken until the connection is closed. */
  async flood(chunk: Buffer): Promise<void> {
    while (!this.isClosed) {
      if (this.socket.writableLength < 4 * MEBIBYTE) this.socket.write(chunk);
      await delay(0);
    }
  }
}

function residentBytes({ process }: Running): number {
  const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${process.pid}/status`, 'utf8')) ?? [];
  return Number(kibibytes) * 1024;
}

void test('hostile connections are refused with a reason, cost bounded memory, and disturb no agent', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'app.pipe');
  const receiver = await startReceiver(t, { directory, name: 'log-a' });
  const agent = await startAgent(t, {
    directory,
    receivers: { pipe: { path, log_format: 'app', format: 'text' } },
    destinations: [receiver],
  });
  const load = new PipeLoad(t, path, (number) => `record ${number}`);
  load.start(500);
  await waitFor(() => readTopic(receiver, 'app').length > 100, { what: 'records at the receiver', deadlineMs: DEADLINE_MS });
  const beforeBytes = residentBytes(receiver);
  const open = () => new Hostile(t, receiver.port);

  const endless = open().say('{"format":"app","app":{"message":"');
  const framed = open().say(HELLO);
  const floods = Promise.all([endless, framed].map((each) => each.flood(Buffer.alloc(MEBIBYTE, 'x'))));
  await within(floods, { what: 'the floods to be ended', deadlineMs: DEADLINE_MS });
  const garbage = [
    open().say('GET / HTTP/1.1\r\n\r\n'),
    open().say(Buffer.from('16030100a5010000a10303', 'hex')),
    open().say('{"format":"app","app":{"message":"fine"}}\ngarbage\n'),
    open().say('{"format":"sluice.hello","sluice.hello":{"role":"agent"}}\n'),
  ];
  const claims = Array.from({ length: 50 }, () => open().say(CLAIM));
  const silent = Array.from({ length: 50 }, () => open());
  const dripping = Array.from({ length: 50 }, () => open().say(`{"format":"${'x'.repeat(MEBIBYTE)}`));
  // 256 MiB hold eight claims of 30 MiB; the others are refused.
  const refusedClaims = () => claims.filter(({ isClosed, answer }) => isClosed && answer.includes('no memory left'));
  await waitFor(() => refusedClaims().length >= 42, { what: 'claims to be refused', deadlineMs: DEADLINE_MS });
  await waitFor(() => garbage.every(({ isClosed }) => isClosed), { what: 'garbage to be refused', deadlineMs: DEADLINE_MS });
  for (const { answer } of [endless, ...garbage]) t.match(answer, /"sluice.error"/);
  for (const { answer } of garbage) t.match(answer, /"reason":"the peer sent /);
  t.match(endless.answer, /a line of more than \d+ bytes/);
  t.match(framed.answer, /frame header of \d+ bytes/);
  t.ok((await scrape(receiver)).sum('sluice_cfjs1_buffered_bytes') <= 256 * MEBIBYTE);
  const growthBytes = residentBytes(receiver) - beforeBytes;
  t.comment(`the receiver grew by ${Math.round(growthBytes / MEBIBYTE)} MiB`);
  t.ok(growthBytes < MAX_GROWTH_BYTES, 'memory is bounded');

  const first = load.written;
  await waitFor(() => load.written > first + 200, { what: 'more records', deadlineMs: DEADLINE_MS });
  await load.stop();
  const isThere = (): boolean =>
    readTopic(receiver, 'app').filter(({ wrapper }) => wrapper['id'] !== undefined).length === load.written;
  await waitFor(isThere, { what: 'every record of the agent', deadlineMs: DEADLINE_MS });
  const metrics = await scrape(agent);
  t.equal(metrics.count('sluice_logx_route_changes_total'), 0, 'the agent has not noticed anything');
  t.equal(metrics.sum('sluice_ledger_unaccounted_records'), 0);
  for (const { socket } of [...claims, ...silent, ...dripping]) socket.destroy();
  await waitFor(async () => (await scrape(receiver)).sum('sluice_cfjs1_buffered_bytes') === 0, {
    what: 'the memory to be given back',
    deadlineMs: DEADLINE_MS,
  });
  for (const each of [agent, receiver]) t.same(await stop(each), { code: 0, signal: null });
});

/** What the table of bad input promises of pipes and sockets, through the whole agent to both receivers' topics. */
import { once } from 'node:events';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import {
  type AgentSettings,
  readTopic,
  type Running,
  type RunningReceiver,
  scrape,
  startAgent,
  startInVain,
  startReceiver,
  stop,
  type StoredRecord,
} from '../helpers/agents.ts';
import { freePort } from '../helpers/sluice_process.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { waitFor } from '../helpers/wait_for.ts';

const DEADLINE_MS = 20_000;
const MAX_LINE_BYTES = 256 * 1024;

/** Resolves to the records of a topic, in order, when each receiver has as many. */
async function arrived(receivers: readonly RunningReceiver[], topic: string, count: number): Promise<StoredRecord[][]> {
  await waitFor(() => receivers.every((receiver) => readTopic(receiver, topic).length >= count), {
    what: `${count} records in ${topic} of each receiver`,
    deadlineMs: DEADLINE_MS,
  });
  return receivers.map((receiver) => readTopic(receiver, topic));
}

/** A destination that is not there. */
async function nowhere(): Promise<AgentSettings['destinations']> {
  return [{ name: 'log-a', port: await freePort() }];
}

async function send(path: string, ...pieces: (string | Buffer)[]): Promise<void> {
  const client = connect(path);
  await once(client, 'connect');
  for (const piece of pieces) client.write(piece);
  client.end();
  await once(client, 'close');
}

void test('whatever is written to a pipe and a socket arrives at both receivers, marked where it is not what it should be', async (t) => {
  const root = temporaryDirectory(t);
  const receivers = await Promise.all(['log-a', 'log-b'].map((name) => startReceiver(t, { directory: root, name })));
  const [pipe, socket] = [join(root, 'app.pipe'), join(root, 'log.sock')];
  const lines = { format: 'json', service: 'shop', partial_line_timeout: '300ms' };
  const agent = await startAgent(t, {
    directory: root,
    receivers: {
      'pipe/app': { path: pipe, log_format: 'piped', ...lines },
      unix: { path: socket, log_format: 'sent', ...lines },
    },
    processors: { tag: { host: 'web-1', datacenter: 'fra1', tags: { dc_state: 'active' } } },
    destinations: receivers,
    logx: { ack_timeout: '30s' }, // so that a slow disk brings no record twice, which is looked for here
  });

  const long = `{"long":"${'x'.repeat(MAX_LINE_BYTES)}`;
  const input = Buffer.concat([
    Buffer.from('{"service":"cart","level":"warn","n":1}\n{"n":2,}\n'),
    Buffer.from([0xff, 0xfe, 0x0a]),
    Buffer.from(`${long}"}\n{"n":5}\n`),
  ]);
  appendFileSync(pipe, input);
  await send(socket, input);
  const stopping = connect(socket);
  t.teardown(() => stopping.destroy());
  await arrived(receivers, 'piped', 5);
  await arrived(receivers, 'sent', 5);
  appendFileSync(pipe, 'a line whose writer st');
  stopping.write('a line whose writer st');

  const common = {
    host: 'web-1',
    datacenter: 'fra1',
    dc_state: 'active',
    service: 'shop',
    id: /^[0-9a-f]+-\d+$/,
    timestamp: /^20.*Z$/,
  };
  for (const [topic, component] of [
    ['piped', 'pipe/app'],
    ['sent', 'unix'],
  ] as const) {
    for (const records of await arrived(receivers, topic, 6)) {
      t.match(
        records.map(({ wrapper }) => wrapper),
        [
          { ...common, service: 'cart', severity: 'warn', body: { service: 'cart', level: 'warn', n: 1 } },
          { ...common, message: '{"n":2,}' },
          { ...common, message_base64: Buffer.from([0xff, 0xfe]).toString('base64') },
          { ...common, message: long.slice(0, MAX_LINE_BYTES), truncated: true },
          { ...common, body: { n: 5 } },
          { ...common, message: 'a line whose writer st', partial: true },
        ],
        `${topic}, as it arrived`,
      );
      t.equal(new Set(records.map(({ wrapper }) => wrapper['id'])).size, 6, 'each record has an id of its own');
    }
    const metrics = await scrape(agent);
    // The bytes that are not UTF-8 are no JSON either.
    t.equal(metrics.sum('sluice_receiver_malformed_records_total', { component }), 2);
    t.equal(metrics.sum('sluice_receiver_binary_records_total', { component }), 1);
    t.equal(metrics.sum('sluice_receiver_truncated_records_total', { component }), 1);
    t.equal(metrics.sum('sluice_receiver_partial_records_total', { component }), 1);
    t.equal(metrics.sum('sluice_ledger_accepted_records_total', { receiver: component }), 6);
  }
  await stopsWithNothingLost(t, agent, receivers, pipe, socket);
});

/** Ends the agent right behind a burst, with the receivers up. */
async function stopsWithNothingLost(
  t: Test,
  agent: Running,
  receivers: readonly RunningReceiver[],
  pipe: string,
  socket: string,
): Promise<void> {
  const burst = Array.from({ length: 2000 }, (_, at) => `{"last":${at}}\n`);
  const client = connect(socket);
  client.on('error', () => {}); // what it could not send any more is not looked for
  await once(client, 'connect');
  await new Promise((resolve) => client.write(burst.join(''), resolve));
  appendFileSync(pipe, burst.join(''));
  t.same(await stop(agent), { code: 0, signal: null });
  for (const topic of ['piped', 'sent']) {
    for (const receiver of receivers) {
      const last = readTopic(receiver, topic).slice(6);
      t.same(
        last.map(({ wrapper }) => JSON.stringify(wrapper['body'])),
        burst.map((line) => line.trimEnd()),
        `the burst is in ${topic} of ${receiver.name}, once and in order`,
      );
    }
  }
  t.match(agent.process.log.at(-1), {
    message: 'stopped, nothing was left undelivered',
    accepted: 4012,
    delivered: 4012,
    dropped: 0,
    undelivered: 0,
    unaccounted: 0,
  });
  t.equal(existsSync(socket), false, 'the socket is removed');
}

void test('an agent that cannot have its pipe or its socket does not start, and says why and what to do', async (t) => {
  const root = temporaryDirectory(t);
  const file = join(root, 'file');
  writeFileSync(file, 'precious');
  const living = join(root, 'living.sock');
  const server = createServer().listen(living);
  t.teardown(() => server.close());
  await once(server, 'listening');
  const missing = join(root, 'missing');
  const destinations = await nowhere();
  const cases: [type: string, path: string, says: RegExp][] = [
    ['pipe', file, /the path of the pipe, .*\/file, is a regular file\n {2}move it away or choose another path/],
    ['pipe', join(missing, 'app.pipe'), /the directory of the pipe .*\/missing\/app\.pipe does not exist\n {2}create it first/],
    ['unix', file, /the path of the socket, .*\/file, is a regular file\n {2}move it away or choose another path/],
    ['unix', join(missing, 'log.sock'), /the directory of the socket .*\/missing\/log\.sock does not exist\n {2}create it first/],
    ['unix', living, /another process listens on the socket .*\/living\.sock\n {2}stop it/],
  ];
  await Promise.all(
    cases.map(async ([type, path, says], at) => {
      const { code, stderr } = await startInVain(t, {
        directory: root,
        name: `agent-${at}`,
        receivers: { [type]: { path } },
        destinations,
      });
      t.equal(code, 1);
      t.match(stderr, says);
    }),
  );
  t.equal(readFileSync(file, 'utf8'), 'precious');
  const client = connect(living);
  await once(client, 'connect');
  client.destroy();
});

void test('a socket and a pipe that a killed agent has left behind are taken over', async (t) => {
  const root = temporaryDirectory(t);
  const [pipe, socket] = [join(root, 'app.pipe'), join(root, 'log.sock')];
  const settings = {
    directory: root,
    receivers: { pipe: { path: pipe }, unix: { path: socket } },
    destinations: await nowhere(),
  };
  const killed = await startAgent(t, settings);
  t.same(await stop(killed, 'SIGKILL'), { code: null, signal: 'SIGKILL' });
  t.equal(existsSync(pipe) && existsSync(socket), true);

  const agent = await startAgent(t, settings);
  appendFileSync(pipe, 'hello\n');
  await send(socket, 'hello\n');
  const accepted = async (receiver: string): Promise<number> =>
    (await scrape(agent)).sum('sluice_ledger_accepted_records_total', { receiver });
  await waitFor(async () => (await accepted('pipe')) === 1 && (await accepted('unix')) === 1, {
    what: 'both records to be taken in',
    deadlineMs: DEADLINE_MS,
  });
});

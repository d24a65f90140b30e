/** The receiver of cfjs1 and its store, spoken to by programs that were written from docs/CFJS1.md alone, in another language. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { readTopic, type RunningReceiver, scrape, startReceiver, stop } from '../../helpers/agents.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { temporaryDirectory } from '../../helpers/temporary_directory.ts';
import { waitFor } from '../../helpers/wait_for.ts';
import { NEEDS_PYTHON, Python } from './python.ts';

const TOPIC = 'app';
const LINES = 20_000;

const address = ({ port }: RunningReceiver): string => `127.0.0.1:${port}`;

function lines(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `{"format":"${TOPIC}","${TOPIC}":{"id":"57a91e-${number}","message":"m"}}`);
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, number) => `57a91e-${number}`);

function storedIds(receiver: RunningReceiver): string[] {
  return readTopic(receiver, TOPIC).map(({ wrapper }) => String(wrapper['id']));
}

/** Every line of every topic, sorted. */
function storedLines({ directory, name }: RunningReceiver): string[] {
  const topics = join(directory, name, 'topics');
  const files = readdirSync(topics).map((file) => readFileSync(join(topics, file), 'utf8'));
  return files.flatMap((text) => text.split('\n').slice(0, -1)).sort();
}

void test('the receiver does what the specification says, down to the byte', NEEDS_PYTHON, async (t) => {
  const receiver = await startReceiver(t, { directory: temporaryDirectory(t), name: 'log-a' });
  const program = new Python(t, 'check_receiver.py', [address(receiver)]);
  await program.end();
  const checks = program.told().filter((told) => 'check' in told);
  t.not(checks.length, 0);
  for (const { check, failure } of checks) t.equal(failure, null, String(check));
  const { taken = [] } = program.told().find((told) => 'taken' in told) ?? {};
  if (!Array.isArray(taken)) throw new Error('it has not said which lines are taken');
  const expected = taken.map((line) => String(line).trim()).sort();
  t.same(storedLines(receiver), expected, 'it has stored every line that it should have, byte for byte, and no other');
  t.equal((await scrape(receiver)).sum('sluice_ledger_unaccounted_records'), 0);
  t.same(await stop(receiver), { code: 0, signal: null });
});

void test('what a foreign agent was acked is stored, each record once and in order', NEEDS_PYTHON, async (t) => {
  const receiver = await startReceiver(t, { directory: temporaryDirectory(t), name: 'log-a' });
  const agent = new Python(t, 'agent.py', [address(receiver), '--batch-lines', '170']);
  agent.write(`${lines(LINES).join('\n')}\n`);
  await agent.end();
  t.same(await agent.first('done'), { event: 'done', delivered: LINES, refused: 0 });
  t.same(storedIds(receiver), ids(LINES));
});

void test('a line that is refused costs a foreign agent no other', NEEDS_PYTHON, async (t) => {
  const receiver = await startReceiver(t, { directory: temporaryDirectory(t), name: 'log-a' });
  const agent = new Python(t, 'agent.py', [address(receiver)]);
  const bad = '{"format":"app","app":{"message":"cut off}}';
  agent.write([...lines(1000).slice(0, 500), bad, ...lines(1000).slice(500)].join('\n'));
  await agent.end();
  t.same(
    agent.told('refused').map(({ lines }) => lines),
    [[bad]],
  );
  t.match(await agent.first('done'), { delivered: 1000, refused: 1 });
  t.same(storedIds(receiver), ids(1000));
});

void test('in plain mode a foreign agent is told nothing, and what is no line ends its connection', NEEDS_PYTHON, async (t) => {
  const receiver = await startReceiver(t, { directory: temporaryDirectory(t), name: 'log-a' });
  const good = new Python(t, 'agent.py', [address(receiver), '--plain']);
  good.write(lines(1000).join('\n'));
  await good.end();
  t.same(good.told(), [{ event: 'sent', lines: 1000, refusal: null }]);
  await waitFor(() => storedIds(receiver).length >= 1000, { what: 'the lines to be stored' });
  t.same(storedIds(receiver), ids(1000));
  const bad = new Python(t, 'agent.py', [address(receiver), '--plain']);
  bad.write('hello\n');
  await bad.end();
  t.match(bad.told(), [{ event: 'sent', refusal: /cfjs1/ }]);
});

void test(
  'a receiver that stops says goodbye to a foreign agent, acks what it took, and stores nothing else',
  NEEDS_PYTHON,
  async (t) => {
    const directory = temporaryDirectory(t);
    const first = await startReceiver(t, { directory, name: 'log-a' });
    const agent = new Python(t, 'agent.py', [address(first), '--batch-lines', '10', '--window', '20']);
    agent.write(`${lines(LINES).join('\n')}\n`);
    const ended = agent.end();
    await agent.first('ack');
    t.same(await stop(first), { code: 0, signal: null });
    await agent.first('goodbye');
    await agent.first('disconnected');
    const acked = Number(agent.told('ack').at(-1)?.['delivered']);
    t.ok(acked < LINES, `stopped in the middle, after ${acked} records`);
    t.same(storedIds(first), ids(acked));
    const second = await startReceiver(t, first);
    await ended;
    t.equal(agent.told('connected').length, 2);
    t.same(storedIds(second), ids(LINES), 'every record is stored once, in the order of sending');
  },
);

void test('a foreign agent with a certificate is served over TLS, and one without is not', NEEDS_PYTHON, async (t) => {
  const directory = temporaryDirectory(t);
  const authority = makeCertificate({ name: 'Test CA', isAuthority: true });
  const server = makeCertificate({ name: 'log-a', hosts: ['127.0.0.1'], issuer: authority });
  const client = makeCertificate({ name: 'web-1', issuer: authority });
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const ca = write('ca.pem', authority.certificate);
  const tls = { certificate: write('log-a.pem', server.certificate), key: write('log-a.key', server.key), client_ca: ca };
  const receiver = await startReceiver(t, { directory, name: 'log-a', cfjs1: { tls } });
  const own = ['--certificate', write('web-1.pem', client.certificate), '--key', write('web-1.key', client.key)];
  const stranger = new Python(t, 'agent.py', [address(receiver), '--ca', ca]);
  stranger.write('{"format":"app","app":{"message":"of a stranger"}}\n');
  const ended = t.rejects(stranger.end(), 'it tries again until it is killed');
  const agent = new Python(t, 'agent.py', [address(receiver), '--ca', ca, ...own]);
  agent.write(lines(1000).join('\n'));
  await agent.end();
  t.match(await agent.first('done'), { delivered: 1000, refused: 0 });
  t.match(await stranger.first('disconnected'), { reason: /CERTIFICATE_REQUIRED/i });
  t.same(storedIds(receiver), ids(1000));
  await stranger.kill();
  await ended;
});

void test('a receiver that is killed has stored what it acked to a foreign agent', NEEDS_PYTHON, async (t) => {
  const directory = temporaryDirectory(t);
  const first = await startReceiver(t, { directory, name: 'log-a' });
  const agent = new Python(t, 'agent.py', [address(first), '--batch-lines', '10', '--window', '50']);
  agent.write(`${lines(LINES).join('\n')}\n`);
  const ended = agent.end();
  await agent.until(() => agent.told('ack').length > 5, 'acks');
  await stop(first, 'SIGKILL');
  await agent.first('disconnected');
  const acked = Number(agent.told('ack').at(-1)?.['delivered']);
  t.ok(acked < LINES, `killed in the middle, after ${acked} records`);
  t.same(storedIds(first).slice(0, acked), ids(acked), 'what was acked is stored');
  const second = await startReceiver(t, first);
  await ended;
  t.same([...new Set(storedIds(second))], ids(LINES), 'every record is stored, in the order of sending');
});

/** The logx exporter ships to receivers that were written from docs/CFJS1.md alone, in another language. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { type Options, type Running, scrape, startAgent, stop } from '../../helpers/agents.ts';
import { makeCertificate } from '../../helpers/certificates.ts';
import { PipeLoad } from '../../helpers/pipe_load.ts';
import { PipeWriter } from '../../helpers/pipe_writer.ts';
import { temporaryDirectory } from '../../helpers/temporary_directory.ts';
import { waitFor } from '../../helpers/wait_for.ts';
import { NEEDS_PYTHON, Python } from './python.ts';

const TOPIC = 'app';
const RECORDS = 5000;
const DEADLINE_MS = 30_000;
const POISON = 'not to be taken';
const QUICK_RETURN = { probe_interval: '300ms', probe_successes: 2, min_dwell: '1s' };

interface Destination {
  readonly name: string;
  readonly port: number;
  readonly program: Python;
  readonly directory: string;
}

async function startDestination(t: Test, directory: string, name: string, args: readonly string[] = []): Promise<Destination> {
  const own = join(directory, name);
  mkdirSync(own, { recursive: true });
  const program = new Python(t, 'receiver.py', [own, '--name', name, ...args]);
  return { name, port: Number((await program.first('listening'))['port']), program, directory: own };
}

interface Site {
  readonly a: Destination;
  readonly b: Destination;
  readonly agent: Running;
  readonly path: string;
}

async function startSite(t: Test, logx: Options = {}, argsOfA: readonly string[] = []): Promise<Site> {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'app.pipe');
  const [a, b] = await Promise.all([startDestination(t, directory, 'log-a', argsOfA), startDestination(t, directory, 'log-b')]);
  const agent = await startAgent(t, {
    directory,
    receivers: { pipe: { path, log_format: TOPIC, format: 'text', service: 'app' } },
    processors: { tag: { datacenter: 'ams' } },
    destinations: [a, b],
    logx,
  });
  return { a, b, agent, path };
}

/** The lines of a topic that a destination's program has stored. */
function linesOf({ directory }: Destination, topic: string): string[] {
  const file = join(directory, `${topic}.ndjson`);
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').slice(0, -1) : [];
}

/** What a destination's program has stored in a topic: messages by id. Throws where an id stands for two messages. */
function stored(destination: Destination, topic = TOPIC): Map<string, string> {
  const messages = new Map<string, string>();
  for (const line of linesOf(destination, topic)) {
    const { id, message }: Record<string, string> = JSON.parse(line)[TOPIC];
    if (id === undefined || message === undefined) throw new Error(`a record without id or message: ${line}`);
    if ((messages.get(id) ?? message) !== message) throw new Error(`the id ${id} has two records`);
    messages.set(id, message);
  }
  return messages;
}

/** All that is stored for a destination: by itself, and marked by the other one. */
function storedFor(destination: Destination, other: Destination): Map<string, string> {
  return new Map([...stored(destination), ...stored(other, `dead-letter.${destination.name}.${TOPIC}`)]);
}

async function allDelivered({ agent }: Site, records: number): Promise<void> {
  await waitFor(async () => (await scrape(agent)).sum('sluice_ledger_delivered_records_total') >= records, {
    what: `${records} records to be delivered`,
    deadlineMs: DEADLINE_MS,
  });
}

async function endAll(t: Test, { a, b, agent }: Site): Promise<void> {
  t.equal((await scrape(agent)).sum('sluice_ledger_unaccounted_records'), 0);
  t.same(await stop(agent), { code: 0, signal: null });
  await Promise.all([a.program.end(), b.program.end()]);
}

const lineOf = (number: number): string => `record ${number}`;

void test('two foreign receivers get every record, in order and under the same ids', NEEDS_PYTHON, async (t) => {
  const site = await startSite(t);
  const writer = new PipeWriter(t, site.path);
  for (let number = 0; number < RECORDS; number++) await writer.write(lineOf(number));
  await allDelivered(site, RECORDS);
  await endAll(t, site);
  const atA = stored(site.a);
  t.same(
    [...atA.values()],
    Array.from({ length: RECORDS }, (_, number) => lineOf(number)),
  );
  t.same([...stored(site.b)], [...atA]);
});

void test('a record that a foreign receiver refuses costs no other, and the other receiver has it', NEEDS_PYTHON, async (t) => {
  const site = await startSite(t, {}, ['--refuse', POISON]);
  const writer = new PipeWriter(t, site.path);
  for (let number = 0; number < 100; number++) await writer.write(number === 50 ? POISON : lineOf(number));
  await waitFor(() => stored(site.b).size === 100 && stored(site.a).size === 99, {
    what: 'the records',
    deadlineMs: DEADLINE_MS,
  });
  const isRefused = async (): Promise<boolean> =>
    (await scrape(site.agent)).count('sluice_logx_refused_records_total', { destination: 'log-a', reason: 'refused' }) === 1;
  await waitFor(isRefused, { what: 'the refused record to be counted' });
  t.same(
    [...stored(site.a).keys()],
    [...stored(site.b)].flatMap(([id, message]) => (message === POISON ? [] : [id])),
  );
  await endAll(t, site);
});

void test('what a foreign receiver is not ready for goes to the other one, marked, until it is', NEEDS_PYTHON, async (t) => {
  const site = await startSite(t, QUICK_RETURN);
  const { a, b, path } = site;
  const load = new PipeLoad(t, path, lineOf);
  load.start(1000);
  await waitFor(() => stored(a).size > 100, { what: 'records at log-a' });
  a.program.write('not-ready the disk is full\n');
  await waitFor(() => stored(b, `dead-letter.log-a.${TOPIC}`).size > 100, { what: 'marked copies', deadlineMs: DEADLINE_MS });
  const before = stored(a).size;
  a.program.write('ready\n');
  await waitFor(() => stored(a).size > before + 500, { what: 'records to return', deadlineMs: DEADLINE_MS });
  await load.stop();
  await allDelivered(site, load.written);
  t.same(storedFor(a, b), stored(b), 'every record is there for log-a, under the same id');
  t.equal(stored(b).size, load.written);
  await endAll(t, site);
});

void test(
  'what a foreign receiver took before it said goodbye is sent nowhere else, and everything else is',
  NEEDS_PYTHON,
  async (t) => {
    const site = await startSite(t, QUICK_RETURN, ['--slow', '0.05']);
    const { a, b, path } = site;
    const load = new PipeLoad(t, path, lineOf);
    load.start(2000);
    for (let round = 1; round <= 3; round++) {
      await waitFor(() => stored(a).size > round * 500, { what: 'records at log-a', deadlineMs: DEADLINE_MS });
      const hellos = a.program.told('hello').length;
      a.program.write('goodbye\n');
      await a.program.until(() => a.program.told('hello').length > hellos, 'the agent to be back');
    }
    await load.stop();
    await allDelivered(site, load.written);
    t.equal(
      linesOf(a, TOPIC).length + linesOf(b, `dead-letter.log-a.${TOPIC}`).length,
      load.written,
      'each is there for log-a once',
    );
    t.same(storedFor(a, b), stored(b), 'under the same ids as for log-b');
    await endAll(t, site);
  },
);

void test('what a foreign receiver had not acked when it died is at the other one', NEEDS_PYTHON, async (t) => {
  const site = await startSite(t, {}, ['--slow', '0.05']);
  const { a, b, path } = site;
  const load = new PipeLoad(t, path, lineOf);
  load.start(2000);
  await waitFor(() => stored(a).size > 500, { what: 'records at log-a', deadlineMs: DEADLINE_MS });
  await a.program.kill();
  await waitFor(() => stored(b, `dead-letter.log-a.${TOPIC}`).size > 100, { what: 'marked copies', deadlineMs: DEADLINE_MS });
  await load.stop();
  await allDelivered(site, load.written);
  t.equal(stored(b).size, load.written);
  t.same(storedFor(a, b), stored(b), 'every record is there for log-a, under the same id');
  t.equal((await scrape(site.agent)).sum('sluice_ledger_unaccounted_records'), 0);
  t.same(await stop(site.agent), { code: 0, signal: null });
});

void test(
  'a foreign receiver is shipped to over TLS, with certificates on both sides, and uncompressed unless it offers to decompress',
  NEEDS_PYTHON,
  async (t) => {
    const directory = temporaryDirectory(t);
    const authority = makeCertificate({ name: 'Test CA', isAuthority: true });
    const server = makeCertificate({ name: 'log-a', hosts: ['127.0.0.1'], issuer: authority });
    const client = makeCertificate({ name: 'web-1', issuer: authority });
    const write = (name: string, text: string): string => {
      writeFileSync(join(directory, name), text);
      return join(directory, name);
    };
    const ca = write('ca.pem', authority.certificate);
    const own = ['--certificate', write('log-a.pem', server.certificate), '--key', write('log-a.key', server.key)];
    const a = await startDestination(t, directory, 'log-a', [...own, '--client-ca', ca]);
    const tls = { ca, certificate: write('web-1.pem', client.certificate), key: write('web-1.key', client.key) };
    const path = join(directory, 'app.pipe');
    const agent = await startAgent(t, {
      directory,
      receivers: { pipe: { path, log_format: TOPIC, format: 'text' } },
      destinations: [],
      logx: { destinations: { 'log-a': { endpoint: `tls://127.0.0.1:${a.port}`, tls, compression: 'zstd' } } },
    });
    const writer = new PipeWriter(t, path);
    for (let number = 0; number < 1000; number++) await writer.write(lineOf(number));
    await waitFor(() => stored(a).size === 1000, { what: 'the records' });
    t.same(await stop(agent), { code: 0, signal: null });
    await a.program.end();
    t.same(
      [...stored(a).values()],
      Array.from({ length: 1000 }, (_, number) => lineOf(number)),
    );
  },
);

void test('a foreign receiver that knows only lines gets lines and nothing else', NEEDS_PYTHON, async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'app.pipe');
  const a = await startDestination(t, directory, 'log-a');
  const agent = await startAgent(t, {
    directory,
    receivers: { pipe: { path, log_format: TOPIC, format: 'text' } },
    destinations: [],
    logx: { destinations: { 'log-a': { endpoint: `tcp://127.0.0.1:${a.port}`, acknowledged: false } } },
  });
  const writer = new PipeWriter(t, path);
  for (let number = 0; number < 1000; number++) await writer.write(lineOf(number));
  await waitFor(() => stored(a).size === 1000, { what: 'the lines' });
  t.same(await stop(agent), { code: 0, signal: null });
  await a.program.end();
  t.same(a.program.told('hello'), []);
  t.same(
    [...stored(a).values()],
    Array.from({ length: 1000 }, (_, number) => lineOf(number)),
  );
});

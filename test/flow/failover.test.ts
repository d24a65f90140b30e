/** What log-x promises while receivers die, freeze and come back: real processes, killed and stopped by real signals. */
import { connect } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import {
  readTopic,
  type Running,
  type RunningReceiver,
  scrape,
  startAgent,
  startReceiver,
  stop,
  type StoredRecord,
} from '../helpers/agents.ts';
import { watchUntil } from '../helpers/ledgers.ts';
import { PipeLoad } from '../helpers/pipe_load.ts';
import { PipeWriter } from '../helpers/pipe_writer.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { waitFor } from '../helpers/wait_for.ts';

const TOPIC = 'app';
const DEADLINE_MS = 30_000;

/** With default timeouts a record arrives at the other receiver within 4 s of its own one's death; a busy machine may add to that. */
const NOTICE_MS = 4000;
const SLACK_MS = 2000;

/** Returns that a test waits for are made quick; when records leave is left as it is by default. */
const QUICK_RETURN = { probe_interval: '300ms', probe_successes: 2, min_dwell: '1s' };

interface Site {
  readonly path: string;
  readonly a: RunningReceiver;
  readonly b: RunningReceiver;
  readonly agent: Running;
}

async function startSite(t: Test, logx: Readonly<Record<string, unknown>> = {}): Promise<Site> {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'app.pipe');
  const [a, b] = await Promise.all([
    startReceiver(t, { directory, name: 'log-a' }),
    startReceiver(t, { directory, name: 'log-b' }),
  ]);
  const agent = await startAgent(t, {
    directory,
    receivers: { 'pipe/app': { path, log_format: TOPIC, format: 'text', service: 'app' } },
    destinations: [a, b],
    logx,
    spool: { memory: { max_bytes: '256MiB' } },
  });
  return { path, a, b, agent };
}

/** Records that lie at a receiver for itself, or for another one whose mark they bear. */
function recordsFor(destination: string, at: RunningReceiver): StoredRecord[] {
  const isOwn = at.name === destination;
  const records = readTopic(at, isOwn ? TOPIC : `dead-letter.${destination}.${TOPIC}`);
  const mark = isOwn ? undefined : destination;
  if (records.some((record) => record.destination !== mark))
    throw new Error(`a record at ${at.name} bears another mark than ${mark}`);
  return records;
}

/** The ids under which the numbered lines are stored for a destination, wherever; a number must always have the same one. */
function idsFor(destination: string, receivers: readonly RunningReceiver[]): Map<number, string> {
  const ids = new Map<number, string>();
  for (const receiver of receivers) {
    for (const { wrapper } of recordsFor(destination, receiver)) {
      const number = numberOf(wrapper['message']);
      const id = String(wrapper['id']);
      if ((ids.get(number) ?? id) !== id) throw new Error(`record ${number} has the ids ${ids.get(number)} and ${id}`);
      ids.set(number, id);
    }
  }
  return ids;
}

function lineOf(number: number): string {
  return `record ${number} ${'.'.repeat(200)}`;
}

function numberOf(message: unknown): number {
  const [, number] = /^record (\d+) \.+$/.exec(String(message)) ?? [];
  if (number === undefined) throw new Error(`a record that was not written: ${String(message)}`);
  return Number(number);
}

/** Records that were delivered by a destination's own endpoint (`direct`) or by another one (`diverted`). */
async function deliveredBy({ agent }: Site, destination: string, route: 'direct' | 'diverted'): Promise<number> {
  return (await scrape(agent)).count('sluice_logx_delivered_records_total', { destination, route });
}

async function isDelivered({ agent }: Site, records: number): Promise<boolean> {
  return (await scrape(agent)).sum('sluice_ledger_delivered_records_total') === records;
}

async function unackedBytes({ agent }: Site, destination: string): Promise<number> {
  return (await scrape(agent)).sum('sluice_logx_unacked_bytes', { destination });
}

async function isDiverted({ agent }: Site, destination: string): Promise<boolean> {
  return (await scrape(agent)).sum('sluice_logx_diverted', { destination }) === 1;
}

async function stopAll(t: Test, running: readonly Running[]): Promise<void> {
  for (const each of running) t.same(await stop(each), { code: 0, signal: null }, `${each.process.name} ends in good order`);
}

void test('what is written to a pipe and a socket is at both receivers with host, data centre, service, time and one id', async (t) => {
  const directory = temporaryDirectory(t);
  const [pipe, socket] = [join(directory, 'app.pipe'), join(directory, 'app.sock')];
  const receivers = await Promise.all(['log-a', 'log-b'].map((name) => startReceiver(t, { directory, name })));
  const agent = await startAgent(t, {
    directory,
    receivers: {
      pipe: { path: pipe, log_format: TOPIC, service: 'piped' },
      unix: { path: socket, log_format: TOPIC, service: 'sent' },
    },
    processors: { tag: { datacenter: 'ams' } },
    destinations: receivers,
    service: { host_name: 'web-1' },
  });
  const startMs = Date.now();
  await new PipeWriter(t, pipe).write('through the pipe');
  connect({ path: socket }).end('{"service":"nginx","level":"warn","status":404}\n');
  await waitFor(() => receivers.every((receiver) => readTopic(receiver, TOPIC).length === 2), {
    what: 'both records at both receivers',
    deadlineMs: DEADLINE_MS,
  });
  const [atA = [], atB = []] = receivers.map((receiver) =>
    readTopic(receiver, TOPIC)
      .map(({ wrapper }) => wrapper)
      .sort((one, other) => String(one['service']).localeCompare(String(other['service']))),
  );
  t.same(atA, atB, 'the copies are the same, ids included');
  t.match(atA, [
    { host: 'web-1', datacenter: 'ams', service: 'nginx', severity: 'warn', body: { status: 404 } },
    { host: 'web-1', datacenter: 'ams', service: 'piped', message: 'through the pipe' },
  ]);
  for (const { id, timestamp } of atA) {
    t.match(id, /^[0-9a-f]{16}-\d+$/);
    const age = Date.parse(String(timestamp)) - startMs;
    t.ok(age > -1000 && age < DEADLINE_MS, `the time is that of the writing: ${String(timestamp)}`);
  }
  await stopAll(t, [agent, ...receivers]);
});

void test('killing a receiver under load loses nothing, and its records are at the other one, marked, under the same ids', async (t) => {
  const site = await startSite(t, QUICK_RETURN);
  const { path, a, b, agent } = site;
  const load = new PipeLoad(t, path, lineOf);
  load.start(10_000);
  await watchUntil([agent, a, b], 'records at log-a', async () => (await deliveredBy(site, 'log-a', 'direct')) > 5000);
  a.process.signal('SIGSTOP'); // so that it dies with batches that it was sent and has not acked
  await watchUntil([agent, b], 'batches under way to log-a', async () => (await unackedBytes(site, 'log-a')) > 100_000);
  await a.process.end('SIGKILL');
  await watchUntil([agent, b], 'its records at log-b', async () => (await deliveredBy(site, 'log-a', 'diverted')) > 20_000);
  const again = await startReceiver(t, a);
  await watchUntil([agent, again, b], 'records to go direct again', async () => !(await isDiverted(site, 'log-a')));
  const before = await deliveredBy(site, 'log-a', 'direct');
  await watchUntil([agent, again, b], 'more records at log-a', async () => {
    return (await deliveredBy(site, 'log-a', 'direct')) > before + 5000;
  });
  await load.stop();
  await watchUntil([agent, again, b], 'everything to be delivered', () => isDelivered(site, load.written));
  const [forA, forB] = [idsFor('log-a', [again, b]), idsFor('log-b', [again, b])]; // log-b's own may have been slow, too
  t.comment(`${load.written} records, ${recordsFor('log-a', b).length} of them diverted`);
  t.equal(forB.size, load.written, 'log-b has every record');
  t.equal(forA.size, load.written, 'log-a has every record, or log-b has it for log-a');
  t.equal(new Set(forB.values()).size, load.written, 'every record has an id of its own');
  t.ok(
    [...forA].every(([number, id]) => forB.get(number) === id),
    'the copies of a record have the same id',
  );
  await stopAll(t, [agent, again, b]);
});

void test('the records of a receiver that is silent, though connected, are at the other one within 4 s, and return', async (t) => {
  const site = await startSite(t, QUICK_RETURN);
  const { path, a, b, agent } = site;
  const load = new PipeLoad(t, path, lineOf);
  load.start(200);
  await watchUntil([agent, a, b], 'records at log-a', async () => (await deliveredBy(site, 'log-a', 'direct')) > 100);
  const frozenMs = performance.now();
  a.process.signal('SIGSTOP');
  await watchUntil([agent, b], 'its records at log-b', async () => (await deliveredBy(site, 'log-a', 'diverted')) > 0);
  const noticedMs = performance.now() - frozenMs;
  t.comment(`noticed after ${Math.round(noticedMs)} ms`);
  t.ok(noticedMs > 2000, 'not before an ack was due');
  t.ok(noticedMs < NOTICE_MS + SLACK_MS, `within ${NOTICE_MS} ms, on a machine that has time`);
  t.not(recordsFor('log-a', b).length, 0, 'log-b has stored them');
  const direct = await deliveredBy(site, 'log-b', 'direct');
  await watchUntil([agent, b], 'log-b to get its own records meanwhile', async () => {
    return (await deliveredBy(site, 'log-b', 'direct')) > direct + 100;
  });
  a.process.signal('SIGCONT');
  await watchUntil([agent, a, b], 'records to go direct again', async () => !(await isDiverted(site, 'log-a')));
  const marked = recordsFor('log-a', b).length;
  const before = load.written;
  await watchUntil([agent, a, b], 'new records', () => load.written > before + 100);
  await load.stop();
  await watchUntil([agent, a, b], 'everything to be delivered', () => isDelivered(site, load.written));
  t.equal(recordsFor('log-a', b).length, marked, 'nothing is diverted any more');
  t.equal(idsFor('log-a', [a, b]).size, load.written);
  t.equal(idsFor('log-b', [a, b]).size, load.written);
  await stopAll(t, [agent, a, b]);
});

void test('in failover mode the second receiver takes, marked, what the first cannot, and the first what comes after its return', async (t) => {
  const site = await startSite(t, { mode: 'failover', ...QUICK_RETURN });
  const { path, a, b, agent } = site;
  const load = new PipeLoad(t, path, lineOf);
  load.start(1000);
  await watchUntil([agent, a, b], 'records at log-a', async () => (await deliveredBy(site, 'log-a', 'direct')) > 500);
  await a.process.end('SIGKILL');
  await watchUntil([agent, b], 'its records at log-b', async () => (await deliveredBy(site, 'log-a', 'diverted')) > 500);
  const again = await startReceiver(t, a);
  const before = await deliveredBy(site, 'log-a', 'direct');
  await watchUntil([agent, again, b], 'records to go direct again', async () => {
    return (await deliveredBy(site, 'log-a', 'direct')) > before + 500;
  });
  await load.stop();
  await watchUntil([agent, again, b], 'everything to be delivered', () => isDelivered(site, load.written));
  t.equal(idsFor('log-a', [again, b]).size, load.written);
  t.same(readTopic(b, TOPIC), [], 'log-b is no destination of its own');
  await stopAll(t, [agent, again, b]);
});

/** What the table of bad input promises of the spool and of SIGTERM while no receiver can be reached. */
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { describeError } from '../../src/core/errors.ts';
import { readTopic, type Running, type RunningReceiver, scrape, startAgent, startReceiver, stop } from '../helpers/agents.ts';
import { PipeWriter } from '../helpers/pipe_writer.ts';
import { freePort } from '../helpers/sluice_process.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { waitFor } from '../helpers/wait_for.ts';

const MEBIBYTE = 1024 * 1024;
const SPOOL_BYTES = 4 * MEBIBYTE;
/** Receivers that block their writers leave the rest to those that must not wait. */
const BLOCK_SHARE = 0.75;
const LINES = 10_000;
const LINE_BYTES = 1000;
const DEADLINE_MS = 60_000;

/** A writer that is held up is held up for good while the receivers are down; a busy machine may take its time. */
const LONGEST_WAIT_MS = 2000;

const NAMES = ['log-a', 'log-b'] as const;

function line(number: number): string {
  return `{"n":${number},"pad":"`.padEnd(LINE_BYTES, 'x') + '"}';
}

interface Subject {
  readonly agent: Running;
  readonly topic: string;
  readonly writer: PipeWriter;
}

/** An agent with one pipe, whose records have a topic of their own at the receivers. */
async function startSubject(
  t: Test,
  directory: string,
  topic: string,
  destinations: readonly { readonly name: string; readonly port: number }[],
  options: Readonly<Record<string, unknown>>,
): Promise<Subject> {
  const path = join(directory, `${topic}.pipe`);
  const agent = await startAgent(t, {
    directory,
    name: topic,
    receivers: { pipe: { path, log_format: topic, ...options } },
    destinations,
    spool: { memory: { max_bytes: '4MiB' }, disk: { enabled: false } },
    service: { shutdown_timeout: '500ms' },
  });
  return { agent, topic, writer: new PipeWriter(t, path) };
}

async function writeAll({ writer }: Subject): Promise<void> {
  for (let number = 0; number < LINES; number++) await writer.write(line(number));
}

interface Ledger {
  readonly accepted: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly spoolBytes: number;
}

/** Looks at the metrics; throws where something does not hold that must whenever somebody looks. */
async function look({ agent, topic }: Subject): Promise<Ledger> {
  const metrics = await scrape(agent);
  const spoolBytes = metrics.sum('sluice_spool_memory_bytes');
  const unaccounted = metrics.sum('sluice_ledger_unaccounted_records');
  if (unaccounted !== 0) throw new Error(`the ledger of ${topic} has ${unaccounted} records unaccounted for`);
  const dropped = metrics.count('sluice_ledger_dropped_records_total');
  if (dropped !== metrics.count('sluice_ledger_dropped_records_total', { reason: 'spool_full' })) {
    throw new Error(`${topic} dropped records for another reason than that the spool is full`);
  }
  return {
    accepted: metrics.sum('sluice_ledger_accepted_records_total'),
    delivered: metrics.sum('sluice_ledger_delivered_records_total'),
    dropped,
    spoolBytes,
  };
}

/** Looks until it sees what is waited for. */
async function see(subject: Subject, what: string, condition: (ledger: Ledger) => boolean): Promise<Ledger> {
  let ledger = await look(subject);
  const isSeen = async (): Promise<boolean> => condition(ledger) || condition((ledger = await look(subject)));
  try {
    await waitFor(isSeen, { what: `${subject.topic}: ${what}`, deadlineMs: DEADLINE_MS });
  } catch (cause) {
    throw new Error(`${describeError(cause)}; the last that was seen is ${JSON.stringify(ledger)}`, { cause });
  }
  return ledger;
}

/** The numbers of the lines that have arrived for a destination, at its own receiver or, marked, at the other one; ascending. */
function arrivedFor(destination: string, receivers: readonly RunningReceiver[], topic: string): number[] {
  const numbers = new Set<number>();
  for (const receiver of receivers) {
    const isOwn = receiver.name === destination;
    for (const { wrapper } of readTopic(receiver, isOwn ? topic : `dead-letter.${destination}.${topic}`)) {
      numbers.add(numberOf(wrapper['body']));
    }
  }
  return [...numbers].sort((a, b) => a - b);
}

function numberOf(body: unknown): number {
  if (typeof body === 'object' && body !== null && 'n' in body && typeof body.n === 'number') return body.n;
  throw new Error(`a record that was not written: ${JSON.stringify(body)}`);
}

void test('with both receivers down the spool fills to its bound, the rule applies, and what was kept ships when they return', async (t) => {
  const root = temporaryDirectory(t);
  const places = await Promise.all(NAMES.map(async (name) => ({ directory: root, name, port: await freePort() })));
  const [oldest, newest, block] = await Promise.all(
    (['drop_oldest', 'drop_newest', 'block'] as const).map((rule) =>
      // A line of which only a part has been read when reading stops must outlast this.
      startSubject(t, root, rule, places, { format: 'json', on_full: rule, partial_line_timeout: '100ms' }),
    ),
  );
  if (oldest === undefined || newest === undefined || block === undefined) throw new Error('three were started');

  const blocked = writeAll(block);
  await Promise.all([writeAll(oldest), writeAll(newest)]);
  const dropped = new Map<Subject, number>();
  for (const subject of [oldest, newest]) {
    const { topic, writer } = subject;
    t.ok(writer.longestWaitMs < LONGEST_WAIT_MS, `${topic}: no line waited longer than ${Math.round(writer.longestWaitMs)} ms`);
    const ledger = await see(subject, 'everything to be read', ({ accepted }) => accepted === LINES);
    t.ok(ledger.spoolBytes <= SPOOL_BYTES, `${topic}: the spool has ${ledger.spoolBytes} bytes`);
    t.ok(ledger.spoolBytes > SPOOL_BYTES / 2, `${topic}: which is about its bound`);
    t.ok(ledger.dropped > LINES / 2 && ledger.dropped < LINES, `${topic}: ${ledger.dropped} records were dropped`);
    t.equal(ledger.delivered, 0);
    dropped.set(subject, ledger.dropped);
  }
  const full = await see(block, 'the spool to be full', ({ spoolBytes }) => spoolBytes >= SPOOL_BYTES * BLOCK_SHARE);
  t.ok(full.spoolBytes < 2 * SPOOL_BYTES, `block: the spool has ${full.spoolBytes} bytes, its bound and what was being read`);
  t.equal(full.dropped, 0);
  t.ok(block.writer.written < LINES, 'its writer waits');

  const receivers = await Promise.all(places.map((place) => startReceiver(t, place)));
  await blocked;
  for (const subject of [oldest, newest, block]) {
    const kept = LINES - (dropped.get(subject) ?? 0);
    const { topic } = subject;
    const ledger = await see(subject, `${kept} records to be delivered`, ({ delivered }) => delivered === kept);
    t.equal(ledger.dropped, LINES - kept, `${topic}: no record was dropped after that`);
    for (const destination of NAMES) {
      const numbers = arrivedFor(destination, receivers, topic);
      t.equal(numbers.length, kept, `${topic}: what was kept, and nothing else, has arrived for ${destination}`);
      if (subject !== newest) t.equal(numbers.at(-1), LINES - 1, `${topic}: the newest record was kept`);
      if (subject === oldest) t.equal(numbers[0], LINES - kept, `${topic}: the oldest records were dropped`);
      else t.equal(numbers[0], 0, `${topic}: the oldest record was kept`);
    }
    t.same(await stop(subject.agent), { code: 0, signal: null });
    t.match(subject.agent.process.log.at(-1), { delivered: kept, undelivered: 0, unaccounted: 0 });
  }
});

void test('SIGTERM with both receivers down reports what is lost by number, within shutdown_timeout', async (t) => {
  const root = temporaryDirectory(t);
  const places = await Promise.all(NAMES.map(async (name) => ({ name, port: await freePort() })));
  const subject = await startSubject(t, root, 'terminated', places, {});
  for (let number = 0; number < 100; number++) await subject.writer.write(line(number));
  await see(subject, 'everything to be read', ({ accepted }) => accepted === 100);
  await subject.writer.write('one that is in the pipe, perhaps');
  const startMs = performance.now();
  t.same(await stop(subject.agent), { code: 0, signal: null });
  const tookMs = performance.now() - startMs;
  t.ok(tookMs >= 500 && tookMs < 500 + LONGEST_WAIT_MS, `it took ${Math.round(tookMs)} ms`);
  t.match(subject.agent.process.log.at(-1), {
    level: 'warn',
    message: /^stopped before everything was delivered/,
    accepted: 101,
    delivered: 0,
    dropped: 101,
    undelivered: 101,
    unaccounted: 0,
  });
});

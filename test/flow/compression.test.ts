/** Compressed batches between a real agent and real receivers. */
import { join } from 'node:path';
import { test } from 'tap';
import { readTopic, scrape, startAgent, startReceiver, stop } from '../helpers/agents.ts';
import { PipeWriter } from '../helpers/pipe_writer.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';
import { waitFor } from '../helpers/wait_for.ts';

const TOPIC = 'app';
const RECORDS = 2000;
const DEADLINE_MS = 30_000;

void test('records arrive the same whether their batches are compressed or not, and the compressed ones cost a fraction', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'app.pipe');
  const [offering, other] = await Promise.all([
    startReceiver(t, { directory, name: 'log-a' }),
    startReceiver(t, { directory, name: 'log-b', cfjs1: { compression: [] } }),
  ]);
  const options = { compression: 'zstd' };
  const agent = await startAgent(t, {
    directory,
    receivers: { pipe: { path, log_format: TOPIC } },
    destinations: [offering, other].map((receiver) => ({ ...receiver, options })),
  });
  const writer = new PipeWriter(t, path);
  const messages = Array.from(
    { length: RECORDS },
    (_, number) => `GET /items/${number} HTTP/1.1 200 ${(number * 7919) % 50_000}`,
  );
  for (const message of messages) await writer.write(message);
  for (const receiver of [offering, other]) {
    await waitFor(() => readTopic(receiver, TOPIC).length === RECORDS, {
      what: `${receiver.name} to have ${RECORDS} records`,
      deadlineMs: DEADLINE_MS,
    });
    t.same(
      readTopic(receiver, TOPIC).map(({ wrapper }) => wrapper['message']),
      messages,
    );
  }
  t.same(readTopic(other, TOPIC), readTopic(offering, TOPIC), 'with the same ids');

  const isDelivered = async () => (await scrape(agent)).sum('sluice_ledger_delivered_records_total') === RECORDS;
  await waitFor(isDelivered, { what: 'the last ack', deadlineMs: DEADLINE_MS });
  const metrics = await scrape(agent);
  const bytes = (what: string, destination: string): number =>
    metrics.sum(`sluice_logx_delivered_${what}_total`, { destination, route: 'direct' });
  const lineBytes = bytes('line_bytes', 'log-a');
  t.ok(lineBytes > RECORDS * 100);
  t.ok(bytes('bytes', 'log-a') < lineBytes / 2, `${bytes('bytes', 'log-a')} bytes were sent of ${lineBytes}`);
  t.equal(bytes('bytes', 'log-b'), bytes('line_bytes', 'log-b'));
  t.match(
    agent.process.log.filter(({ message }) => String(message).includes('does not offer the compression')),
    [{ destination: 'log-b', compression: 'zstd' }],
  );
  t.same(await stop(agent), { code: 0, signal: null });
});

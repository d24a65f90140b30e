/**
 * The writer's view: a service that writes to a pipe does not notice that both receivers are away, nor that they come back. It would have to
 * wait where the pipe is full because the agent does not read it. Where the agent has no processor to read it with, since the machine is
 * busy with other things, that is not the agent's doing, and not counted.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { t as root, test } from 'tap';
import { startReceiver } from '../helpers/agents.ts';
import { checkLedgers, ledgerOf, watchUntil } from '../helpers/ledgers.ts';
import { LineWriter } from '../helpers/line_writer.ts';
import { deliveredBy, NAMES, startSite, stopSite } from './site.ts';

const LINES_PER_SECOND = 50_000;
const AWAY_MS = 30_000;
const LONGEST_WAIT_MS = 50;
const LOOK_EVERY_MS = 500;
const DEADLINE_MS = 60_000;

/** Longer than a busy machine needs. */
root.setTimeout(300_000);

void test('a writer of 50,000 lines a second does not notice that both receivers go away for 30 s and come back', async (t) => {
  const site = await startSite(t);
  const { receivers } = site;
  const writer = new LineWriter(t, site.path, { linesPerSecond: LINES_PER_SECOND, readerPid: site.agent.process.pid });
  await watchUntil([site.agent], 'records at both', async () => {
    const delivered = await Promise.all(NAMES.map((name) => deliveredBy(site, name, 'direct')));
    return delivered.every((records) => records > LINES_PER_SECOND);
  });
  const [atFirst, beforeMs] = [writer.written, performance.now()];
  await Promise.all(NAMES.map((name) => receivers[name].process.end('SIGKILL')));
  while (performance.now() - beforeMs < AWAY_MS) {
    await checkLedgers([site.agent]);
    await delay(LOOK_EVERY_MS);
  }
  const rate = ((writer.written - atFirst) / (performance.now() - beforeMs)) * 1000;
  for (const name of NAMES) receivers[name] = await startReceiver(t, receivers[name]);
  const back = writer.written;
  await watchUntil(
    [site.agent],
    'records to be delivered again',
    async () => {
      return (await ledgerOf(site.agent)).delivered > back + LINES_PER_SECOND;
    },
    { deadlineMs: DEADLINE_MS },
  );
  await writer.stop();
  const { written, longestUnreadMs, longestFullMs, longestCallMs } = writer;
  const [unread, full, call] = [longestUnreadMs, longestFullMs, longestCallMs].map((ms) => `${ms.toFixed(1)} ms`);
  t.comment(
    `${Math.round(rate)} lines/s while both were away; the pipe was full for ${full} at the longest, ${unread} of it unread`,
  );
  t.comment(`the longest write(2), with whatever the machine did meanwhile: ${call}`);
  t.ok(longestUnreadMs < LONGEST_WAIT_MS, `no write has to wait for ${LONGEST_WAIT_MS} ms`);
  t.ok(rate > LINES_PER_SECOND * 0.95, 'the writer kept its pace');

  await watchUntil(
    [site.agent],
    'everything to be delivered',
    async () => {
      return (await ledgerOf(site.agent)).delivered === written;
    },
    { deadlineMs: DEADLINE_MS },
  );
  await stopSite(t, site);
});

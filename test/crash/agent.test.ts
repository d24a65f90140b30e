/**
 * The agent itself is killed every few seconds under 20,000 lines a second, each time with seconds of records that both receivers have not
 * acked, since they are frozen. What a source keeps until the ack (here: another agent) is not lost at all. Of what is written to a pipe as
 * much is lost as docs/DELIVERY.md says: what had been read and was neither delivered nor on disk.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { type Test, t as root, test } from 'tap';
import { type Running, startAgent } from '../helpers/agents.ts';
import { checkLedgers, ledgerOf, watchUntil } from '../helpers/ledgers.ts';
import { LineWriter } from '../helpers/line_writer.ts';
import { NUMBERED_LINE_BYTES } from '../helpers/numbered_lines.ts';
import { freePort } from '../helpers/sluice_process.ts';
import type { StoredLines } from '../helpers/stored_lines.ts';
import { type Site, startSite, stopSite, storedAt } from './site.ts';

const LINES_PER_SECOND = 20_000;
const KEPT_LINES_PER_SECOND = 1000;
const KEPT_TOPIC = 'kept';
/** The receivers take records for the first part of each life of the agent, and are frozen for the second. */
const LIFE_MS = [2000, 2500] as const;
const LOOK_EVERY_MS = 250;
const DEADLINE_MS = 60_000;

const MEBIBYTE = 1024 * 1024;
const MEMORY_BYTES = 32 * MEBIBYTE;

/** With `always`: a batch gathers for up to 25 ms, then waits 50 ms for others to be committed with it, then for the disk. */
const UNCOMMITTED_MS = 25 + 50;
/** What the disk and a machine with other work may add to that. */
const SLACK_MS = 425;

/** Longer than a busy machine needs. */
root.setTimeout(300_000);

interface Subject {
  readonly durability: 'always' | 'overflow';
  readonly forMs: number;
  /** Most lines that one kill may cost. */
  readonly maxLost: number;
}

async function killTimeAndAgain(t: Test, { durability, forMs, maxLost }: Subject): Promise<void> {
  const relayPort = await freePort();
  const site = await startSite(t, {
    sources: { cfjs1: { listen: `127.0.0.1:${relayPort}`, name: 'relay' } },
    spool: { memory: { max_bytes: `${MEMORY_BYTES / MEBIBYTE}MiB` }, durability },
  });
  const keptPath = join(site.directory, 'kept.pipe');
  const source = await startAgent(t, {
    directory: site.directory,
    name: 'source',
    receivers: { pipe: { path: keptPath, log_format: KEPT_TOPIC, format: 'text' } },
    destinations: [{ name: 'relay', port: relayPort }],
  });
  const writer = new LineWriter(t, site.path, { linesPerSecond: LINES_PER_SECOND });
  const keptWriter = new LineWriter(t, keptPath, { linesPerSecond: KEPT_LINES_PER_SECOND });

  let kills = 0;
  for (const endMs = performance.now() + forMs; performance.now() < endMs; kills++) {
    await watchFor(LIFE_MS[0], [site.agent, source]);
    for (const { process } of Object.values(site.receivers)) process.signal('SIGSTOP');
    await watchFor(LIFE_MS[1], [site.agent, source]);
    await site.agent.process.end('SIGKILL');
    for (const { process } of Object.values(site.receivers)) process.signal('SIGCONT');
    site.agent = await startAgent(t, site.settings);
  }
  await Promise.all([writer.stop(), keptWriter.stop()]);
  const [written, kept] = [writer.written, keptWriter.written];
  await watchUntil([site.agent, source], 'everything to be delivered', () => isDone(site, source, kept), {
    deadlineMs: DEADLINE_MS,
  });
  const delivered = await checkTotals(t, site, { written, kills, maxLost });
  t.same(await source.process.end(), { code: 0, signal: null });
  await stopSite(t, site);

  for (const [destination, stored] of Object.entries(storedAt(t, site, KEPT_TOPIC))) {
    t.same(stored.missing(kept), [], `${destination} has every line that its source kept`);
    t.same(stored.tails, []);
    t.comment(`${destination}: ${kept} kept lines, ${stored.duplicates} of them twice`);
  }
  for (const [destination, stored] of Object.entries(storedAt(t, site))) {
    checkLost(t, `${durability}: ${destination}`, stored, { written, kills, maxLost });
    t.ok(delivered <= stored.ids.size + stored.tails.length, 'and the ledger claims no more to be delivered than is there');
  }
}

async function watchFor(ms: number, agents: readonly Running[]): Promise<void> {
  for (const endMs = performance.now() + ms; performance.now() < endMs;) {
    await checkLedgers(agents);
    await delay(LOOK_EVERY_MS);
  }
}

async function isDone({ agent }: Site, source: Running, kept: number): Promise<boolean> {
  const [here, there] = [await ledgerOf(agent), await ledgerOf(source)];
  return there.delivered === kept && here.held === 0;
}

interface Toll {
  readonly written: number;
  readonly kills: number;
  readonly maxLost: number;
}

/** What is missing of the pipe's lines is a run or a few at each kill, and no longer than may be. */
function checkLost(t: Test, what: string, stored: StoredLines, { written, kills, maxLost }: Toll): void {
  const runs = stored.missing(written);
  const lost = runs.reduce((sum, { count }) => sum + count, 0);
  const worst = runs.reduce((most, { count }) => Math.max(most, count), 0);
  t.comment(`${what}: ${written} written, ${kills} kills, ${lost} lost, ${worst} at most at once, ${stored.duplicates} twice`);
  t.ok(worst <= maxLost && lost <= kills * maxLost, `no more than ${maxLost} lines are lost at a kill`);
  t.ok(stored.tails.length <= kills, 'at each kill one line at most is torn');
  t.equal(stored.ids.size + lost, written, 'none that was not written');
  t.ok(stored.ids.size > written / 2, 'and most are there');
}

/** The ledger has gone on over all restarts, and is off by what happened after it was saved at most. What it has as delivered. */
async function checkTotals(t: Test, { agent }: Site, { written, kills, maxLost }: Toll): Promise<number> {
  const { accepted, delivered, deadLettered, dropped, held, droppedFor } = await ledgerOf(agent, 'pipe');
  t.comment(`ledger: ${accepted} accepted, ${droppedFor('crash')} crash, ${droppedFor('crash_settled')} crash_settled`);
  t.equal(accepted, delivered + deadLettered + dropped + held, 'the ledger balances');
  t.equal(deadLettered + held, 0);
  t.ok(
    Math.abs(written - accepted) < kills * (LINES_PER_SECOND * 1.5 + maxLost),
    'and knows of all but the last second of each life',
  );
  t.ok(droppedFor('crash') <= kills * maxLost, 'what a crash may have cost is bounded');
  return delivered;
}

void test('an agent that is killed time and again loses of a pipe what it has read and not committed', (t) =>
  killTimeAndAgain(t, {
    durability: 'always',
    forMs: 60_000,
    maxLost: (LINES_PER_SECOND * (UNCOMMITTED_MS + SLACK_MS)) / 1000,
  }));

void test('with overflow it loses of a pipe what it has in memory', (t) =>
  killTimeAndAgain(t, { durability: 'overflow', forMs: 12_000, maxLost: MEMORY_BYTES / NUMBERED_LINE_BYTES }));

/**
 * A real journald under 20,000 entries a second, which rotates every second, is restarted and killed, while what was read is vacuumed
 * and the agent is killed time and again. Each entry that ever was in a file of the journal is at the receiver, under one id; and of what
 * is vacuumed before it was read, the agent says how much that was.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Test, t as root, test } from 'tap';
import { withoutJournald } from '../../plugins/receivers/journald/testdata/journald.ts';
import { scrape } from '../helpers/agents.ts';
import { checkLedgers, ledgerOf, watchUntil } from '../helpers/ledgers.ts';
import { numberOf } from '../helpers/numbered_lines.ts';
import { JournalSite } from './journal_site.ts';

const skip = withoutJournald;

const ENTRIES_PER_SECOND = 20_000;
const SECONDS = Number(process.env['SLUICE_JOURNALD_SECONDS'] ?? 10);
/** In seconds of the test. */
const KILL_AGENT_EVERY = 3;
const RESTART_JOURNALD_AT = 4;
const KILL_JOURNALD_AT = 8;
const UNACKED_MS = 1500;
const DEADLINE_MS = 120_000;

/** What is read again after a kill: a position is saved each second, and what comes behind it takes its time on a busy machine. */
const REPEATED_SECONDS = 4;

/** Longer than a busy machine needs. */
root.setTimeout(300_000 + SECONDS * 2000);

void test(
  'nothing of a journal is lost, and nothing has two ids, over rotations, vacuums, restarts and kills',
  { skip },
  async (t) => {
    const site = await JournalSite.start(t, ENTRIES_PER_SECOND);
    const { journald, load } = site;
    let kills = 0;
    let vacuumed = 0;
    for (let second = 1; second <= SECONDS; second++) {
      await delay(1000);
      await checkLedgers([site.agent]);
      journald.rotate();
      vacuumed += site.vacuumRead();
      if (second === RESTART_JOURNALD_AT || second === KILL_JOURNALD_AT) {
        await journald.stop(second === KILL_JOURNALD_AT ? 'SIGKILL' : 'SIGTERM');
        await journald.start();
      }
      if (second % KILL_AGENT_EVERY !== 0) continue;
      // Every other time with its receiver, that has not acked for longer than a position waits to be saved: what is on its way is gone.
      if (kills % 2 === 0) await site.killReceiver(UNACKED_MS);
      await site.endAgent('SIGKILL');
      if (kills % 2 === 0) await site.startReceiver();
      await site.startAgent();
      kills += 1;
    }
    await load.stop();
    const entries = await allEntries(t, site);
    t.comment(`${kills} kills of the agent, ${vacuumed} files vacuumed`);
    t.ok(vacuumed > 0, 'files were vacuumed');
    t.ok(entries.size > (SECONDS * ENTRIES_PER_SECOND) / 10, 'there was a load');
    await deliverAll(site, entries);
    const { missing, repeated } = checkStored(t, site, entries);
    t.same(runsOf(missing), [], 'every entry is stored');
    t.same(await site.unread(), {}, 'and the agents could read everything');
    t.same(site.warnings, [], 'and warned of nothing');
    const known = (await scrape(site.receiver)).count('sluice_cfjs1_duplicate_records_total');
    t.comment(`sent again: ${repeated} records that are stored twice, and ${known} that the receiver knew by their ids`);
    t.ok(repeated + known <= kills * REPEATED_SECONDS * ENTRIES_PER_SECOND, 'no more than what may not have been saved');
  },
);

void test('what is vacuumed before it was read is counted, and nothing else is lost', { skip }, async (t) => {
  const site = await JournalSite.start(t, ENTRIES_PER_SECOND / 4);
  const { journald, load } = site;
  await delay(1000);
  await site.endAgent('SIGTERM');
  for (let rotations = 0; rotations < 5; rotations++) {
    await delay(300);
    journald.rotate();
  }
  await journald.sync();
  site.vacuumOldest(3);
  await site.startAgent();
  await delay(500);
  await load.stop();
  const entries = await allEntries(t, site);
  await deliverAll(site, entries);
  const { missing, repeated } = checkStored(t, site, entries);
  t.equal(repeated, 0, 'after a stop in good order nothing is sent again');
  t.ok(missing.length > 1000, `${missing.length} entries were lost`);
  const isCounted = async (): Promise<boolean> => {
    site.touch();
    await delay(200);
    return (await site.unread())['lost_entries vacuumed'] !== undefined;
  };
  await watchUntil([site.agent], 'the agent to be sure of what is gone', isCounted, { deadlineMs: DEADLINE_MS });
  t.same(await site.unread(), { 'lost_entries vacuumed': missing.length }, 'and the agent says so');
});

/** Ends journald in good order; all that ever was in its files. */
async function allEntries(t: Test, site: JournalSite): Promise<ReadonlyMap<string, string>> {
  const { journald, load } = site;
  await journald.sync();
  await journald.stop();
  const entries = await site.entries();
  const { taken, refused } = load.report;
  t.comment(`${taken} entries written and ${refused} while there was no journald; ${entries.size} in the journal`);
  return entries;
}

/** Waits until the agent has saved that it is behind the last entry of each sequence, and holds nothing. */
async function deliverAll(site: JournalSite, entries: ReadonlyMap<string, string>): Promise<void> {
  const last = new Map<string, number>();
  for (const id of entries.keys()) last.set(id.slice(0, 32), Math.max(last.get(id.slice(0, 32)) ?? 0, sequenceOf(id)));
  const isBehind = (): boolean => [...last].every(([seqnumId, sequence]) => site.positionIn(seqnumId) >= sequence);
  const isDone = async (): Promise<boolean> => isBehind() && (await ledgerOf(site.agent)).held === 0;
  await watchUntil([site.agent], 'the last entry to be delivered', isDone, { deadlineMs: DEADLINE_MS });
}

interface Stock {
  /** Ids of entries that are not stored. */
  readonly missing: readonly string[];
  /** Copies of records beyond the first. */
  readonly repeated: number;
}

/** Checks that what is stored is what the journal had, and each under one id. */
function checkStored(t: Test, site: JournalSite, entries: ReadonlyMap<string, string>): Stock {
  const stored = new Set<string>();
  const wrong: string[] = [];
  let copies = 0;
  for (const { id, message } of site.stored()) {
    copies += 1;
    stored.add(id);
    if (entries.get(id) !== message) wrong.push(`${id}: ${message} instead of ${entries.get(id)}`);
  }
  t.same(wrong.slice(0, 5), [], 'every record is an entry of the journal, with its message');
  const numbers = [...entries.values()].flatMap((message) => numberOf(message) ?? []);
  t.equal(new Set(numbers).size, numbers.length, 'no entry has two ids');
  return { missing: [...entries.keys()].filter((id) => !stored.has(id)), repeated: copies - stored.size };
}

/** The first and last of sequence numbers that follow each other, in a few words. */
function runsOf(ids: readonly string[]): string[] {
  const runs: [first: number, last: number][] = [];
  for (const sequence of ids.map(sequenceOf)) {
    const run = runs.at(-1);
    if (run?.[1] === sequence - 1) run[1] = sequence;
    else runs.push([sequence, sequence]);
  }
  return runs.map(([first, last]) => `${first} to ${last}`);
}

function sequenceOf(id: string): number {
  return Number(id.slice(id.lastIndexOf('-') + 1));
}

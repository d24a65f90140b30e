/**
 * The spool on disk: how fast it takes records that nobody fetches, how fast it gives them away, what it costs that every record is
 * synced, how soon it ships after a crash, and what memory it needs.
 * `node bench/spool.ts [offered|overflow|always|recovery|memory] [RUNS]`
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { SMALL_MEMORY } from './lib/configuration.ts';
import { readPlainly, writePlainly } from './lib/plain_disk.ts';
import { median, type Usage, waitUntil } from './lib/process.ts';
import { type Books, type Options, SpoolSite } from './lib/spool_site.ts';

const WARM_UP_MS = 3000;
const OFFERED_MS = 20_000;
const SPOOLING_MS = 15_000;
const LIVE_MS = 8000;
/** What a writer offers that does not wait. */
const OFFERED_RATE = 500_000;
/** What comes in while the spool is drained, and while memory is looked at. */
const STEADY_RATE = 20_000;
const GIBIBYTE = 2 ** 30;
const DEADLINE_MS = 600_000;

const OVERFLOW = { disk: { max_bytes: '64GiB' } };
const ALWAYS = { ...OVERFLOW, durability: 'always', commit_interval: '50ms' };
/** A writer waits for the agent, so that the rate is what the agent can do, and nothing is dropped. */
const WAITING_WRITER = { on_full: 'block' };

export interface Rate {
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  /** Records that the agent let go of; the rate is that of the others. */
  readonly dropped: number;
  readonly peakMiB: number;
}

/** A rate, and what share it is of what is done without a spool, on the same machine within the same minute. */
export interface Compared extends Rate {
  readonly share: number;
}

interface Intake extends Rate {
  /** By which the spool's files have grown, and how fast. */
  readonly spoolBytes: number;
  readonly spoolBytesPerSecond: number;
}

/** Both receivers are away, and a writer that does not wait offers half a million records a second. */
export async function runOffered(): Promise<Rate> {
  return withSite(OVERFLOW, {}, async (site) => {
    await site.startAgent();
    return measureIntake(site, OFFERED_MS, OFFERED_RATE);
  });
}

/**
 * Both receivers are away, then back: the rate of spooling, beside that of plain writing and syncing of as many bytes, and then that of
 * draining to both while new records come, beside that of an agent without a disk.
 */
export async function runOverflow(): Promise<{ readonly spooling: Compared; readonly draining: Compared }> {
  const { intake, plainBytesPerSecond, draining } = await withSite(OVERFLOW, WAITING_WRITER, async (site) => {
    await site.startAgent();
    const intake = await measureIntake(site, SPOOLING_MS);
    const plainBytesPerSecond = writePlainly(site.directory, intake.spoolBytes);
    return { intake, plainBytesPerSecond, draining: await measureDrain(site) };
  });
  return {
    spooling: { ...intake, share: intake.spoolBytesPerSecond / plainBytesPerSecond },
    draining: { ...draining, share: draining.recordsPerSecond / (await liveRecordsPerSecond()) },
  };
}

/**
 * Every record is written and synced within 50 ms. `away`: by the spool alone, beside plain writing; `live`: both receivers fetch what comes
 * at the same time, and what they have before that is not written at all, beside an agent without a disk.
 */
export async function runAlways(): Promise<{ readonly away: Compared; readonly live: Compared }> {
  const away = await withSite(ALWAYS, WAITING_WRITER, async (site) => {
    await site.startAgent();
    const intake = await measureIntake(site, SPOOLING_MS);
    return { ...intake, share: intake.spoolBytesPerSecond / writePlainly(site.directory, intake.spoolBytes) };
  });
  const live = await measureLive(ALWAYS);
  return { away, live: { ...live, share: live.recordsPerSecond / (await liveRecordsPerSecond()) } };
}

/**
 * Seconds from the start of an agent whose predecessor was killed, with a GiB in its spool, to the first record at a receiver; and what
 * reading the files plainly takes.
 */
export async function runRecovery(): Promise<{ readonly seconds: number; readonly plainReadSeconds: number }> {
  return withSite(OVERFLOW, WAITING_WRITER, async (site) => {
    await site.startAgent();
    await fill(site, GIBIBYTE);
    await site.stopAgent('SIGKILL');
    const plainReadSeconds = readPlainly(site.spoolFiles);
    await site.startReceivers();
    const startedMs = Date.now();
    await site.startAgent();
    await waitUntil(() => site.arrived.records > 0, 'the spool to ship');
    return { seconds: (site.arrived.ms - startedMs) / 1000, plainReadSeconds };
  });
}

/** Resident memory at a steady rate, in MiB: with receivers that take everything at once, and with a large spool that nobody fetches. */
export async function runMemory(): Promise<{ readonly emptyMiB: number; readonly largeMiB: number }> {
  return withSite(OVERFLOW, WAITING_WRITER, async (site) => {
    await site.startAgent();
    await fill(site, GIBIBYTE); // so that all that spooling and draining need has been made once
    await site.startReceivers();
    await whenDrained(site);
    const emptyMiB = await residentMiB(site);
    await site.stopReceivers();
    await fill(site, 10 * GIBIBYTE);
    return { emptyMiB, largeMiB: await residentMiB(site) };
  });
}

/** The rate at which the agent hands on to both receivers what comes in, with no disk at all. */
async function liveRecordsPerSecond(): Promise<number> {
  return (await measureLive(SMALL_MEMORY)).recordsPerSecond;
}

async function measureLive(spool: Options): Promise<Rate> {
  return withSite(spool, WAITING_WRITER, async (site) => {
    await site.startReceivers();
    await site.startAgent();
    return measureIntake(site, LIVE_MS);
  });
}

async function withSite<T>(spool: Options, pipe: Options, run: (site: SpoolSite) => Promise<T>): Promise<T> {
  const site = await SpoolSite.create(spool, pipe);
  try {
    return await run(site);
  } finally {
    await site.remove();
  }
}

/** What the agent takes from its pipe, at a rate or as fast as it can, after it has done so for a while. */
async function measureIntake(site: SpoolSite, ms: number, recordsPerSecond = 0): Promise<Intake> {
  const writer = site.startWriter(recordsPerSecond);
  await sleep(WARM_UP_MS);
  const before = await momentOf(site);
  await sleep(ms);
  const after = await momentOf(site);
  await writer.stop();
  const dropped = after.books.dropped - before.books.dropped;
  const records = after.books.accepted - before.books.accepted - dropped;
  const seconds = (after.books.ms - before.books.ms) / 1000;
  const spoolBytes = after.spoolBytes - before.spoolBytes;
  return {
    recordsPerSecond: records / seconds,
    cpuSecondsPerMillion: ((after.usage.cpuSeconds - before.usage.cpuSeconds) / records) * 1e6,
    dropped,
    peakMiB: after.usage.peakMiB,
    spoolBytes,
    spoolBytesPerSecond: spoolBytes / seconds,
  };
}

interface Moment {
  readonly books: Books;
  readonly usage: Usage;
  readonly spoolBytes: number;
}

async function momentOf(site: SpoolSite): Promise<Moment> {
  return { books: await site.books(), usage: site.usage(), spoolBytes: site.spoolBytes };
}

/** From the first record at a receiver until both have all that the spool held when they came back. */
async function measureDrain(site: SpoolSite): Promise<Rate> {
  const writer = site.startWriter(STEADY_RATE);
  await site.startReceivers();
  await waitUntil(() => site.arrived.records > 0, 'the first records');
  const [before, beforeUsage] = [await site.books(), site.usage()];
  const backlog = before.accepted - before.dropped;
  const after = await whenDelivered(site, backlog);
  const usage = site.usage();
  await writer.stop();
  const records = after.delivered - before.delivered;
  return {
    recordsPerSecond: records / ((after.ms - before.ms) / 1000),
    cpuSecondsPerMillion: ((usage.cpuSeconds - beforeUsage.cpuSeconds) / records) * 1e6,
    dropped: after.dropped - before.dropped,
    peakMiB: usage.peakMiB,
  };
}

/** Looks at the ledger now and then, which costs the agent a little, and gives it as it is once so many are delivered to both. */
async function whenDelivered(site: SpoolSite, records: number): Promise<Books> {
  const endMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const books = await site.books();
    if (books.delivered >= records) return books;
    if (performance.now() > endMs) throw new Error(`waited in vain for ${records} records to be delivered`);
    await sleep(50);
  }
}

async function whenDrained(site: SpoolSite): Promise<void> {
  const { accepted, dropped } = await site.books();
  await whenDelivered(site, accepted - dropped);
}

async function fill(site: SpoolSite, bytes: number): Promise<void> {
  const writer = site.startWriter();
  await waitUntil(() => site.spoolBytes >= bytes, 'the spool to fill', DEADLINE_MS);
  await writer.stop();
}

/** The median of what is resident while records come at a steady rate, once that has gone on for a while. */
async function residentMiB(site: SpoolSite): Promise<number> {
  const writer = site.startWriter(STEADY_RATE);
  await sleep(WARM_UP_MS);
  const seen: number[] = [];
  for (let look = 0; look < 20; look++) {
    await sleep(100);
    seen.push(site.usage().residentMiB);
  }
  await writer.stop();
  return median(seen);
}

if (import.meta.main) {
  const [what = 'overflow', runs = '3'] = process.argv.slice(2);
  const all = { offered: runOffered, overflow: runOverflow, always: runAlways, recovery: runRecovery, memory: runMemory };
  const run = Object.entries(all).find(([name]) => name === what)?.[1];
  if (run === undefined) throw new Error(`there is no measurement ${what}: choose one of ${Object.keys(all).join(', ')}`);
  for (let count = 0; count < Number(runs); count++) console.log(JSON.stringify(await run()));
}

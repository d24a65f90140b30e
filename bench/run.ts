/**
 * The whole table: medians of several runs beside what is asked for, on this machine. `npm run bench [-- RUNS]`
 *
 * Every run has processes of its own. CPU and memory are those of the agent's process alone, from /proc; the rate is measured at the
 * receiver. Writer, agent and receiver share the machine, so on two cores the agent has about one to itself.
 */
import { cpus, totalmem } from 'node:os';
import { runJournald } from './journald.ts';
import { runJournaldFollowed, runJournaldLatency } from './journald_live.ts';
import { runJournaldMemory } from './journald_memory.ts';
import { type ReadResult, runJournaldRead } from './journald_read.ts';
import { runArchive, runRare, runRotationStorm } from './journald_rotation.ts';
import { median } from './lib/process.ts';
import { runPipe, runSlowPipe } from './pipe.ts';
import { runAlways, runMemory, runOffered, runOverflow, runRecovery } from './spool.ts';

const runs = Number(process.argv[2] ?? 5);

async function repeat<T>(count: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let index = 0; index < count; index++) results.push(await run());
  return results;
}

function spread(values: readonly number[], digits: number): string {
  const format = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${format(median(values))} (${format(Math.min(...values))} to ${format(Math.max(...values))})`;
}

function row<T>(what: string, asked: string, results: readonly T[], value: (result: T) => number, digits: number): void {
  console.log(`| ${what} | ${asked} | ${spread(results.map(value), digits)} |`);
}

function ratio({ sluice, ...others }: ReadResult, other: 'exporting' | 'json'): number {
  return sluice.entriesPerSecond / others[other].entriesPerSecond;
}

console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB; Node ${process.version}`,
);
console.log(`medians of ${runs} runs (lowest to highest)\n`);
console.log('| what | asked | measured |\n|---|---|---|');

const acked = await repeat(runs, () => runPipe('acked'));
row('pipe, acknowledged, records/s', 'at least 1,000,000', acked, (result) => result.recordsPerSecond, 0);
row('CPU seconds for a million of these', 'at most 1.0', acked, (result) => result.cpuSecondsPerMillion, 2);
row('resident memory at that rate, MiB', 'at most 150', acked, (result) => result.peakMiB, 0);

const plain = await repeat(runs, () => runPipe('plain'));
row('pipe, plain, records/s', 'at least 1,200,000', plain, (result) => result.recordsPerSecond, 0);
row('CPU seconds for a million of these', '', plain, (result) => result.cpuSecondsPerMillion, 2);

const slow = await repeat(runs, runSlowPipe);
row('pipe at 1,000 records/s, % of a core', 'at most 2', slow, (result) => result.cores * 100, 1);

const read = await runJournaldRead(runs);
row('journal to batches, entries/s', 'at least 800,000', read, ({ sluice }) => sluice.entriesPerSecond, 0);
row('CPU seconds for a million of these', '', read, ({ sluice }) => sluice.cpuSecondsPerMillion, 2);
row('times as fast as `journalctl -o export`', 'at least 6', read, (result) => ratio(result, 'exporting'), 1);
row('times as fast as `journalctl -o json`', 'at least 20', read, (result) => ratio(result, 'json'), 1);

const journald = await runJournald(runs);
row('journal, through the agent, entries/s', 'at least 400,000', journald, (result) => result.recordsPerSecond, 0);
row('CPU seconds for a million of these', '', journald, (result) => result.cpuSecondsPerMillion, 2);
row('resident memory at that rate, MiB', '', journald, (result) => result.peakMiB, 0);

const followed = await repeat(runs, runJournaldFollowed);
row('journald at 1,000 entries/s, % of a core', 'at most 3', followed, (result) => result.cores * 100, 1);
const latency = await repeat(1, runJournaldLatency);
row('one entry, until it is received, ms', 'at most 100', latency, ({ medianMs }) => medianMs, 0);
row('the same, 99 of 100 entries, ms', '', latency, ({ p99Ms }) => p99Ms, 0);
const large = await repeat(1, () => runJournaldMemory(4));
row('resident memory, 4 GiB of journal, MiB', 'at most 150', large, ({ peakMiB }) => peakMiB, 0);
const dumps = await repeat(1, () => runJournaldMemory(4, 'dumps'));
row('the same, values of 16 KiB each, MiB', '', dumps, ({ peakMiB }) => peakMiB, 0);
const storm = await repeat(runs, runRotationStorm);
row('200 rotations in 20 s, % of a core', '', storm, ({ stormCores }) => stormCores * 100, 1);
row('the same entries without, % of a core', '', storm, ({ calmCores }) => calmCores * 100, 1);
const archive = await repeat(runs, runArchive);
row('500 archived files, all delivered, seconds', '', archive, ({ seconds }) => seconds, 1);
row('resident memory then, MiB', '', archive, ({ peakMiB }) => peakMiB, 0);
const rare = await repeat(runs, runRare);
row('50 of 500,000 entries selected, seconds', '', rare, ({ seconds }) => seconds, 1);
row('CPU seconds of the next start', '', rare, ({ againCpuSeconds }) => againCpuSeconds, 2);
row('the same on an empty directory', '', rare, ({ startCpuSeconds }) => startCpuSeconds, 2);

const offered = await repeat(runs, runOffered);
row('spooling 500,000 records/s, of these dropped', '0', offered, (result) => result.dropped, 0);
row('CPU seconds for a million of these', '', offered, (result) => result.cpuSecondsPerMillion, 2);
const overflow = await repeat(runs, runOverflow);
row('spooling, as fast as it can, records/s', 'at least 500,000', overflow, ({ spooling }) => spooling.recordsPerSecond, 0);
row('CPU seconds for a million of these', '', overflow, ({ spooling }) => spooling.cpuSecondsPerMillion, 2);
row('bytes/s, % of plain writing and syncing', '', overflow, ({ spooling }) => spooling.share * 100, 0);
row('draining to both receivers, records/s', 'at least 500,000', overflow, ({ draining }) => draining.recordsPerSecond, 0);
row('CPU seconds for a million of these', '', overflow, ({ draining }) => draining.cpuSecondsPerMillion, 2);
row('% of what goes to both without a disk', '', overflow, ({ draining }) => draining.share * 100, 0);

const always = await repeat(runs, runAlways);
row('`always`, receivers away, records/s', 'at least 200,000', always, ({ away }) => away.recordsPerSecond, 0);
row('CPU seconds for a million of these', '', always, ({ away }) => away.cpuSecondsPerMillion, 2);
row('bytes/s, % of plain writing and syncing', '', always, ({ away }) => away.share * 100, 0);
row('`always`, to both receivers, records/s', 'at least 200,000', always, ({ live }) => live.recordsPerSecond, 0);
row('CPU seconds for a million of these', '', always, ({ live }) => live.cpuSecondsPerMillion, 2);
row('% of what goes to both without a disk', '', always, ({ live }) => live.share * 100, 0);

const recovery = await repeat(runs, runRecovery);
row('a spool of 1 GiB ships again after, seconds', 'less than 5', recovery, (result) => result.seconds, 2);

const memory = await repeat(1, runMemory);
row('more memory with a spool of 10 GiB, MiB', 'within ±20', memory, ({ emptyMiB, largeMiB }) => largeMiB - emptyMiB, 0);
row('resident memory then, MiB', '', memory, ({ largeMiB }) => largeMiB, 0);

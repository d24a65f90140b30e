/**
 * The whole table: medians of several runs beside what is asked for, on this machine. `npm run bench [-- RUNS]`
 *
 * Every run has processes of its own. CPU and memory are those of the agent's process alone, from /proc; the rate is measured at the
 * receiver. Writer, agent and receiver share the machine, so on two cores the agent has about one to itself.
 */
import { cpus, totalmem } from 'node:os';
import { runJournald } from './journald.ts';
import { median } from './lib/process.ts';
import type { Result } from './lib/sluice.ts';
import { runPipe, runSlowPipe } from './pipe.ts';

const runs = Number(process.argv[2] ?? 5);

async function repeat(count: number, run: () => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let index = 0; index < count; index++) results.push(await run());
  return results;
}

function spread(values: readonly number[], digits: number): string {
  const format = (value: number): string =>
    value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return `${format(median(values))} (${format(Math.min(...values))} to ${format(Math.max(...values))})`;
}

function row(what: string, asked: string, results: readonly Result[], value: (result: Result) => number, digits: number): void {
  console.log(`| ${what} | ${asked} | ${spread(results.map(value), digits)} |`);
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

const journald = await runJournald(runs);
row('journald, stored entries/s', 'at least 300,000', journald, (result) => result.recordsPerSecond, 0);
row('CPU seconds for a million of these', '', journald, (result) => result.cpuSecondsPerMillion, 2);
row('resident memory at that rate, MiB', '', journald, (result) => result.peakMiB, 0);

/**
 *     npm run sim -- [--seeds N] [--from SEED] [--workers N] [--trace]
 *
 * Runs schedules of faults, one for each seed from SEED on, and exits with 0 only if all promises hold in all of them. `--trace` runs
 * the one of SEED and prints everything that happens in it.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { judgeSeed } from './judge_seed.ts';
import { MAX_BROKEN, runSeeds } from './runner.ts';
import type { Verdict } from './simulation.ts';

const PROGRESS_MS = 5000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(availableParallelism()) },
    trace: { type: 'boolean', default: false },
  },
});

const from = wholeNumber('from', values.from);
process.exitCode = values.trace ? await trace() : await runAll();

async function trace(): Promise<number> {
  const verdict = await judgeSeed(from, (line) => console.log(line));
  report(verdict);
  return verdict.violations.length === 0 ? 0 : 1;
}

async function runAll(): Promise<number> {
  const seeds = wholeNumber('seeds', values.seeds);
  const startMs = performance.now();
  let [done, failing, records, simulatedMs, reportedMs] = [0, 0, 0, 0, startMs];
  const state = (): string =>
    `${done} schedules of ${records} records in ${Math.round((performance.now() - startMs) / 1000)} s, ` +
    `which took ${Math.round(simulatedMs / 3_600_000)} hours of virtual time; ${failing} broke a promise`;
  await runSeeds({ from, seeds, workers: wholeNumber('workers', values.workers) }, (verdict) => {
    done += 1;
    records += verdict.records;
    simulatedMs += verdict.simulatedMs;
    if (verdict.violations.length > 0) {
      failing += 1;
      report(verdict);
    }
    if (performance.now() - reportedMs < PROGRESS_MS) return;
    reportedMs = performance.now();
    console.error(state());
  });
  console.log(state());
  if (failing >= MAX_BROKEN) console.log('the rest was left out');
  return failing === 0 ? 0 : 1;
}

function report({ seed, violations }: Verdict): void {
  if (violations.length === 0) return console.log(`seed ${seed}: every promise was kept`);
  console.log(`seed ${seed}, to be replayed with: npm run sim -- --from ${seed} --trace`);
  for (const violation of violations) console.log(`    ${violation}`);
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0 && text !== '') return value;
  console.error(`--${name} is a whole number, not ${text}`);
  process.exit(2);
}

import { availableParallelism } from 'node:os';
import { t as root, test } from 'tap';
import { judgeSeed } from './judge_seed.ts';
import { runSeeds } from './runner.ts';
import type { Verdict } from './simulation.ts';

const SCHEDULES = 2000;

/** Enough for a machine on which everything else is run at the same time; by itself it takes half a minute on two cores. */
root.setTimeout(600_000);

async function traceOf(seed: number): Promise<string[]> {
  const lines: string[] = [];
  await judgeSeed(seed, (line) => lines.push(line));
  return lines;
}

void test('a seed always goes the same way', async (t) => {
  const first = await traceOf(7);
  await traceOf(8);
  t.same(await traceOf(7), first);
  t.ok(first.length > 10);
});

void test(`${SCHEDULES} schedules of faults break no promise`, async (t) => {
  const broken: Verdict[] = [];
  let records = 0;
  await runSeeds({ from: 1, seeds: SCHEDULES, workers: availableParallelism() }, (verdict) => {
    records += verdict.records;
    if (verdict.violations.length > 0) broken.push(verdict);
  });
  for (const { seed, violations } of broken) t.fail(`npm run sim -- --from ${seed} --trace`, { violations });
  t.ok(records > SCHEDULES * 100, `${records} records were written`);
});

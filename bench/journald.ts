/**
 * A stored journal of 500,000 entries of 20 fields through the whole agent, `tag` and `rate_limit`, to a receiver that counts and acks.
 * `node bench/journald.ts [RUNS]`
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeJournal } from './lib/journal_workload.ts';
import { median } from './lib/process.ts';
import { Bench, type Result } from './lib/sluice.ts';

const ENTRIES = 500_000;

/** Runs on one journal, each with fresh processes. The agent starts with the backlog before it, cold. */
export async function runJournald(runs: number): Promise<Result[]> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
  const results: Result[] = [];
  try {
    await writeJournal(directory, ENTRIES);
    for (let run = 0; run < runs; run++) results.push(await runOnce(directory));
    return results;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function runOnce(directory: string): Promise<Result> {
  const bench = await Bench.start({
    mode: 'acked',
    receivers: () => ({ journald: { directory, start_at: 'beginning' } }),
  });
  try {
    return await bench.measure(
      ENTRIES,
      () => {},
      (got) => got >= ENTRIES,
    );
  } finally {
    await bench.stop();
  }
}

if (import.meta.main) {
  const results = await runJournald(Number(process.argv[2] ?? 3));
  for (const result of results) console.log(JSON.stringify(result));
  console.log(`median ${Math.round(median(results.map((one) => one.recordsPerSecond)))} entries/s`);
}

/**
 * A pipe of JSON lines through `tag` and `rate_limit` to a receiver that only counts (acked) or to a byte sink (plain).
 * `node bench/pipe.ts [acked|plain|slow] [RUNS]`
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { median, Measured, waitUntil } from './lib/process.ts';
import { Bench, type Mode, type Result } from './lib/sluice.ts';
import { LINE_BYTES } from './lib/workload.ts';

const WARM_UP_RECORDS = 500_000;
const RECORDS = 4_000_000;
const SLOW_RECORDS = 20_000;
const SLOW_RATE = 1000;

const writerScript = new URL('lib/writer.ts', import.meta.url).pathname;

/** One run on fresh processes, as fast as the agent takes the lines. The optimizing compiler has seen the hot path before. */
export async function runPipe(mode: Mode): Promise<Result> {
  return withPipe(mode, async (bench, pipe) => {
    await write(bench, pipe, mode, WARM_UP_RECORDS, 0);
    return write(bench, pipe, mode, RECORDS, 0);
  });
}

/** One run at a thousand records a second, for the use of CPU by an agent that has run for a while. */
export async function runSlowPipe(): Promise<Result> {
  return withPipe('acked', async (bench, pipe) => {
    await write(bench, pipe, 'acked', WARM_UP_RECORDS, 0);
    return write(bench, pipe, 'acked', SLOW_RECORDS, SLOW_RATE);
  });
}

async function withPipe(mode: Mode, run: (bench: Bench, pipe: string) => Promise<Result>): Promise<Result> {
  const bench = await Bench.start({
    mode,
    receivers: (directory) => ({ pipe: { path: join(directory, 'app.pipe'), format: 'json', on_full: 'block' } }),
  });
  const pipe = join(bench.directory, 'app.pipe');
  try {
    await waitUntil(() => existsSync(pipe), 'the agent to make its pipe');
    return await run(bench, pipe);
  } finally {
    await bench.stop();
  }
}

async function write(bench: Bench, pipe: string, mode: Mode, records: number, rate: number): Promise<Result> {
  let writer: Measured | undefined;
  let last = { got: -1, sinceMs: 0 };
  return bench.measure(
    records,
    () => (writer = Measured.script(writerScript, [pipe, String(records), String(rate)])),
    (got) => {
      if (mode === 'acked') return got >= records;
      // The sink counts bytes, of which a record has more than its line: it is done when no more come.
      if (got !== last.got) last = { got, sinceMs: performance.now() };
      return writer?.hasEnded === true && got > records * LINE_BYTES && performance.now() - last.sinceMs > 200;
    },
  );
}

if (import.meta.main) {
  const [what = 'acked', runs = '3'] = process.argv.slice(2);
  const results: Result[] = [];
  for (let run = 0; run < Number(runs); run++) {
    const result = what === 'slow' ? await runSlowPipe() : await runPipe(what === 'plain' ? 'plain' : 'acked');
    console.log(JSON.stringify(result));
    results.push(result);
  }
  console.log(`median ${Math.round(median(results.map((one) => one.recordsPerSecond)))} records/s`);
}

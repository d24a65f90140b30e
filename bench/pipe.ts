/**
 * A pipe of JSON lines through `tag` and `rate_limit` to a receiver that only counts (acked) or a byte sink (plain).
 * `node bench/pipe.ts [acked|plain] [RECORDS] [RUNS]`
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median, Measured, type Usage, waitUntil } from './lib/process.ts';
import { LINE_BYTES } from './lib/workload.ts';

export interface PipeResult {
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  readonly peakMiB: number;
}

const path = (name: string): string => new URL(name, import.meta.url).pathname;

/** One run on fresh processes. The rate is measured from the first record at the sink to the last. */
export async function runPipe(mode: 'acked' | 'plain', records: number, nodeArgs: readonly string[] = []): Promise<PipeResult> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  const pipe = join(directory, 'app.pipe');
  const sink = new Measured(path('lib/sink.ts'), [mode]);
  await waitUntil(() => sink.said('port') !== undefined, 'the sink to listen');
  writeFileSync(join(directory, 'sluice.yaml'), configuration(directory, pipe, Number(sink.said('port')), mode === 'acked'));
  const agent = new Measured(path('../src/cli/main.ts'), ['run', '--config', join(directory, 'sluice.yaml')], nodeArgs);
  try {
    await waitUntil(() => existsSync(pipe), 'the agent to make its pipe');
    await warmUp(pipe, sink, mode);
    const start = progress(sink);
    const before = agent.usage();
    const startedMs = performance.now();
    const writer = new Measured(path('lib/writer.ts'), [pipe, String(records)]);
    await waitUntil(() => writer.hasEnded && isDone(sink, start, records, mode), 'all records to arrive', 300_000);
    return result(records, performance.now() - startedMs, before, agent.usage());
  } finally {
    await agent.stop();
    await sink.stop();
    rmSync(directory, { recursive: true });
  }
}

/** The optimizing compiler has seen the hot path before it is measured, as in an agent that has run for a few seconds. */
async function warmUp(pipe: string, sink: Measured, mode: 'acked' | 'plain'): Promise<void> {
  const writer = new Measured(path('lib/writer.ts'), [pipe, '400000']);
  await waitUntil(() => writer.hasEnded && isDone(sink, 0, 400_000, mode), 'the warm-up to arrive');
}

function progress(sink: Measured): number {
  return Number(sink.said('got') ?? 0);
}

/** In plain mode the sink counts bytes, of which a record has more than its line; it is done when they stop coming. */
let lastBytes = { got: -1, since: 0 };
function isDone(sink: Measured, start: number, records: number, mode: 'acked' | 'plain'): boolean {
  const got = progress(sink) - start;
  if (mode === 'acked') return got >= records;
  if (got !== lastBytes.got) lastBytes = { got, since: performance.now() };
  return got > records * LINE_BYTES && performance.now() - lastBytes.since > 200;
}

function result(records: number, elapsedMs: number, before: Usage, after: Usage): PipeResult {
  return {
    recordsPerSecond: records / (elapsedMs / 1000),
    cpuSecondsPerMillion: ((after.cpuSeconds - before.cpuSeconds) / records) * 1e6,
    peakMiB: after.peakMiB,
  };
}

function configuration(directory: string, pipe: string, port: number, acknowledged: boolean): string {
  return JSON.stringify({
    receivers: { pipe: { path: pipe, format: 'json', on_full: 'block' } },
    processors: {
      tag: { datacenter: 'bench', tags: { dc_state: 'active' } },
      rate_limit: { records_per_second: 100_000_000, burst: 100_000_000 },
    },
    exporters: { logx: { destinations: { sink: { endpoint: `tcp://127.0.0.1:${port}`, acknowledged } } } },
    service: {
      state_directory: join(directory, 'state'),
      telemetry: { address: '127.0.0.1:0', log_level: 'warn' },
      pipelines: { logs: { receivers: ['pipe'], processors: ['tag', 'rate_limit'], exporters: ['logx'] } },
    },
  });
}

if (import.meta.main) {
  const [mode = 'acked', records = '3000000', runs = '3', ...nodeArgs] = process.argv.slice(2);
  const results: PipeResult[] = [];
  for (let run = 0; run < Number(runs); run++) {
    const one = await runPipe(mode === 'plain' ? 'plain' : 'acked', Number(records), nodeArgs);
    console.log(JSON.stringify(one));
    results.push(one);
  }
  console.log(`median ${Math.round(median(results.map((one) => one.recordsPerSecond)))} records/s`);
}

/**
 * What `rate_limit` costs a record: batches of 4096 records of 64 services (Zipf), of which none, about half or nearly all are over
 * their limit. Prints the median and the range of the runs, in nanoseconds a record. Run with `node bench/rate_limit.ts`.
 */
import { cpus } from 'node:os';
import rateLimit from '../plugins/processors/rate_limit/index.ts';
import { Batch, createColumns, Storage } from '../src/core/batch.ts';
import type { Clock } from '../src/core/clock.ts';
import type { ProcessorContext } from '../src/core/component.ts';
import { silentLog } from '../src/core/log.ts';
import { silentMetrics } from '../src/core/metrics.ts';
import { NameTable } from '../src/core/names.ts';

const SERVICES = 64;
const RECORDS_PER_BATCH = 4096;
const BATCHES_PER_RUN = 1000;
const RUNS = 9;

/** Time between two batches: a million records a second. */
const BATCH_INTERVAL_MS = (RECORDS_PER_BATCH / 1e6) * 1000;

const services = new NameTable();
const ids = Array.from({ length: SERVICES }, (_, n) => services.intern(`service-${n}`));
const columns = createColumns(RECORDS_PER_BATCH);
const storage = new Storage(Buffer.alloc(0), columns);
const drawn = Uint32Array.from({ length: RECORDS_PER_BATCH }, zipfDraw());

console.log(
  `${cpus()[0]?.model ?? 'unknown processor'}, Node ${process.versions.node}, ${RUNS} runs of ${BATCHES_PER_RUN} batches`,
);
report('none over the limit', 1e9);
report('about half over', 10_000);
report('nearly all over', 10);

/** Services by index with a probability of 1 / rank, from a fixed seed. */
function zipfDraw(): () => number {
  const cumulative: number[] = [];
  let total = 0;
  for (let rank = 1; rank <= SERVICES; rank++) cumulative.push((total += 1 / rank));
  let state = 42;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const at = (state / 2 ** 32) * total;
    return ids[cumulative.findIndex((bound) => at < bound)] ?? 0;
  };
}

function report(title: string, recordsPerSecond: number): void {
  const runs = Array.from({ length: RUNS }, () => run(recordsPerSecond)).sort((a, b) => a.nanoseconds - b.nanoseconds);
  const [median, fastest, slowest] = [runs[RUNS >> 1], runs[0], runs.at(-1)].map((one) => (one?.nanoseconds ?? NaN).toFixed(1));
  const passed = ((runs[0]?.passedShare ?? NaN) * 100).toFixed(0);
  console.log(`${title.padEnd(20)} ${median} ns/record (${fastest} to ${slowest}), ${passed} % passed`);
}

function run(recordsPerSecond: number): { nanoseconds: number; passedShare: number } {
  let nowMs = 0;
  const processor = rateLimit.create(
    rateLimit.options.parse({ records_per_second: recordsPerSecond }),
    contextAt(() => nowMs),
  );
  let spentMs = 0;
  let passed = 0;
  for (let round = 0; round < BATCHES_PER_RUN; round++) {
    columns.service.set(drawn); // which dropping overwrites; not part of the time
    const batch = new Batch(storage, RECORDS_PER_BATCH, { receiver: 'bench', format: 'bench', services });
    nowMs += BATCH_INTERVAL_MS;
    const startMs = performance.now();
    processor.process(batch);
    spentMs += performance.now() - startMs;
    passed += batch.count;
  }
  const records = RECORDS_PER_BATCH * BATCHES_PER_RUN;
  return { nanoseconds: (spentMs * 1e6) / records, passedShare: passed / records };
}

/** A context whose time is the simulated one and which ignores what is dropped. */
function contextAt(monotonicMs: () => number): ProcessorContext {
  const clock: Clock = { monotonicMs, wallMicros: () => 0, after: () => ({ cancel: () => {} }) };
  return {
    id: 'rate_limit',
    clock,
    log: silentLog,
    metrics: silentMetrics,
    stateDirectory: '',
    hostName: '',
    drop: () => {},
    emit: () => {},
  };
}

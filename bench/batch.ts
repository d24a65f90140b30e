/**
 * The batch on its own: building, filtering and settling batches of 2,000 records, without reading, scanning or encoding.
 * `node bench/batch.ts [RUNS]`
 */
import { Ack, DELIVERED } from '../src/core/ack.ts';
import { BodyKind } from '../src/core/batch.ts';
import { BatchBuilder } from '../src/core/batch_builder.ts';
import { median } from './lib/process.ts';
import { jsonLines, LINE_BYTES } from './lib/workload.ts';

const RECORDS = 2000;
const BATCHES = 2000;

const lines = jsonLines(RECORDS);
const builder = new BatchBuilder({ arenaBytes: lines.length, maxRecords: RECORDS });

/** Builds a batch of the same lines, drops every `drop`th record of it, and settles it. Returns how many were left. */
function once(drop: number): number {
  builder.used = lines.copy(builder.arena);
  const service = builder.services.intern('nginx');
  for (let at = 0; at < lines.length; at += LINE_BYTES) builder.add(0, 9, service, BodyKind.json, 0, at, at + LINE_BYTES - 1);
  const batch = builder.build({ receiver: 'bench', format: 'log', ack: new Ack() });
  let kept = 0;
  for (let index = 0; index < batch.count; index++) {
    if (index % drop === 0) continue;
    batch.move(index, kept);
    kept += 1;
  }
  batch.truncate(kept);
  batch.settle(DELIVERED);
  return kept;
}

function nanosecondsPerRecord(drop: number): number {
  const started = performance.now();
  let kept = 0;
  for (let turn = 0; turn < BATCHES; turn++) kept += once(drop);
  if (kept >= BATCHES * RECORDS) throw new Error('nothing was dropped');
  return ((performance.now() - started) * 1e6) / (BATCHES * RECORDS);
}

const runs = Number(process.argv[2] ?? 9);
for (const drop of [2, 1000]) {
  nanosecondsPerRecord(drop);
  const times = Array.from({ length: runs }, () => nanosecondsPerRecord(drop));
  console.log(`one record in ${drop} dropped: ${median(times).toFixed(1)} ns a record (median of ${runs})`);
}

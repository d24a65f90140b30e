/** A process that writes lines to a file or pipe as fast as it takes them, or at a rate: `writer.ts PATH RECORDS [RECORDS_PER_SECOND]`. */
import { openSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { jsonLines, LINE_BYTES } from './workload.ts';

const CHUNK_LINES = 4000;

const [path = '', records = '0', rate = '0'] = process.argv.slice(2);
const fd = openSync(path, 'a');
const lines = jsonLines(CHUNK_LINES);
const started = performance.now();
let left = Number(records);
const perTurn = Number(rate) > 0 ? Math.max(1, Math.round(Number(rate) / 1000)) : CHUNK_LINES;
let written = 0;
while (left > 0) {
  const count = Math.min(left, perTurn);
  const from = ((written % CHUNK_LINES) + count > CHUNK_LINES ? 0 : written % CHUNK_LINES) * LINE_BYTES;
  const end = from + count * LINE_BYTES;
  for (let at = from; at < end;) at += writeSync(fd, lines, at, end - at);
  left -= count;
  written += count;
  if (Number(rate) > 0) {
    const aheadMs = (written / Number(rate)) * 1000 - (performance.now() - started);
    if (aheadMs > 0) await sleep(aheadMs);
  }
}

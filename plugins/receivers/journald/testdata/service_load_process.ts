/**
 * The process of a `ServiceLoad`: `service_load_process.ts STREAM_SOCKET NATIVE_SOCKET ENTRIES_PER_SECOND`. A stream that journald has
 * ended is opened anew when there is a journald; what falls due meanwhile is not written later. Told `stop` it writes no more.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { numberedLine } from '../../../../test/helpers/numbered_lines.ts';
import { NativeSocket } from './native_socket.ts';
import { ServiceStream } from './service_stream.ts';

export interface LoadReport {
  readonly taken: number;
  readonly refused: number;
  readonly hasStopped: boolean;
}

const STREAMS = 4;
const TICK_MS = 1;
const REPORT_EVERY_MS = 50;
/** So long a process that is behind writes before it looks at anything else. */
const MAX_TICK_MS = 5;

const [, , streamPath = '', nativePath = '', rate = '0'] = process.argv;
const entriesPerSecond = Number(rate);

const stop = new AbortController();
process.on('message', () => stop.abort());
process.on('disconnect', () => process.exit());

const native = new NativeSocket(nativePath);
const streams = Array.from({ length: STREAMS }, (_, index) => new ServiceStream(streamPath, `service-${index}`));
let number = 0;
let taken = 0;
let reportedMs = 0;
const startMs = performance.now();
while (!stop.signal.aborted) {
  writeDue();
  if (performance.now() - reportedMs > REPORT_EVERY_MS) report(false);
  await delay(TICK_MS);
}
await Promise.all(streams.map((stream) => stream.drained()));
report(true);

function writeDue(): void {
  const tickMs = performance.now();
  const due = ((tickMs - startMs) / 1000) * entriesPerSecond;
  for (; number < due && performance.now() - tickMs < MAX_TICK_MS; number++) {
    const line = numberedLine(number);
    const stream = streams[number % (2 * STREAMS)]; // the other half goes to the native socket
    if (stream?.isFull === true) break;
    if (stream === undefined ? sendFields(line) : stream.write(line)) taken += 1;
  }
  for (const stream of streams) stream.flush();
}

function sendFields(line: string): boolean {
  return native.send([
    ['MESSAGE', Buffer.from(line)],
    ['PRIORITY', Buffer.from(String(number % 8))],
    ['SYSLOG_IDENTIFIER', Buffer.from(`native-${number % 16}`)],
    ['REQUEST_ID', Buffer.from(number.toString(16))],
  ]);
}

function report(hasStopped: boolean): void {
  reportedMs = performance.now();
  const message: LoadReport = { taken, refused: number - taken, hasStopped };
  process.send?.(message);
}

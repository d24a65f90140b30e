/**
 * The process of a `LineWriter`: `line_writer_process.ts PATH LINES_PER_SECOND`. It opens the pipe as a service does, to write, and
 * never waits in the kernel, so that what it measures is how long the pipe was full and not how long the process had to wait for a
 * processor. Told `stop` it writes no more, and reports a last time; it holds the pipe open until its parent lets it go.
 */
import { constants, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../../src/core/errors.ts';
import { numberedLine } from './numbered_lines.ts';

export interface WriterReport {
  readonly written: number;
  /** The longest time that the pipe was full without a break, in milliseconds; that of a line that still waits is in it. */
  readonly longestFullMs: number;
  /** The longest that one write(2) took, in milliseconds, together with whatever else the machine did meanwhile. */
  readonly longestCallMs: number;
  readonly hasStopped: boolean;
}

/** How often what is due is written, and reported. */
const TICK_MS = 1;
const REPORT_EVERY_MS = 20;
/** Between two attempts on a full pipe. */
const RETRY_MS = 0.2;
/** A full pipe is tried so long before messages are looked at again. */
const MAX_TICK_MS = 5;

const [, , path = '', rate = '0'] = process.argv;
const linesPerSecond = Number(rate);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

let written = 0;
let longestFullMs = 0;
let longestCallMs = 0;
let fullSinceMs: number | undefined;

const stop = new AbortController();
process.on('message', () => stop.abort());
process.on('disconnect', () => process.exit());

const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
const startMs = performance.now();
let reportedMs = 0;
while (!stop.signal.aborted) {
  writeDue();
  if (performance.now() - reportedMs > REPORT_EVERY_MS) report(false);
  await delay(TICK_MS);
}
report(true);

function writeDue(): void {
  const tickMs = performance.now();
  const due = ((tickMs - startMs) / 1000) * linesPerSecond;
  while (written < due && performance.now() - tickMs < MAX_TICK_MS) {
    const outcome = tryWrite(`${numberedLine(written)}\n`);
    if (outcome === 'unread') return;
    if (outcome === 'taken') written += 1;
    else Atomics.wait(sleeper, 0, 0, RETRY_MS);
  }
}

/** Writes the line in one piece, or not at all (pipe(7)); `unread` where nobody has the pipe open to read it. */
function tryWrite(line: string): 'taken' | 'full' | 'unread' {
  const beforeMs = performance.now();
  let outcome: 'taken' | 'full' | 'unread' = 'taken';
  try {
    writeSync(fd, line);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno !== 'EAGAIN' && errno !== 'EPIPE') throw error;
    outcome = errno === 'EAGAIN' ? 'full' : 'unread';
  }
  const nowMs = performance.now();
  longestCallMs = Math.max(longestCallMs, nowMs - beforeMs);
  if (fullSinceMs !== undefined) longestFullMs = Math.max(longestFullMs, nowMs - fullSinceMs);
  fullSinceMs = outcome === 'full' ? (fullSinceMs ?? beforeMs) : undefined;
  return outcome;
}

function report(hasStopped: boolean): void {
  reportedMs = performance.now();
  const message: WriterReport = { written, longestFullMs, longestCallMs, hasStopped };
  process.send?.(message);
}

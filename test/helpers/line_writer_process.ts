/**
 * The process of a `LineWriter`: `line_writer_process.ts PATH LINES_PER_SECOND READER_PID`. It opens the pipe as a service does, to write,
 * and never waits in the kernel, so that it can tell a pipe that is full from a machine that has no processor for this process. Told `stop` it
 * writes no more, and reports a last time; it holds the pipe open until its parent lets it go.
 */
import { constants, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { errnoOf } from '../../src/core/errors.ts';
import { numberedLine } from './numbered_lines.ts';

export interface WriterReport {
  readonly written: number;
  /** The longest time that the pipe was full without a break, in milliseconds, once it is over. */
  readonly longestFullMs: number;
  /** The same without the time that its reader, or this process, waited for a processor meanwhile: what the reader is to answer for. */
  readonly longestUnreadMs: number;
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

const [, , path = '', rate = '0', reader = ''] = process.argv;
const linesPerSecond = Number(rate);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

let written = 0;
let longestFullMs = 0;
let longestUnreadMs = 0;
let longestCallMs = 0;
let fullSince: { readonly ms: number; readonly queuedMs: number } | undefined;

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
  if (outcome === 'full') fullSince ??= { ms: beforeMs, queuedMs: queuedMs() };
  else if (fullSince !== undefined) noteFull(nowMs - fullSince.ms, queuedMs() - fullSince.queuedMs);
  if (outcome !== 'full') fullSince = undefined;
  return outcome;
}

function noteFull(fullMs: number, queuedMs: number): void {
  longestFullMs = Math.max(longestFullMs, fullMs);
  longestUnreadMs = Math.max(longestUnreadMs, fullMs - queuedMs);
}

/** How long the reader's threads and this process have waited for a processor so far: the second number of schedstat, nanoseconds. */
function queuedMs(): number {
  const tasks = reader === '' ? [] : readdirSync(`/proc/${reader}/task`).map((task) => `/proc/${reader}/task/${task}/schedstat`);
  return ['/proc/self/schedstat', ...tasks].reduce(
    (sum, file) => sum + Number(readFileSync(file, 'utf8').split(' ')[1]) / 1e6,
    0,
  );
}

function report(hasStopped: boolean): void {
  reportedMs = performance.now();
  const message: WriterReport = { written, longestFullMs, longestUnreadMs, longestCallMs, hasStopped };
  process.send?.(message);
}

import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import type { Test } from 'tap';
import type { WriterReport } from './line_writer_process.ts';
import { waitFor } from './wait_for.ts';

const SCRIPT = join(import.meta.dirname, 'line_writer_process.ts');
const STOP_DEADLINE_MS = 10_000;

/** Where many lines are due at once, they are written as fast as the pipe takes them. */
export interface LineWriterOptions {
  readonly linesPerSecond: number;
  /** The process that reads the pipe, for `longestUnreadMs`; it must not end before the writer does. */
  readonly readerPid?: number;
}

/**
 * A service in a process of its own that has a named pipe open and writes numbered lines to it, each with one write, at a steady rate
 * and whatever becomes of the reader: while nobody reads, it waits, and so far keeps what the pipe holds.
 */
export class LineWriter {
  readonly #child: ChildProcess;
  #report: WriterReport = { written: 0, longestFullMs: 0, longestUnreadMs: 0, longestCallMs: 0, hasStopped: false };
  #exit: string | undefined;

  /** Somebody must read the pipe already. */
  constructor(t: Test, path: string, { linesPerSecond, readerPid }: LineWriterOptions) {
    const args = [path, String(linesPerSecond), String(readerPid ?? '')];
    this.#child = fork(SCRIPT, args, { execPath: process.execPath, execArgv: [] });
    this.#child.on('message', (report: WriterReport) => (this.#report = report));
    this.#child.on('error', (error) => (this.#exit = error.message));
    this.#child.on('close', (code, signal) => (this.#exit = `ended with ${code ?? signal}`));
    t.teardown(() => this.close());
  }

  /** Lines that the pipe has taken, as of a moment ago; exact after `stop`. */
  get written(): number {
    if (this.#exit !== undefined) throw new Error(`the writer ${this.#exit}`);
    return this.#report.written;
  }

  /** The longest time that the pipe was full without a break, in milliseconds. */
  get longestFullMs(): number {
    return this.#report.longestFullMs;
  }

  /**
   * The same without the time that the reader's threads, or the writer, waited for a processor meanwhile: on a machine that is busy with
   * other things, what the reader is to answer for.
   */
  get longestUnreadMs(): number {
    return this.#report.longestUnreadMs;
  }

  /** The longest that one write(2) took, in milliseconds, together with whatever else the machine did meanwhile. */
  get longestCallMs(): number {
    return this.#report.longestCallMs;
  }

  /** Writes no more, and resolves when the last line has been counted. The pipe stays open, and so keeps what it holds. */
  async stop(): Promise<void> {
    this.#child.send('stop');
    await waitFor(() => this.#report.hasStopped || this.#exit !== undefined, {
      what: 'the writer to stop',
      deadlineMs: STOP_DEADLINE_MS,
    });
  }

  /** Lets go of the pipe. */
  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

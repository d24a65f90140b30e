/**
 * Where the agent's own log goes: a file descriptor that may be a terminal, a pipe that nobody reads, or a file on a full disk. None of
 * that may hold the agent up or end it, so lines that cannot be written are lost, counted, and told of when writing works again.
 */
import { write, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';
import { errnoOf } from '../core/errors.ts';

/** Most that waits for a reader; lines beyond it are lost. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** After a failed write, the time until the next one is tried. */
const RETRY_MS = 200;

/** What a write that is under way when the process ends may take. */
const LAST_WRITE_MS = 20;

export class LogWriter implements DestinationStream {
  readonly #fd: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  /** What the write under way, or the one that is to be tried again, has not written yet. */
  #current: Buffer = Buffer.alloc(0);
  #isWriting = false;
  #retry: NodeJS.Timeout | undefined;
  #lost = 0;

  constructor(fd: number) {
    this.#fd = fd;
    // What is still waiting is written while the process ends; asynchronous writes come to nothing then.
    process.once('exit', () => this.#writeRest());
  }

  /** Takes a line with its newline; never waits and never throws. */
  write(line: string): void {
    if (this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.#lost += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    this.#writeNext();
  }

  #writeNext(): void {
    if (this.#isWriting || this.#retry !== undefined) return;
    if (this.#current.length === 0) this.#current = this.#takeWaiting();
    if (this.#current.length === 0) return;
    this.#isWriting = true;
    write(this.#fd, this.#current, (error, bytes) => {
      this.#isWriting = false;
      if (error === null) this.#current = this.#current.subarray(bytes);
      else this.#onError(errnoOf(error));
      this.#writeNext();
    });
  }

  /** A full pipe gets the same bytes again; any other error has cost them. */
  #onError(errno: string | undefined): void {
    if (errno !== 'EAGAIN') {
      this.#lost += this.#current.toString('utf8').split('\n').length - 1;
      this.#current = Buffer.alloc(0);
    }
    this.#retry = setTimeout(() => {
      this.#retry = undefined;
      this.#writeNext();
    }, RETRY_MS).unref();
  }

  #takeWaiting(): Buffer {
    const lines = this.#waiting;
    if (lines.length > 0 && this.#lost > 0) {
      lines.unshift(
        `${JSON.stringify({ level: 'warn', lost: this.#lost, message: 'lines of this log could not be written' })}\n`,
      );
      this.#lost = 0;
    }
    this.#waiting = [];
    this.#waitingBytes = 0;
    return Buffer.from(lines.join(''));
  }

  #writeRest(): void {
    // What a write under way has taken, its thread still writes; it gets a moment, so that the lines stay in order.
    if (this.#isWriting) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_WRITE_MS);
    const waiting = this.#takeWaiting();
    let rest = this.#isWriting ? waiting : Buffer.concat([this.#current, waiting]);
    try {
      while (rest.length > 0) rest = rest.subarray(writeSync(this.#fd, rest));
    } catch {
      // The process ends; there is nobody left to tell.
    }
  }
}

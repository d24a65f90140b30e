import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { errnoOf } from '../../src/core/errors.ts';

/** A service that has a named pipe open and writes lines to it, each with one write, and takes the time that they take. */
export class PipeWriter {
  readonly #fd: number;
  /** Lines that the pipe has taken. */
  written = 0;
  /** The longest that a line had to wait for the pipe to take it, in milliseconds; that of a line that still waits is not in it. */
  longestWaitMs = 0;

  /** Throws ENXIO where nobody reads the pipe. */
  constructor(t: Test, path: string) {
    const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    this.#fd = fd;
    t.teardown(() => closeSync(fd));
  }

  /** Resolves when the pipe has taken the line, of at most 4096 bytes with its newline. */
  async write(line: string): Promise<void> {
    const startMs = performance.now();
    while (!this.#tryWrite(`${line}\n`)) await delay(1);
    this.written += 1;
    this.longestWaitMs = Math.max(this.longestWaitMs, performance.now() - startMs);
  }

  #tryWrite(text: string): boolean {
    try {
      writeSync(this.#fd, text); // all or nothing, up to PIPE_BUF (pipe(7))
      return true;
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return false;
      throw error;
    }
  }
}

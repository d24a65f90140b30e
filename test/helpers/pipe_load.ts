import { setTimeout as delay } from 'node:timers/promises';
import { PipeWriter } from './pipe_writer.ts';
import type { Test } from 'tap';

/** How often what is due is written. */
const INTERVAL_MS = 10;

/** A service that writes numbered lines to a named pipe at a steady rate: `record 0`, `record 1`, … */
export class PipeLoad {
  readonly #writer: PipeWriter;
  readonly #lineOf: (number: number) => string;
  #isStopping = false;
  #running: Promise<void> = Promise.resolve();

  constructor(t: Test, path: string, lineOf: (number: number) => string) {
    this.#writer = new PipeWriter(t, path);
    this.#lineOf = lineOf;
    t.teardown(() => this.stop());
  }

  /** Lines that the pipe has taken. */
  get written(): number {
    return this.#writer.written;
  }

  /** Begins to write so many lines a second, or fewer where the machine is too slow for that. */
  start(linesPerSecond: number): void {
    this.#isStopping = false;
    this.#running = this.#run(linesPerSecond);
  }

  /** Resolves when the last line that was begun has been taken. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #run(linesPerSecond: number): Promise<void> {
    const startMs = performance.now();
    const first = this.written;
    while (!this.#isStopping) {
      const due = first + ((performance.now() - startMs) / 1000) * linesPerSecond;
      while (this.written < due && !this.#isStopping) await this.#writer.write(this.#lineOf(this.written));
      await delay(INTERVAL_MS);
    }
  }
}

/** One run of a program of which the output is read: no shell, no input, and what it says on its standard error is told line by line. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Clock, Timer } from '../../../../src/core/clock.ts';
import { describeError, errnoOf } from '../../../../src/core/errors.ts';
import { ErrorLines } from './error_lines.ts';

/** How long a program that was told to end may take, and one that has ended may have its output held open by others. */
const GRACE_MS = 2000;

export interface ChildOptions {
  readonly program: string;
  readonly args: readonly string[];
  readonly clock: Clock;
  /** Called when `read` may give something, or `ending` is known. */
  readonly onChange: () => void;
  readonly onErrorLine: (line: string) => void;
}

/** How a run ended: that the program could not be started, or that it is gone, with exit code or signal in words. */
export interface Ending {
  readonly reason: 'not_started' | 'exited';
  readonly detail: string;
}

export class Child {
  readonly #options: ChildOptions;
  readonly #process: ChildProcessByStdio<null, Readable, Readable> | undefined;
  readonly #ended = Promise.withResolvers<void>();
  #failure: Ending | undefined;
  #ending: Ending | undefined;
  #grace: Timer | undefined;

  /** Starts the program. That it cannot be started is an ending too, and not thrown. */
  constructor(options: ChildOptions) {
    this.#options = options;
    try {
      this.#process = this.#start();
    } catch (error) {
      this.#fail(error);
      this.#end();
    }
  }

  /** Known once the program is gone and all that it wrote has been read. */
  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** What the program has written since, a pipe's worth at most; undefined where that is nothing. While nobody reads, it waits. */
  read(): Buffer | undefined {
    const chunk: unknown = this.#process?.stdout.read();
    return Buffer.isBuffer(chunk) ? chunk : undefined;
  }

  /** Ends the program, by force where it takes too long; resolves when it is gone. What it wrote and was not read is lost. */
  async stop(): Promise<void> {
    if (this.#ending === undefined) {
      this.#process?.kill('SIGTERM');
      this.#process?.stdout.destroy();
      this.#hurry();
    }
    await this.#ended.promise;
  }

  #start(): ChildProcessByStdio<null, Readable, Readable> {
    const { program, args, onChange, onErrorLine } = this.#options;
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const lines = new ErrorLines(onErrorLine);
    child.stdout.on('readable', onChange).on('end', () => this.#hurry());
    child.stderr.on('data', (chunk: Buffer) => lines.push(chunk)).on('end', () => lines.end());
    child.on('error', (error) => {
      // Of one that runs it would be that it could not be killed, and then there is no more to do.
      if (child.pid === undefined) this.#fail(error);
    });
    child.on('exit', (code, signal) => {
      this.#failure ??= { reason: 'exited', detail: signal === null ? `exit code ${code}` : `signal ${signal}` };
      this.#hurry();
    });
    child.on('close', () => this.#end());
    return child;
  }

  /** The program is gone, or has closed its output, or is told to end: the rest is bound to come soon. */
  #hurry(): void {
    this.#grace ??= this.#options.clock.after(GRACE_MS, () => {
      this.#process?.kill('SIGKILL');
      this.#process?.stdout.destroy();
      this.#process?.stderr.destroy();
    });
  }

  #fail(error: unknown): void {
    this.#failure ??= { reason: 'not_started', detail: errnoOf(error) ?? describeError(error) };
  }

  #end(): void {
    if (this.#ending !== undefined) return;
    this.#grace?.cancel();
    this.#ending = this.#failure ?? { reason: 'exited', detail: 'no exit code' };
    this.#ended.resolve();
    this.#options.onChange();
  }
}

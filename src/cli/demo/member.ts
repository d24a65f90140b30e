/** One of the demo's processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SluiceError } from '../../core/errors.ts';
import { AGENT, type MemberName } from './paths.ts';

/** Runs the program on its own Node, with the options that it is run with elsewhere. */
export const LAUNCHER = fileURLToPath(new URL('../sluice', import.meta.url));
const POLL_INTERVAL_MS = 20;
/** Last lines of what a process printed, in the message about its failure. */
const SHOWN_LINES = 12;

/** A line of a process's own log; see src/telemetry/agent_log.ts. */
export type LogLine = Readonly<Record<string, unknown>>;

export class Member {
  readonly name: MemberName;
  readonly #logFile: string;
  readonly #child: ChildProcess;
  /** Resolves when the process has ended, to how it did (`exit code 1`, `killed by SIGKILL`). */
  readonly ended: Promise<string>;
  #isRunning = true;

  /** Starts `sluice run` with a configuration. What the process prints goes to `logFile`, which is emptied first. */
  constructor(name: MemberName, configFile: string, logFile: string) {
    this.name = name;
    this.#logFile = logFile;
    const output = openSync(logFile, 'w');
    // A process group of its own: Ctrl-C is for the demo, which then ends the others in their order.
    this.#child = spawn(LAUNCHER, ['run', '--config', configFile], {
      stdio: ['ignore', output, output],
      detached: true,
    });
    closeSync(output);
    this.ended = new Promise((resolve) => {
      const end = (how: string): void => {
        this.#isRunning = false;
        resolve(how);
      };
      this.#child.once('error', (error) => end(error.message));
      this.#child.once('exit', (code, signal) => end(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Resolves when the process says that it runs. Throws a SluiceError with what it printed where it ends or does not by then. */
  async started(timeoutMs: number): Promise<void> {
    const endMs = performance.now() + timeoutMs;
    while (!this.logLines().some(({ message }) => message === 'running')) {
      if (!this.#isRunning) throw this.#failure('did not start');
      if (performance.now() > endMs) throw this.#failure(`has not started within ${timeoutMs / 1000} s`);
      await delay(POLL_INTERVAL_MS);
    }
  }

  /** Asks it to end in good order. One that was stopped with SIGSTOP is woken for it. */
  stop(): void {
    this.#child.kill('SIGTERM');
    this.#child.kill('SIGCONT');
  }

  /** Ends it at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** Its own log so far. */
  logLines(): LogLine[] {
    return this.#printed().flatMap((line) => parseLine(line));
  }

  #printed(): string[] {
    return readFileSync(this.#logFile, 'utf8').split('\n');
  }

  #failure(what: string): SluiceError {
    const lines = this.#printed().filter((line) => line !== '');
    const printed = lines.slice(-SHOWN_LINES).map((line) => `\n  | ${line}`);
    return new SluiceError(
      'process_failed',
      `${this.name === AGENT ? 'the agent' : this.name} ${what}; it printed:${printed.join('')}`,
      {
        hint: `all of it is in ${this.#logFile}`,
      },
    );
  }
}

function parseLine(line: string): LogLine[] {
  if (!line.startsWith('{')) return [];
  try {
    const value: unknown = JSON.parse(line);
    return isLogLine(value) ? [value] : [];
  } catch {
    return []; // the last line may be incomplete
  }
}

function isLogLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null;
}

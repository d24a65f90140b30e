/** A real `sluice run` process, as a test starts, watches and ends it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { isMap } from '../../src/config/data.ts';
import { waitFor } from './wait_for.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Starting takes under a second on an idle machine; tests share theirs. */
const START_DEADLINE_MS = 30_000;
const END_DEADLINE_MS = 30_000;

export interface Exit {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A line of the program's own log. */
export type LogLine = Readonly<Record<string, unknown>>;

export interface Launch {
  readonly name: string;
  /** Where its configuration is written to, as `<name>.yaml`; created where it is missing. */
  readonly directory: string;
  /** The configuration as an object; JSON is YAML. */
  readonly config: unknown;
  readonly env?: NodeJS.ProcessEnv;
  /** A program that becomes it, with its arguments, such as `nsenter --net=…`. Default none. */
  readonly within?: readonly string[];
}

export class SluiceProcess {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ended: Promise<Exit>;
  #stderr = '';
  #exit: Exit | undefined;

  /** Starts the program; it is killed at the end of the test if it still runs then. */
  constructor(t: Test, { name, directory, config, env = {}, within = [] }: Launch) {
    this.name = name;
    mkdirSync(directory, { recursive: true });
    const file = join(directory, `${name}.yaml`);
    writeFileSync(file, JSON.stringify(config, undefined, 2));
    const [command, ...args] = [...within, process.execPath, MAIN, 'run', '--config', file];
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    this.#child = child;
    this.#ended = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve((this.#exit = { code, signal })));
    });
    t.teardown(async () => {
      child.kill('SIGKILL');
      await this.#ended;
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`${this.name} was not started`);
    return this.#child.pid;
  }

  /** How it has ended; undefined while it runs. */
  get exit(): Exit | undefined {
    return this.#exit;
  }

  /** Everything that it has printed there so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** The lines of its own log so far. */
  get log(): LogLine[] {
    return this.#stderr.split('\n').flatMap((line) => {
      if (!line.startsWith('{') || !line.endsWith('}')) return [];
      const parsed: unknown = JSON.parse(line);
      return isMap(parsed) ? [parsed] : [];
    });
  }

  /** The first line of its log with this message, once there is one; rejects where the process ends without it. */
  async logged(message: string, deadlineMs = START_DEADLINE_MS): Promise<LogLine> {
    const find = (): LogLine | undefined => this.log.find((line) => line['message'] === message);
    await waitFor(() => find() !== undefined || this.#exit !== undefined, {
      deadlineMs,
      what: `${this.name} to log "${message}"; it has printed\n${this.#stderr}`,
    });
    const line = find();
    if (line === undefined) throw new Error(`${this.name} ended without logging "${message}":\n${this.#stderr}`);
    return line;
  }

  /** Sends a signal and resolves when the process has ended. */
  async end(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = END_DEADLINE_MS): Promise<Exit> {
    this.#child.kill(signal);
    return this.ended(deadlineMs);
  }

  async ended(deadlineMs = END_DEADLINE_MS): Promise<Exit> {
    await waitFor(() => this.#exit !== undefined, { deadlineMs, what: `${this.name} to end` });
    return this.#ended;
  }

  /** Sends a signal that does not end it: `SIGSTOP`, `SIGCONT`. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/**
 * A free port below those that the system hands out (32768 and up, see ip_local_port_range): on one of those, a client that tries
 * a listener that is down may be given the very port as its own and then talk to itself.
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 12_000 + Math.floor(Math.random() * 20_000);
    if (await isFree(port)) return port;
  }
  throw new Error('there is no free port');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

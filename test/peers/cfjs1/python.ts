/** Programs of this folder, as tests run them: Python with its standard library, which most machines have. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Test } from 'tap';
import { isMap } from '../../../src/config/data.ts';
import { waitFor } from '../../helpers/wait_for.ts';

const DEADLINE_MS = 30_000;

/** The first with `asyncio.timeout`. */
const OLDEST = [3, 11] as const;

/** Options of a test that needs Python: left out, by name, where there is none. */
export const NEEDS_PYTHON: { readonly skip: string | false } = { skip: whyNot() };

function whyNot(): string | false {
  const { stdout, error } = spawnSync('python3', ['--version'], { encoding: 'utf8' });
  if (error !== undefined) return 'python3 is not installed';
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(stdout) ?? []).map(Number);
  const isOld = major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
  return isOld && `python3 is ${stdout.trim()}, older than ${OLDEST.join('.')}`;
}

/** What a program has printed: an object with an `event`, and facts by name. */
export type Told = Readonly<Record<string, unknown>>;

export class Python {
  readonly #script: string;
  readonly #child: ChildProcess;
  readonly #told: Told[] = [];
  #stderr = '';
  #hasEnded = false;

  /** It is killed at the end of the test if it still runs then. */
  constructor(t: Test, script: string, args: readonly string[]) {
    // Without -B it would leave its compiled modules in the repository.
    const child = spawn('python3', ['-B', join(import.meta.dirname, script), ...args], { stdio: 'pipe' });
    this.#script = script;
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const told: unknown = JSON.parse(line);
      if (isMap(told)) this.#told.push(told);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => (this.#stderr += text));
    child.stdin.on('error', () => {}); // it may end before it has read all
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
    void ended.then(() => (this.#hasEnded = true));
    t.teardown(async () => {
      child.kill('SIGKILL');
      await ended;
    });
  }

  /** What it has printed so far, where given only of that event. */
  told(event?: string): Told[] {
    return event === undefined ? [...this.#told] : this.#told.filter((told) => told['event'] === event);
  }

  /** The first that it prints of an event; rejects where it ends without. */
  async first(event: string): Promise<Told> {
    await this.until(() => this.told(event).length > 0, `${this.#script} to tell "${event}"`);
    const [told] = this.told(event);
    if (told === undefined) throw new Error('it was there a moment ago');
    return told;
  }

  /** Waits for a condition; rejects where the program ends before it holds. */
  async until(condition: () => boolean, what: string): Promise<void> {
    await waitFor(() => condition() || this.#hasEnded, { what: `${what}\n${this.#stderr}`, deadlineMs: DEADLINE_MS });
    if (!condition()) throw new Error(`it ended in vain, waiting for ${what}\n${this.#stderr}`);
  }

  write(text: string): void {
    this.#child.stdin?.write(text);
  }

  /** Ends its standard input and waits until it has ended, for whatever reason; throws where it does not end well. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    await waitFor(() => this.#hasEnded, { what: `${this.#script} to end`, deadlineMs: DEADLINE_MS });
    if (this.#child.exitCode !== 0 || this.#stderr !== '') throw new Error(`${this.#script} failed:\n${this.#stderr}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await waitFor(() => this.#hasEnded, { what: `${this.#script} to die` });
  }
}

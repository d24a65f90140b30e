/** Processes that are measured: started, watched, and what they have used so far. Linux. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** Kernel ticks a second in /proc/PID/stat; fixed at 100 for user space on Linux. */
const TICKS_PER_SECOND = 100;

const SLUICE = new URL('../../src/cli/sluice', import.meta.url).pathname;

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMiB: number;
  readonly peakMiB: number;
}

export interface Handles {
  readonly descriptors: number;
  /** Files and directories that the kernel tells it of (inotify(7)). */
  readonly watches: number;
}

export class Measured {
  readonly #child: ChildProcess;
  readonly #lines = new Map<string, string>();

  private constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    if (this.#child.stdout === null) throw new Error('no standard output');
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const [word = '', ...rest] = line.split(' ');
      this.#lines.set(word, rest.join(' '));
    });
  }

  /** Runs a script with this Node; lines `word rest` that it prints are remembered by their word. */
  static script(script: string, args: readonly string[]): Measured {
    return new Measured(process.execPath, [script, ...args]);
  }

  /** Runs an agent on a configuration file, in the way in which a user starts it. */
  static sluice(file: string): Measured {
    return new Measured(SLUICE, ['run', '--config', file]);
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** What followed the word on the last line that began with it. */
  said(word: string): string | undefined {
    return this.#lines.get(word);
  }

  usage(): Usage {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    const mebibytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1024;
    return {
      cpuSeconds: (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND,
      residentMiB: mebibytes('VmRSS'),
      peakMiB: mebibytes('VmHWM'),
    };
  }

  handles(): Handles {
    const directory = `/proc/${this.#child.pid}/fdinfo`;
    const all = readdirSync(directory).map((name) => readFileSync(`${directory}/${name}`, 'utf8'));
    return { descriptors: all.length, watches: all.reduce((sum, text) => sum + [...text.matchAll(/^inotify wd:/gm)].length, 0) };
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await waitUntil(() => this.hasEnded, 'a process to end');
  }
}

/** Looks every 10 ms; throws after a minute. */
export async function waitUntil(condition: () => boolean, what: string, deadlineMs = 60_000): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await sleep(10);
  }
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2;
}

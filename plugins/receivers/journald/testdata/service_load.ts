/** Services that log to a journald, in a process of their own, at a steady rate and whatever becomes of it. */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import type { RunningJournald } from './journald.ts';
import type { LoadReport } from './service_load_process.ts';

const SCRIPT = join(import.meta.dirname, 'service_load_process.ts');

/** journald may be far behind. */
const STOP_DEADLINE_MS = 30_000;

export class ServiceLoad {
  readonly #child: ChildProcess;
  #report: LoadReport = { taken: 0, refused: 0, hasStopped: false };
  #exit: string | undefined;

  /** `test/helpers/numbered_lines.ts` has what is written: half of it field by field, half by several streams. */
  constructor(journald: RunningJournald, entriesPerSecond: number) {
    const { stdout, native } = journald.sockets;
    this.#child = fork(SCRIPT, [stdout, native, String(entriesPerSecond)], { execPath: process.execPath, execArgv: [] });
    this.#child.on('message', (report: LoadReport) => (this.#report = report));
    this.#child.on('error', (error) => (this.#exit = error.message));
    this.#child.on('close', (code, signal) => (this.#exit = `ended with ${code ?? signal}`));
  }

  /** How much journald was given so far, and how much while there was none; exact after `stop`. What it loses itself is not known here. */
  get report(): LoadReport {
    if (this.#exit !== undefined) throw new Error(`the services have ${this.#exit}`);
    return this.#report;
  }

  /** Writes no more, and resolves when the kernel has all that was written. The streams stay open. */
  async stop(): Promise<void> {
    this.#child.send('stop');
    await waitFor(() => this.#report.hasStopped || this.#exit !== undefined, {
      what: 'the services to stop',
      deadlineMs: STOP_DEADLINE_MS,
    });
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}

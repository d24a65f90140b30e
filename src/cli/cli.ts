/** What a command may use of the process it runs in. Tests give it another one; `main.ts` gives it the real one. */
import type { Command } from 'commander';
import type { Environment } from '../config/interpolate.ts';
import type { Registry } from '../config/registry.ts';

export interface Output {
  write(text: string): unknown;
  /** Whether it is a terminal, on which a line can be redrawn. */
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

export interface Cli {
  readonly env: Environment;
  /** What was asked for. */
  readonly stdout: Output;
  /** What went wrong. */
  readonly stderr: Output;
  /** The components; plugins are loaded at the first call. */
  registry(): Promise<Registry>;
  /**
   * Aborts when the process is told to stop (SIGTERM, SIGINT). From the first call on, a signal no longer ends the process by
   * itself: the command has to return. A second signal does end it, with the exit code that a shell gives it. With `hangUp` the
   * same holds for SIGHUP, which tells that the terminal has gone.
   */
  stopSignal(options?: { readonly hangUp?: boolean }): AbortSignal;
  /** Aborts right before the process is ended by a second signal, for what must not outlive it. Listeners must not wait. */
  endSignal(): AbortSignal;
}

/** A file of `src/cli/` that is a command. */
export interface CommandModule {
  /** Adds the command. Its action throws a SluiceError where the user can do something about it, and never ends the process. */
  register(program: Command, cli: Cli): void;
  /** Lines for `sluice --help`. */
  readonly examples?: readonly Example[];
}

export type Example = readonly [command: string, does: string];

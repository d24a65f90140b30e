/** What a command may use of the process it runs in. Tests give it another one; `main.ts` gives it the real one. */
import type { Command } from 'commander';
import type { Environment } from '../config/interpolate.ts';
import type { Registry } from '../config/registry.ts';
import type { Example, Terminal } from '../kit/commands.ts';

export interface Cli extends Terminal {
  readonly env: Environment;
  /** The components; plugins are loaded at the first call. */
  registry(): Promise<Registry>;
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

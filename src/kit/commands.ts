/**
 * The contract of commands that a plugin brings along: `plugins/<kind>s/<type>/cli/index.ts` exports what `PluginCommands` says, and
 * the command line finds it there by its path. That file is loaded for the help too, so it only declares commands and their flags; what
 * they do is imported when one of them is run.
 */
import type { Command } from 'commander';

/** What runs where nobody says otherwise. */
export const DEFAULT_CONFIG = '/etc/sluice/sluice.yaml';

export interface Output {
  write(text: string): unknown;
  /** Whether it is a terminal, on which a line can be redrawn. */
  readonly isTTY?: boolean;
  /** Width of the terminal. */
  readonly columns?: number;
}

export interface ByteOutput extends Output {
  /**
   * Writes bytes as they are. Resolves when they have been taken and may be changed again, so that whoever waits for it holds no more
   * of them in memory. Never rejects: what becomes of output that cannot be written is for the process to decide.
   */
  send(bytes: Uint8Array): Promise<void>;
}

/** What every command may use of the process it runs in. */
export interface Terminal {
  /** What was asked for. */
  readonly stdout: ByteOutput;
  /** What went wrong. */
  readonly stderr: Output;
  /**
   * Aborts when the process is told to stop (SIGTERM, SIGINT). From the first call on, a signal no longer ends the process by
   * itself: the command has to return. A second signal does end it, with the exit code that a shell gives it. With `hangUp` the
   * same holds for SIGHUP, which tells that the terminal has gone.
   */
  stopSignal(options?: { readonly hangUp?: boolean }): AbortSignal;
}

/** A component as a configuration has it. */
export interface ConfiguredComponent {
  /** `type` or `type/name`. */
  readonly id: string;
  /** They have passed the schema of the component's definition, and are what its `create` takes. */
  readonly options: unknown;
  /** Where the agent with this configuration keeps what the component saves; it may not be there yet. */
  readonly stateDirectory: string;
}

export interface PluginTerminal extends Terminal {
  /** The plugin's own components in the configuration `file`, in its order. Throws what loading a configuration throws. */
  configured(file: string): Promise<readonly ConfiguredComponent[]>;
}

/** A line for `sluice --help`. */
export type Example = readonly [command: string, does: string];

export interface PluginCommands {
  /** Adds the commands. Their actions throw a SluiceError where the user can do something about it, and never end the process. */
  register(program: Command, terminal: PluginTerminal): void;
  readonly examples?: readonly Example[];
}

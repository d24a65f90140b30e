/** Runs a command of the plugin in this process, and gives back what it printed. */
import { Command } from 'commander';
import { describeError } from '../../../../src/core/errors.ts';
import type { ConfiguredComponent, PluginTerminal } from '../../../../src/kit/commands.ts';
import { register } from '../cli/index.ts';

export interface Ran {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** What it threw, with what to do about it; undefined where it succeeded. */
  readonly error: string | undefined;
}

export interface Surroundings {
  /** What the configuration has of journald receivers. */
  readonly receivers?: readonly ConfiguredComponent[];
  readonly stop?: AbortSignal;
  /** Hears of each piece of output, before the command goes on. */
  readonly onSend?: (bytes: Buffer) => void | Promise<void>;
}

/** Runs `sluice journal` with these arguments. */
export async function runJournal(args: readonly string[], surroundings: Surroundings = {}): Promise<Ran> {
  const pieces: Buffer[] = [];
  let stderr = '';
  const terminal: PluginTerminal = {
    stdout: {
      write: (text) => void pieces.push(Buffer.from(text)),
      async send(bytes) {
        const piece = Buffer.from(bytes);
        pieces.push(piece);
        await surroundings.onSend?.(piece);
      },
    },
    stderr: { write: (text) => void (stderr += text) },
    stopSignal: () => surroundings.stop ?? new AbortController().signal,
    configured: async () => surroundings.receivers ?? [],
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: (text) => void (stderr += text) });
  register(program, terminal);
  let error: string | undefined;
  try {
    await program.parseAsync(['journal', ...args], { from: 'user' });
  } catch (thrown) {
    error = describeError(thrown);
  }
  return { stdout: Buffer.concat(pieces), stderr, error };
}

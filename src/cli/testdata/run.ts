/** Runs the command line in this process, on the test registry, and gives back what it printed. */
import { fakeRegistry } from '../../config/testdata/fake_registry.ts';
import type { Cli, CommandModule } from '../cli.ts';
import { COMMANDS } from '../commands.ts';
import { runCli } from '../program.ts';

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export async function run(
  args: readonly string[],
  env: Cli['env'] = {},
  builtIn: readonly CommandModule[] = COMMANDS,
  fromPlugins: () => Promise<readonly CommandModule[]> = async () => [],
): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const code = await runCli(
    args,
    {
      env,
      stdout: {
        write: (text) => void (stdout += text),
        send: async (bytes) => void (stdout += Buffer.from(bytes).toString()),
      },
      stderr: { write: (text) => void (stderr += text) },
      registry: async () => fakeRegistry,
      stopSignal: () => new AbortController().signal,
      endSignal: () => new AbortController().signal,
    },
    { builtIn, fromPlugins },
  );
  return { code, stdout, stderr };
}

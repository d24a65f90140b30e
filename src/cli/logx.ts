/** `sluice logx`: a log-x receiver from flags, for trying things. */
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { parseConfig } from '../config/load.ts';
import type { Example } from '../kit/commands.ts';
import type { Cli } from './cli.ts';
import { receiverConfig } from './receiver_config.ts';
import { runAgent } from './run.ts';

interface Flags {
  readonly name: string;
  readonly listen: string;
  readonly directory: string;
  readonly metrics: string;
  readonly printConfig?: true;
}

export const examples: readonly Example[] = [['sluice logx --directory ./topics', 'a receiver to try an agent with']];

export function register(program: Command, cli: Cli): void {
  program
    .command('logx')
    .option('--name <name>', 'what agents see as its name', 'log-a')
    .option('--listen <host:port>', 'where agents connect to', '127.0.0.1:6514')
    .option('--directory <path>', 'where the topics are kept, one file of lines each', './var/log-a/topics')
    .option('--metrics <host:port>', 'where /metrics, /healthz and /readyz are served; port 0 is any free one', '127.0.0.1:0')
    .option('--print-config', 'print the configuration that these flags stand for, for "sluice run", and end')
    .summary('run a receiver with a store of its own, for trying things')
    .description(
      'Runs a log-x receiver that appends what agents send to one file of lines for each topic, synced before it is acknowledged. Whatever needs more than these flags starts from --print-config.',
    )
    .action(async (flags: Flags) => {
      const text = configOf(flags);
      if (flags.printConfig) cli.stdout.write(text);
      else await runAgent(parseConfig(text, 'sluice logx', { registry: await cli.registry(), env: cli.env }), cli);
    });
}

function configOf({ name, listen, directory, metrics }: Flags): string {
  const topics = resolve(directory);
  return receiverConfig({
    about: ['A log-x receiver with the embedded store.'],
    name,
    listen,
    directory: topics,
    stateDirectory: join(topics, '.state'),
    telemetry: metrics,
  });
}

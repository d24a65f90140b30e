/** `sluice demo`: the main job on this host, an agent and two receivers, with everything under one directory. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Example } from '../kit/commands.ts';
import type { Cli } from './cli.ts';
import { runDemo } from './demo/demo.ts';

export const examples: readonly Example[] = [['sluice demo', 'see it work: an agent and two receivers, until Ctrl-C']];

export function register(program: Command, cli: Cli): void {
  program
    .command('demo')
    .option('--directory <path>', 'where everything is kept', './var')
    .summary('see it work: an agent and two receivers on this host')
    .description(
      'Starts an agent and two receivers, log-a and log-b, as processes of their own. The agent reads the journal where it may, a named pipe and a unix socket, and delivers every record to both. Shows what to try and then its numbers, once a second, until Ctrl-C.',
    )
    .action(({ directory }: { directory: string }) => runDemo(resolve(directory), cli));
}

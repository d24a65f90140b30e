/** `sluice config default|schema|docs`: what is generated from the options that the components declare. */
import type { Command } from 'commander';
import { annotatedConfig, type Selection } from '../config/annotate.ts';
import { configJsonSchema } from '../config/json_schema.ts';
import { PLUGINS_DIRECTORY } from '../config/registry.ts';
import type { Example } from '../kit/commands.ts';
import type { Cli } from './cli.ts';
import { writeOptionTables } from './option_docs.ts';

/** What the agent is for: a host's logs to two receivers. */
const MAIN_JOB: Selection = {
  receivers: ['journald', 'pipe', 'unix'],
  processors: ['tag', 'rate_limit'],
  exporters: ['logx'],
};

export const examples: readonly Example[] = [
  ['sluice config default > sluice.yaml', 'a configuration to start from, with every option explained'],
];

export function register(program: Command, cli: Cli): void {
  const config = program
    .command('config')
    .helpCommand(false)
    .summary('print a configuration to start from, or its JSON Schema')
    .description('Prints what there is to configure. All of it is generated from what the components declare.');

  config
    .command('default')
    .description('print a complete configuration with every option at its default and what it is for; "check" accepts it')
    .action(async () => void cli.stdout.write(annotatedConfig(await cli.registry(), MAIN_JOB)));

  config
    .command('schema')
    .description('print the JSON Schema of the configuration, for completion and checks in an editor')
    .action(async () => void cli.stdout.write(`${JSON.stringify(configJsonSchema(await cli.registry()), undefined, 2)}\n`));

  config
    .command('docs')
    .description("write the option table in each plugin's README.md anew; for developers")
    .action(async () => {
      const { written, total } = await writeOptionTables(await cli.registry(), PLUGINS_DIRECTORY);
      cli.stdout.write(
        `${written.map((file) => `wrote ${file}\n`).join('')}${written.length} of ${total} files had to be changed\n`,
      );
    });
}

/** `sluice check FILE`: whether a configuration can be run, or everything that is wrong with it. */
import type { Command } from 'commander';
import type { AgentConfig, PipelineConfig } from '../config/agent_config.ts';
import { destinationsOf } from '../config/agent_config.ts';
import { loadConfig } from '../config/load.ts';
import type { Example } from '../kit/commands.ts';
import type { Cli } from './cli.ts';

export const examples: readonly Example[] = [['sluice check sluice.yaml', 'whether it can be run, or everything wrong with it']];

export function register(program: Command, cli: Cli): void {
  program
    .command('check')
    .argument('<file>', 'the configuration')
    .summary('tell whether a configuration can be run')
    .description(
      'Reads a configuration and checks all of it without starting anything: prints its pipelines and exits with 0, or prints every problem with its place and exits with 1. References such as ${env:NAME} are resolved in the environment of this command.',
    )
    .action(async (file: string) => {
      const config = await loadConfig(file, { registry: await cli.registry(), env: cli.env });
      cli.stdout.write(`${file} is good: ${summarize(config)}\n`);
    });
}

/** `logs: journald, pipe/nginx -> tag -> rate_limit -> logx (log-a, log-b)`, with `; ` between pipelines. */
function summarize({ pipelines }: AgentConfig): string {
  return pipelines.map(summarizePipeline).join('; ');
}

function summarizePipeline({ name, receivers, processors, exporters }: PipelineConfig): string {
  const ends = exporters.map((exporter) => {
    const destinations = destinationsOf(exporter).join(', ');
    return destinations === exporter.id ? exporter.id : `${exporter.id} (${destinations})`;
  });
  const stages = [receivers.map(({ id }) => id).join(', '), ...processors.map(({ id }) => id), ends.join(', ')];
  return `${name}: ${stages.join(' -> ')}`;
}

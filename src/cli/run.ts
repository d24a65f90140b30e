/** `sluice run --config FILE`: the agent, or with another configuration a log-x receiver, until it is told to stop. */
import { once } from 'node:events';
import type { Command } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { AgentConfig } from '../config/agent_config.ts';
import { loadConfig } from '../config/load.ts';
import { systemClock } from '../core/clock.ts';
import { nodeFiles } from '../kit/files.ts';
import { formatAddress } from '../kit/options.ts';
import { Agent } from '../pipeline/agent.ts';
import { createLog } from '../telemetry/agent_log.ts';
import { DEFAULT_CONFIG, type Example } from '../kit/commands.ts';
import type { Cli } from './cli.ts';

export const examples: readonly Example[] = [['sluice run --config sluice.yaml', 'run it until it is told to stop']];

export function register(program: Command, cli: Cli): void {
  program
    .command('run')
    .option('-c, --config <file>', 'the configuration', DEFAULT_CONFIG)
    .summary('run a configuration')
    .description(
      'Runs the pipelines of a configuration until SIGTERM or SIGINT. Then receivers stop, and what is held is delivered within service.shutdown_timeout. A second signal ends it at once. Its own log goes to stderr, one JSON object a line.',
    )
    .action(async ({ config: file }: { config: string }) => {
      await runAgent(await loadConfig(file, { registry: await cli.registry(), env: cli.env }), cli);
    });
}

/** Runs a checked configuration until the process is told to stop. Throws a SluiceError where it cannot start. */
export async function runAgent(config: AgentConfig, cli: Cli): Promise<void> {
  const signal = cli.stopSignal();
  const log = createLog({ level: config.telemetry.logLevel });
  const agent = new Agent(config, { clock: systemClock, files: nodeFiles, log, version: packageJson.version });
  await agent.start();
  const pipelines = config.pipelines.map(({ name }) => name);
  const telemetry = formatAddress({ ...config.telemetry.address, port: agent.telemetry.port ?? 0 });
  log.info('running', { version: packageJson.version, host: config.service.hostName, pipelines, telemetry });
  if (!signal.aborted) await once(signal, 'abort');
  log.info('stopping', { signal: String(signal.reason) });
  const { undelivered, total } = await agent.stop();
  const { accepted, delivered, deadLettered, dropped, spooled, unaccounted } = total;
  const fields = { accepted, delivered, dead_lettered: deadLettered, dropped, spooled, undelivered, unaccounted };
  if (undelivered > 0) log.warn('stopped before everything was delivered: the records counted as undelivered are lost', fields);
  else if (spooled > 0) log.info('stopped; the records counted as spooled wait on disk for the next start', fields);
  else log.info('stopped, nothing was left undelivered', fields);
}

/** From a file's text to a configuration that can be run, or to everything that is wrong with it at once. */
import { hostname } from 'node:os';
import type { AgentConfig, AnyDefinition, ComponentConfig, DeadLettersConfig, SpoolConfig } from './agent_config.ts';
import { readConfigText } from './config_file.ts';
import { type CheckedFile, FileCheck } from './file_check.ts';
import type { FileConfig } from './file_schema.ts';
import type { Environment } from './interpolate.ts';
import { ConfigError } from './problem.ts';
import type { Registry } from './registry.ts';
import { deadLetterDirectory, spoolDirectory } from './state_paths.ts';
import { YamlSource } from './yaml_source.ts';

export interface ConfigContext {
  readonly registry: Registry;
  /** What `${env:NAME}` refers to; `process.env` in the program. */
  readonly env: Environment;
}

/**
 * Reads and checks a configuration file. Throws a ConfigError with every problem, or a SluiceError (`path_missing`,
 * `permission_denied`, `config_invalid`) where the file cannot be read.
 */
export async function loadConfig(file: string, context: ConfigContext): Promise<AgentConfig> {
  return parseConfig(await readConfigText(file), file, context);
}

/** Checks a configuration's text; `name` stands for the file in messages. Throws a ConfigError with every problem. */
export function parseConfig(text: string, name: string, { registry, env }: ConfigContext): AgentConfig {
  const plain = text.replace(/^\uFEFF/, '');
  const check = new FileCheck(new YamlSource(plain, env));
  const checked = check.run(registry);
  if (checked === undefined) throw new ConfigError(name, plain, check.problems);
  return assemble(checked);
}

function assemble({ file: { service }, components }: CheckedFile): AgentConfig {
  const { telemetry } = service;
  const { receivers, processors, exporters } = components;
  return {
    receivers: [...receivers.values()],
    processors: [...processors.values()],
    exporters: [...exporters.values()],
    pipelines: Object.entries(service.pipelines).map(([name, pipeline]) => ({
      name,
      receivers: pick(receivers, pipeline.receivers),
      processors: pick(processors, pipeline.processors),
      exporters: pick(exporters, pipeline.exporters),
      spool: spoolOf(name, pipeline.spool, service.state_directory),
      deadLetters: deadLettersOf(name, pipeline.dead_letters, service.state_directory),
    })),
    service: {
      hostName: service.host_name ?? hostname(),
      stateDirectory: service.state_directory,
      shutdownTimeoutMs: service.shutdown_timeout,
    },
    telemetry: { address: telemetry.address, maxSeries: telemetry.max_series, logLevel: telemetry.log_level },
  };
}

type PipelineSection = FileConfig['service']['pipelines'][string];

function spoolOf(name: string, spool: PipelineSection['spool'], stateDirectory: string): SpoolConfig {
  const { enabled, max_bytes } = spool.disk;
  const directory = spoolDirectory(stateDirectory, name, spool.disk.directory);
  return {
    maxMemoryBytes: spool.memory.max_bytes,
    disk: enabled ? { directory, maxBytes: max_bytes } : undefined,
    durability: spool.durability,
    commitIntervalMs: spool.commit_interval,
  };
}

function deadLettersOf(
  name: string,
  letters: PipelineSection['dead_letters'],
  stateDirectory: string,
): DeadLettersConfig | undefined {
  const { enabled, max_bytes, max_age } = letters;
  const directory = deadLetterDirectory(stateDirectory, name, letters.directory);
  return enabled ? { directory, maxBytes: max_bytes, maxAgeMs: max_age } : undefined;
}

/** Every id is defined, as the cross-checks have found. */
function pick<D extends AnyDefinition>(
  components: ReadonlyMap<string, ComponentConfig<D>>,
  ids: readonly string[],
): ComponentConfig<D>[] {
  return ids.flatMap((id) => components.get(id) ?? []);
}

/** What the agents under measurement are told: `tag` and `rate_limit` with a limit that nobody reaches, before one exporter. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface AgentSetup {
  /** The run's own; state and configuration are kept there. */
  readonly directory: string;
  /** By configuration id. */
  readonly receivers: Readonly<Record<string, unknown>>;
  /** Ports on loopback, by the destination's name. */
  readonly ports: Readonly<Record<string, number>>;
  /** Default true. */
  readonly acknowledged?: boolean;
  /** Options of the pipeline's spool. */
  readonly spool: Readonly<Record<string, unknown>>;
  /** Default: whichever the system gives, which then nobody knows. */
  readonly telemetryPort?: number;
  /** Default `warn`. */
  readonly logLevel?: 'warn' | 'error';
}

/** Batches wait in memory only, and not many of them. */
export const SMALL_MEMORY = { memory: { max_bytes: '16MiB' }, disk: { enabled: false } } as const;

/** Writes the configuration of an agent and gives the file's path. */
export function writeConfiguration(setup: AgentSetup): string {
  const { directory, receivers, ports, acknowledged = true, spool, telemetryPort = 0, logLevel = 'warn' } = setup;
  const destinations = Object.entries(ports).map(([name, port]) => [name, { endpoint: `tcp://127.0.0.1:${port}`, acknowledged }]);
  const file = join(directory, 'sluice.yaml');
  const configuration = {
    receivers,
    processors: {
      tag: { datacenter: 'bench', tags: { dc_state: 'active' } },
      rate_limit: { records_per_second: 100_000_000, burst: 100_000_000 },
    },
    exporters: { logx: { destinations: Object.fromEntries(destinations) } },
    service: {
      state_directory: join(directory, 'state'),
      telemetry: { address: `127.0.0.1:${telemetryPort}`, log_level: logLevel },
      pipelines: {
        logs: { receivers: Object.keys(receivers), processors: ['tag', 'rate_limit'], exporters: ['logx'], spool },
      },
    },
  };
  writeFileSync(file, JSON.stringify(configuration));
  return file;
}

/** Everything that an operator can see of a running agent, tied together and served. */
import type { Clock } from '../core/clock.ts';
import type { Log } from '../core/log.ts';
import { type Finding, Health } from './health.ts';
import { Ledger } from './ledger.ts';
import { MetricsRegistry } from './metrics.ts';
import { addProcessMetrics } from './process_metrics.ts';
import { json, type ListenAddress, type Page, type Rendered, TelemetryServer } from './server.ts';

export interface TelemetryOptions {
  /** Where `/metrics`, `/healthz` and `/readyz` are served; undefined for nowhere. */
  readonly address: ListenAddress | undefined;
  /** Most series of one metric that is kept by service. */
  readonly maxSeries: number;
  readonly log: Log;
  readonly clock: Clock;
  /** The agent's version, for `sluice_build_info`. */
  readonly version: string;
}

export class Telemetry {
  readonly metrics: MetricsRegistry;
  readonly ledger = new Ledger();
  readonly health: Health;
  readonly #server: TelemetryServer | undefined;

  constructor({ address, maxSeries, log, clock, version }: TelemetryOptions) {
    this.metrics = new MetricsRegistry({ maxSeries });
    this.health = new Health(clock);
    addProcessMetrics(this.metrics, version);
    this.ledger.export(this.metrics);
    this.#server = address === undefined ? undefined : new TelemetryServer(address, this.#pages(), log);
  }

  /** The port that is served on; undefined while none is. */
  get port(): number | undefined {
    return this.#server?.port;
  }

  /** Throws a SluiceError where the address cannot be listened on. */
  async start(): Promise<void> {
    await this.#server?.start();
    this.health.start();
  }

  async stop(): Promise<void> {
    this.health.stop();
    await this.#server?.stop();
  }

  #pages(): Map<string, Page> {
    return new Map<string, Page>([
      [
        '/metrics',
        {
          summary: 'metrics in the Prometheus text format',
          render: async () => ({ status: 200, contentType: this.metrics.contentType, body: await this.metrics.text() }),
        },
      ],
      [
        '/healthz',
        {
          summary: 'alive: 200 while every stage with work to do moves, 503 with the stages that are stuck',
          render: () => judge('alive', this.health.stalled()),
        },
      ],
      [
        '/readyz',
        {
          summary: 'ready: 200 while every stage takes records, 503 with the stages that do not and why',
          render: () => judge('ready', this.health.notReady()),
        },
      ],
    ]);
  }
}

/** Creates the telemetry of an agent; nothing is opened before `start`. */
export function createTelemetry(options: TelemetryOptions): Telemetry {
  return new Telemetry(options);
}

function judge(quality: 'alive' | 'ready', findings: readonly Finding[]): Rendered {
  return json(findings.length === 0 ? 200 : 503, { [quality]: findings.length === 0, stages: findings });
}

/** A whole agent, from a checked configuration: its telemetry and its pipelines, started and stopped as one. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig } from '../config/agent_config.ts';
import type { Clock } from '../core/clock.ts';
import type { ComponentContext } from '../core/component.ts';
import { errnoOf, SluiceError } from '../core/errors.ts';
import type { AgentLog } from '../telemetry/agent_log.ts';
import type { LedgerEntry } from '../telemetry/ledger.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { Pipeline } from './pipeline.ts';

export interface AgentParts {
  readonly clock: Clock;
  readonly log: AgentLog;
  readonly version: string;
}

export interface StopReport {
  /** Records that could not be delivered in time and that no source will offer again. */
  readonly undelivered: number;
  /** The ledger's totals, as the last word. */
  readonly total: LedgerEntry;
}

export class Agent {
  readonly telemetry: Telemetry;
  readonly #config: AgentConfig;
  readonly #parts: AgentParts;
  readonly #pipelines: readonly Pipeline[];
  readonly #stateDirectories: string[] = [];

  constructor(config: AgentConfig, parts: AgentParts) {
    const { clock, log, version } = parts;
    this.#config = config;
    this.#parts = parts;
    this.telemetry = createTelemetry({ ...config.telemetry, clock, log: log.child('telemetry'), version });
    this.#pipelines = config.pipelines.map(
      (pipeline) =>
        new Pipeline(pipeline, { telemetry: this.telemetry, log, contextOf: (kind, id) => this.#contextOf(kind, id) }),
    );
  }

  /** Throws a SluiceError where a component or the telemetry address cannot have what it needs; nothing is left running then. */
  async start(): Promise<void> {
    for (const directory of this.#stateDirectories) await createStateDirectory(directory);
    await this.telemetry.start();
    const started: Pipeline[] = [];
    try {
      for (const pipeline of this.#pipelines) {
        await pipeline.start();
        started.push(pipeline);
      }
    } catch (error) {
      for (const pipeline of started) await pipeline.stop(0);
      await this.telemetry.stop();
      throw error;
    }
  }

  /** Stops reading, delivers what is held within the configured time, and closes. Telemetry goes last. */
  async stop(): Promise<StopReport> {
    const deadlineMs = this.#parts.clock.monotonicMs() + this.#config.service.shutdownTimeoutMs;
    const undelivered = await Promise.all(this.#pipelines.map((pipeline) => pipeline.stop(deadlineMs)));
    await this.telemetry.stop();
    return { undelivered: undelivered.reduce((sum, records) => sum + records, 0), total: this.telemetry.ledger.snapshot().total };
  }

  #contextOf(kind: string, id: string): ComponentContext {
    const { clock, log } = this.#parts;
    const { stateDirectory, hostName } = this.#config.service;
    const own = join(stateDirectory, `${kind}s`, id);
    if (kind !== 'processor') this.#stateDirectories.push(own);
    return { id, clock, hostName, log: log.child(id), metrics: this.telemetry.metrics.forComponent(id), stateDirectory: own };
  }
}

async function createStateDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o750 });
  } catch (cause) {
    throw new SluiceError(
      'path_missing',
      `the state directory ${directory} cannot be created (${errnoOf(cause) ?? 'unknown error'})`,
      {
        hint: 'set service.state_directory to a directory that this user may write to, or run as the user who owns it',
        cause,
      },
    );
  }
}

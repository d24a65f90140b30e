/** A whole agent, from a checked configuration: its telemetry and its pipelines, started and stopped as one. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AgentConfig } from '../config/agent_config.ts';
import { componentDirectory } from '../config/state_paths.ts';
import type { Clock } from '../core/clock.ts';
import type { ComponentContext } from '../core/component.ts';
import { errnoOf, SluiceError } from '../core/errors.ts';
import type { FileLock, FileSystem } from '../core/files.ts';
import type { Recovery, SpoolMark } from '../core/spool_mark.ts';
import type { AgentLog } from '../telemetry/agent_log.ts';
import type { LedgerEntry } from '../telemetry/ledger.ts';
import { LedgerStore } from '../telemetry/ledger_store.ts';
import { createTelemetry, type Telemetry } from '../telemetry/telemetry.ts';
import { Pipeline } from './pipeline.ts';

export interface AgentParts {
  readonly clock: Clock;
  readonly files: FileSystem;
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
  readonly #ledgerStore: LedgerStore;
  #lock: FileLock | undefined;

  constructor(config: AgentConfig, parts: AgentParts) {
    const { clock, log, version, files } = parts;
    this.#config = config;
    this.#parts = parts;
    this.telemetry = createTelemetry({ ...config.telemetry, clock, log: log.child('telemetry'), version });
    this.#ledgerStore = new LedgerStore({
      path: join(config.service.stateDirectory, 'ledger.json'),
      ledger: this.telemetry.ledger,
      marks: () => this.#marks(),
      ...parts,
    });
    this.#pipelines = config.pipelines.map(
      (pipeline) =>
        new Pipeline(pipeline, {
          telemetry: this.telemetry,
          log: log.child(`pipeline ${pipeline.name}`),
          clock,
          files,
          random: secureRandom,
          contextOf: (kind, id) => this.#contextOf(kind, id),
        }),
    );
  }

  /** Throws a SluiceError where a component or the telemetry address cannot have what it needs; nothing is left running then. */
  async start(): Promise<void> {
    const { stateDirectory } = this.#config.service;
    for (const directory of [stateDirectory, ...this.#stateDirectories]) await createStateDirectory(directory);
    this.#lock = await this.#lockState();
    const opened: Pipeline[] = [];
    try {
      await this.#openLedgerAnd(opened);
      await this.telemetry.start();
      for (const pipeline of this.#pipelines) await pipeline.start();
    } catch (error) {
      for (const pipeline of opened) await pipeline.stop(0);
      await this.#ledgerStore.stop();
      await this.telemetry.stop();
      await this.#lock.release();
      throw error;
    }
  }

  /** Stops reading, delivers what is held within the configured time, and closes. Telemetry goes last. */
  async stop(): Promise<StopReport> {
    const deadlineMs = this.#parts.clock.monotonicMs() + this.#config.service.shutdownTimeoutMs;
    const undelivered = await Promise.all(this.#pipelines.map((pipeline) => pipeline.stop(deadlineMs)));
    await this.#ledgerStore.stop();
    await this.telemetry.stop();
    await this.#lock?.release();
    return { undelivered: undelivered.reduce((sum, records) => sum + records, 0), total: this.telemetry.ledger.snapshot().total };
  }

  /** The ledger, positions and spools that are there by default belong to one process. */
  async #lockState(): Promise<FileLock> {
    const { stateDirectory } = this.#config.service;
    const lock = await this.#parts.files.lock(join(stateDirectory, 'lock'));
    if (lock !== undefined) return lock;
    throw new SluiceError('path_conflict', `another agent uses the state directory ${stateDirectory}`, {
      hint: 'stop it, or give this one a service.state_directory of its own',
    });
  }

  #marks(): Map<string, SpoolMark> {
    const marks = new Map<string, SpoolMark>();
    for (const { name, spool } of this.#pipelines) {
      const mark = spool.mark();
      if (mark !== undefined) marks.set(name, mark);
    }
    return marks;
  }

  /** Takes up what an earlier run has left: the spools, and the ledger that has to agree with them before anybody looks at it. */
  async #openLedgerAnd(opened: Pipeline[]): Promise<void> {
    await this.#ledgerStore.load();
    const recoveries: Recovery[] = [];
    for (const pipeline of this.#pipelines) {
      recoveries.push(await pipeline.open(this.#ledgerStore.markOf(pipeline.name)));
      opened.push(pipeline);
    }
    this.#ledgerStore.restore(recoveries);
    await this.#ledgerStore.start();
  }

  #contextOf(kind: string, id: string): ComponentContext {
    const { clock, log } = this.#parts;
    const { stateDirectory, hostName } = this.#config.service;
    const own = componentDirectory(stateDirectory, kind, id);
    if (kind !== 'processor') this.#stateDirectories.push(own);
    return { id, clock, hostName, log: log.child(id), metrics: this.telemetry.metrics.forComponent(id), stateDirectory: own };
  }
}

function secureRandom(): number {
  return randomBytes(6).readUIntBE(0, 6) / 2 ** 48;
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

/** The program itself, agent or receiver: one pipeline with telemetry and ledger, on the surroundings of one incarnation. */
import { join } from 'node:path';
import type { PipelineConfig } from '../../src/config/agent_config.ts';
import type { ComponentContext } from '../../src/core/component.ts';
import type { FileSystem } from '../../src/core/files.ts';
import type { Log } from '../../src/core/log.ts';
import type { SpoolMark } from '../../src/core/spool_mark.ts';
import { Pipeline } from '../../src/pipeline/pipeline.ts';
import { LedgerStore } from '../../src/telemetry/ledger_store.ts';
import { createTelemetry, type Telemetry } from '../../src/telemetry/telemetry.ts';
import type { Incarnation } from './incarnation.ts';
import type { Random } from './random.ts';
import type { Trace } from './trace.ts';

export const STATE_DIRECTORY = '/state';
export const LEDGER_PATH = join(STATE_DIRECTORY, 'ledger.json');

export interface ProgramOptions {
  readonly config: PipelineConfig;
  readonly incarnation: Incarnation;
  readonly files: FileSystem;
  readonly random: Random;
  readonly trace: Trace;
}

/** Does what `src/pipeline/agent.ts` does for the program as it is run, but for its HTTP server. */
export class Program {
  readonly telemetry: Telemetry;
  readonly pipeline: Pipeline;
  readonly #files: FileSystem;
  readonly #ledgerStore: LedgerStore;

  constructor({ config, incarnation, files, random, trace }: ProgramOptions) {
    const { clock, machine } = incarnation;
    const logOf = (id: string): Log => {
      const note = (message: string, fields = {}): void => {
        if (incarnation.isAlive) trace.note(`${machine.name} ${id}: ${message} ${JSON.stringify(fields)}`);
      };
      return { debug: note, info: note, warn: note, error: note };
    };
    const telemetry = createTelemetry({ address: undefined, maxSeries: 100, log: logOf('telemetry'), clock, version: '0' });
    const contextOf = (kind: string, id: string): ComponentContext => ({
      id,
      clock,
      log: logOf(id),
      metrics: telemetry.metrics.forComponent(id),
      stateDirectory: join(STATE_DIRECTORY, `${kind}s`, id),
      hostName: machine.name,
    });
    const log = logOf('pipeline');
    this.telemetry = telemetry;
    this.pipeline = new Pipeline(config, { telemetry, log, clock, files, random: random.next, contextOf });
    this.#ledgerStore = new LedgerStore({
      path: LEDGER_PATH,
      ledger: telemetry.ledger,
      files,
      clock,
      log,
      marks: () => this.#marks(),
    });
    this.#files = files;
  }

  /** `opened` is called once the ledger has taken up what an earlier run has left. */
  async start(opened: () => void): Promise<void> {
    await this.#files.makeDirectory(STATE_DIRECTORY);
    await this.#ledgerStore.load();
    this.#ledgerStore.restore([await this.pipeline.open(this.#ledgerStore.markOf(this.pipeline.name))]);
    opened();
    await this.#ledgerStore.start();
    await this.telemetry.start();
    await this.pipeline.start();
  }

  #marks(): Map<string, SpoolMark> {
    const mark = this.pipeline.spool.mark();
    return new Map(mark === undefined ? [] : [[this.pipeline.name, mark]]);
  }

  /** Delivers what it holds until `deadlineMs` of the incarnation's clock. */
  async stop(deadlineMs: number): Promise<void> {
    await this.pipeline.stop(deadlineMs);
    await this.#ledgerStore.stop();
    await this.telemetry.stop();
  }
}

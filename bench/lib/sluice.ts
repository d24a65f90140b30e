/** An agent under measurement, on a configuration of its own, shipping to a sink. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SMALL_MEMORY, writeConfiguration } from './configuration.ts';
import { type Handles, Measured, type Usage, waitUntil } from './process.ts';

export type Mode = 'acked' | 'plain';

const path = (name: string): string => new URL(name, import.meta.url).pathname;

export interface Setup {
  readonly mode: Mode;
  /** Receiver id and options; `directory` is this run's own. */
  readonly receivers: (directory: string) => Record<string, unknown>;
}

export interface Result {
  readonly records: number;
  readonly recordsPerSecond: number;
  readonly cpuSecondsPerMillion: number;
  /** Share of one core, while the records came in. */
  readonly cores: number;
  readonly peakMiB: number;
}

export class Bench {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  readonly #sink: Measured;
  readonly #startAgent: () => Measured;
  #agent: Measured;

  private constructor(sink: Measured, configure: (directory: string) => string) {
    const configuration = configure(this.directory);
    this.#sink = sink;
    this.#startAgent = () => Measured.sluice(configuration);
    this.#agent = this.#startAgent();
  }

  /** Starts the sink, then the agent; what the agent is to read may be there already. */
  static async start({ mode, receivers }: Setup): Promise<Bench> {
    const sink = Measured.script(path('sink.ts'), [mode]);
    await waitUntil(() => sink.said('port') !== undefined, 'the sink to listen');
    return new Bench(sink, (directory) => {
      const ports = { sink: Number(sink.said('port')) };
      return writeConfiguration({
        directory,
        receivers: receivers(directory),
        ports,
        acknowledged: mode === 'acked',
        spool: SMALL_MEMORY,
      });
    });
  }

  /** Records (acked) or bytes (plain) at the sink. */
  get got(): number {
    return Number(this.#sink.said('got')?.split(' ')[0] ?? 0);
  }

  usage(): Usage {
    return this.#agent.usage();
  }

  handles(): Handles {
    return this.#agent.handles();
  }

  /** Measures from the first thing that `begin` makes arrive until `isDone`. Rate and use of CPU are of that time. */
  async measure(records: number, begin: () => void, isDone: (got: number) => boolean): Promise<Result> {
    const start = this.got;
    begin();
    await waitUntil(() => this.got > start, 'the first records');
    const before = this.usage();
    const first = this.#progress();
    await waitUntil(() => isDone(this.got - start), 'all records to arrive', 300_000);
    const after = this.usage();
    const last = this.#progress();
    const seconds = (last.ms - first.ms) / 1000;
    const share = (last.got - first.got) / (last.got - start);
    const cpuSeconds = after.cpuSeconds - before.cpuSeconds;
    return {
      records,
      recordsPerSecond: (records * share) / seconds,
      cpuSecondsPerMillion: (cpuSeconds / (records * share)) * 1e6,
      cores: cpuSeconds / seconds,
      peakMiB: after.peakMiB,
    };
  }

  /** Ends the agent in good order, and starts another in its place. */
  async restart(): Promise<void> {
    await this.#agent.stop();
    this.#agent = this.#startAgent();
  }

  async stop(): Promise<void> {
    await this.#agent.stop();
    await this.#sink.stop();
    rmSync(this.directory, { recursive: true });
  }

  #progress(): { got: number; ms: number } {
    const [got, ms] = (this.#sink.said('got') ?? '0 0').split(' ').map(Number);
    return { got: got ?? 0, ms: ms ?? 0 };
  }
}

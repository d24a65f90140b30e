/** An agent that reads a pipe, and two receivers that may be away; all that the agent keeps is in one directory. */
import { existsSync, globSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Scrape } from '../../test/helpers/scrape.ts';
import { freePort } from '../../test/helpers/sluice_process.ts';
import { writeConfiguration } from './configuration.ts';
import { Measured, type Usage, waitUntil } from './process.ts';

const script = (name: string): string => new URL(name, import.meta.url).pathname;

export type Options = Readonly<Record<string, unknown>>;

/** What the agent's ledger says of its pipe, in records, and when (monotonic). */
export interface Books {
  readonly ms: number;
  readonly accepted: number;
  readonly dropped: number;
  readonly delivered: number;
}

/** What has come to the receivers since they were started, and when it was told last (Unix time). */
export interface Arrived {
  readonly records: number;
  readonly ms: number;
}

export class SpoolSite {
  readonly directory = mkdtempSync(join(tmpdir(), 'sluice-spool-bench-'));
  readonly #pipe = join(this.directory, 'app.pipe');
  readonly #ports: readonly number[];
  readonly #telemetryPort: number;
  readonly #configuration: string;
  readonly #writers: Measured[] = [];
  #agent: Measured | undefined;
  #sinks: Measured[] = [];

  private constructor(ports: readonly number[], telemetryPort: number, spool: Options, pipe: Options) {
    this.#ports = ports;
    this.#telemetryPort = telemetryPort;
    const [first = 0, second = 0] = ports;
    this.#configuration = writeConfiguration({
      directory: this.directory,
      receivers: { pipe: { path: this.#pipe, format: 'json', ...pipe } },
      ports: { 'log-a': first, 'log-b': second },
      spool,
      telemetryPort,
      logLevel: 'error', // that both receivers are away is no news
    });
  }

  /** Nothing runs yet. `pipe` are further options of the pipe receiver. */
  static async create(spool: Options, pipe: Options): Promise<SpoolSite> {
    return new SpoolSite([await freePort(), await freePort()], await freePort(), spool, pipe);
  }

  /** Resolves when the agent reads its pipe. */
  async startAgent(): Promise<void> {
    rmSync(this.#pipe, { force: true });
    this.#agent = Measured.sluice(this.#configuration);
    await waitUntil(() => existsSync(this.#pipe), 'the agent to make its pipe');
  }

  async stopAgent(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    await this.#agent?.stop(signal);
    this.#agent = undefined;
  }

  async startReceivers(): Promise<void> {
    const sinks = this.#ports.map((port) => Measured.script(script('sink.ts'), ['acked', String(port)]));
    await waitUntil(() => sinks.every((sink) => sink.said('port') !== undefined), 'the sinks to listen');
    this.#sinks = sinks;
  }

  async stopReceivers(): Promise<void> {
    await Promise.all(this.#sinks.map((sink) => sink.stop()));
    this.#sinks = [];
  }

  /** Writes lines until it is stopped, so many a second, or as fast as the agent takes them where the rate is 0. */
  startWriter(recordsPerSecond = 0): Measured {
    const writer = Measured.script(script('writer.ts'), [this.#pipe, 'Infinity', String(recordsPerSecond)]);
    this.#writers.push(writer);
    return writer;
  }

  usage(): Usage {
    if (this.#agent === undefined) throw new Error('the agent does not run');
    return this.#agent.usage();
  }

  async books(): Promise<Books> {
    const response = await fetch(`http://127.0.0.1:${this.#telemetryPort}/metrics`);
    const ms = performance.now();
    const scrape = new Scrape(await response.text());
    return {
      ms,
      accepted: scrape.count('sluice_ledger_accepted_records_total'),
      dropped: scrape.count('sluice_ledger_dropped_records_total'),
      delivered: scrape.count('sluice_ledger_delivered_records_total'),
    };
  }

  /** Copies for both destinations, by whichever receiver they came. */
  get arrived(): Arrived {
    const each = this.#sinks.map((sink) => (sink.said('got') ?? '0 0').split(' ').map(Number));
    return {
      records: each.reduce((sum, [got = 0]) => sum + got, 0),
      ms: Math.max(...each.map(([, ms = 0]) => ms)),
    };
  }

  /** The spool's files. */
  get spoolFiles(): string[] {
    return globSync('state/spool/**', { cwd: this.directory })
      .map((name) => join(this.directory, name))
      .filter((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
  }

  get spoolBytes(): number {
    return this.spoolFiles.reduce((sum, path) => sum + (statSync(path, { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  /** Ends whatever runs, and removes everything. */
  async remove(): Promise<void> {
    await Promise.all(this.#writers.filter((writer) => !writer.hasEnded).map((writer) => writer.stop('SIGKILL')));
    await this.stopAgent('SIGKILL');
    await this.stopReceivers();
    rmSync(this.directory, { recursive: true });
  }
}

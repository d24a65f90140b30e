/**
 * Flow tests run the program as it is: an agent and its receivers as processes of their own, under one directory, on loopback.
 *
 *     const root = temporaryDirectory(t);
 *     const a = await startReceiver(t, { directory: root, name: 'log-a' });
 *     const b = await startReceiver(t, { directory: root, name: 'log-b' });
 *     const agent = await startAgent(t, { directory: root, receivers: { pipe: { path } }, destinations: [a, b] });
 *     … write, then wait for what should come of it:
 *     await waitFor(() => readTopic(a, 'log').length === 3, { what: 'log-a to have the records' });
 *     (await scrape(agent)).sum('sluice_ledger_unaccounted_records');
 *     await stop(agent);
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { isMap } from '../../src/config/data.ts';
import { Scrape } from './scrape.ts';
import { type Exit, freePort, type Launch, SluiceProcess } from './sluice_process.ts';

const LOOPBACK = '127.0.0.1';

export type Options = Readonly<Record<string, unknown>>;

export interface Running {
  readonly process: SluiceProcess;
  /** `host:port` of its metrics. */
  readonly telemetry: string;
}

export interface RunningReceiver extends Running, ReceiverPlace {
  readonly port: number;
}

export interface ReceiverPlace {
  /** Everything that it keeps is in `<directory>/<name>`. */
  readonly directory: string;
  readonly name: string;
  /** Default: a free one. Give the former one to start a receiver anew, and one of `freePort` for a receiver that comes later. */
  readonly port?: number;
  /** Where it listens, an IPv4 address; default 127.0.0.1. */
  readonly host?: string;
  /** A program that starts it, with its arguments, such as `nsenter --net=…`. Default none. */
  readonly within?: readonly string[];
  /** Further options of its cfjs1 receiver. */
  readonly cfjs1?: Options;
}

/** Starts a log-x receiver with the embedded store, and resolves when it takes agents. A `RunningReceiver` can be started anew. */
export async function startReceiver(t: Test, place: ReceiverPlace): Promise<RunningReceiver> {
  const { directory, name, host = LOOPBACK, within = [] } = place;
  const [port, telemetryPort] = [place.port ?? (await freePort()), await freePort()];
  const own = join(directory, name);
  const running = await start(t, { name, directory: own, within }, `${host}:${telemetryPort}`, {
    receivers: { cfjs1: { listen: `${host}:${port}`, name, ...place.cfjs1 } },
    exporters: { topics: { directory: join(own, 'topics') } },
    pipeline: { receivers: ['cfjs1'], exporters: ['topics'] },
  });
  return { ...place, ...running, port };
}

export interface Destination {
  readonly name: string;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  /** Whether it is connected to over TLS. Default false. */
  readonly isEncrypted?: boolean;
  /** Further options of the destination. */
  readonly options?: Options;
}

export interface AgentSettings {
  readonly directory: string;
  /** Default `agent`; its state is kept in `<directory>/<name>`. */
  readonly name?: string;
  /** By configuration id, as in the file. */
  readonly receivers: Readonly<Record<string, Options>>;
  /** By configuration id, in the order in which they are passed. Default none. */
  readonly processors?: Readonly<Record<string, Options>>;
  /** Destinations of the logx exporter: receivers, running or not yet. */
  readonly destinations: readonly Destination[];
  /** Further options of the logx exporter. */
  readonly logx?: Options;
  /** Options of the pipeline's spool. */
  readonly spool?: Options;
  /** Further options of `service`. */
  readonly service?: Options;
}

/** Starts an agent and resolves when it reads its receivers' sources. */
export async function startAgent(t: Test, settings: AgentSettings): Promise<Running> {
  const { telemetry, launch, parts } = await agentLaunch(settings);
  return start(t, launch, telemetry, parts);
}

/** Starts an agent that will refuse to start, and resolves with how it ended. */
export async function startInVain(t: Test, settings: AgentSettings): Promise<Exit & { readonly stderr: string }> {
  const { telemetry, launch, parts } = await agentLaunch(settings);
  const process = new SluiceProcess(t, { ...launch, config: configOf(launch, telemetry, parts) });
  return { ...(await process.ended()), stderr: process.stderr };
}

/** Ends a process in good order, and resolves with how it ended. */
export function stop({ process }: Running, signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
  return process.end(signal);
}

/** The metrics as they are now. */
export async function scrape({ process, telemetry }: Running): Promise<Scrape> {
  try {
    const response = await fetch(`http://${telemetry}/metrics`);
    if (!response.ok) throw new Error(`${telemetry}/metrics answered ${response.status}`);
    return new Scrape(await response.text());
  } catch (cause) {
    const state = process.exit === undefined ? 'runs' : `has ended with ${process.exit.code ?? process.exit.signal}`;
    throw new Error(`${process.name} cannot be scraped; it ${state} and has printed\n${process.stderr}`, { cause });
  }
}

/** A record as a receiver has stored it. */
export interface StoredRecord {
  readonly format: string;
  /** The dead-letter mark. */
  readonly destination: string | undefined;
  readonly wrapper: Readonly<Record<string, unknown>>;
}

/** The complete lines of a receiver's topic, in order; none where there is no such topic. Works on running receivers, too. */
export function readTopic({ directory, name }: ReceiverPlace, topic: string): StoredRecord[] {
  const file = join(directory, name, 'topics', `${topic}.ndjson`);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8').split('\n').slice(0, -1).map(parseRecord);
}

/** Throws where the line is not cfjs1. */
export function parseRecord(line: string): StoredRecord {
  const parsed: unknown = JSON.parse(line);
  if (!isMap(parsed) || typeof parsed['format'] !== 'string') throw new Error(`not a cfjs1 line: ${line}`);
  const { format, destination } = parsed;
  const wrapper = parsed[format];
  if (!isMap(wrapper)) throw new Error(`a cfjs1 line without its wrapper: ${line}`);
  return { format, destination: typeof destination === 'string' ? destination : undefined, wrapper };
}

interface Parts {
  readonly receivers: Options;
  readonly processors?: Options;
  readonly exporters: Options;
  readonly pipeline: Options;
  readonly service?: Options;
}

async function agentLaunch(settings: AgentSettings) {
  const { directory, name = 'agent', receivers, processors = {}, destinations, logx = {}, spool = {}, service = {} } = settings;
  const endpoints = destinations.map(({ name, host = LOOPBACK, port, isEncrypted = false, options }) => {
    return [name, { endpoint: `${isEncrypted ? 'tls' : 'tcp'}://${host}:${port}`, ...options }];
  });
  return {
    telemetry: `${LOOPBACK}:${await freePort()}`,
    launch: { name, directory: join(directory, name) },
    parts: {
      receivers,
      processors,
      exporters: { logx: { destinations: Object.fromEntries(endpoints), ...logx } },
      pipeline: { receivers: Object.keys(receivers), processors: Object.keys(processors), exporters: ['logx'], spool },
      service,
    },
  };
}

async function start(t: Test, launch: Omit<Launch, 'config'>, telemetry: string, parts: Parts): Promise<Running> {
  const process = new SluiceProcess(t, { ...launch, config: configOf(launch, telemetry, parts) });
  await process.logged('running');
  return { process, telemetry };
}

function configOf({ directory }: Omit<Launch, 'config'>, telemetry: string, { pipeline, service, ...parts }: Parts): Options {
  return {
    ...parts,
    service: {
      state_directory: join(directory, 'state'),
      telemetry: { address: telemetry },
      ...service,
      pipelines: { logs: pipeline },
    },
  };
}

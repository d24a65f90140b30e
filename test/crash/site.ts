/** Two receivers and an agent between them and a busy pipe, as all of these tests begin. */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Test } from 'tap';
import {
  type AgentSettings,
  type Options,
  type ReceiverPlace,
  type Running,
  type RunningReceiver,
  scrape,
  startAgent,
  startReceiver,
  stop,
} from '../helpers/agents.ts';
import { type StoredLines, storedFor } from '../helpers/stored_lines.ts';
import { temporaryDirectory } from '../helpers/temporary_directory.ts';

export const TOPIC = 'app';
export const NAMES = ['log-a', 'log-b'] as const;
export type Name = (typeof NAMES)[number];

/** Returns that a test waits for are made quick; when records leave is left as it is by default. */
export const QUICK_RETURN = { probe_interval: '300ms', probe_successes: 2, min_dwell: '1s' };

export interface Site {
  readonly directory: string;
  /** The pipe that the agent reads. */
  readonly path: string;
  readonly settings: AgentSettings;
  /** As they run now; a test that starts one anew puts it here. */
  readonly receivers: Record<Name, RunningReceiver>;
  agent: Running;
}

export interface SiteOptions {
  /** Where the receivers are, besides their name and directory. */
  readonly places?: Readonly<Record<Name, Partial<ReceiverPlace>>>;
  /** Where the agent finds a receiver; default: where it is. */
  readonly endpointOf?: (receiver: RunningReceiver) => Promise<{ readonly host?: string; readonly port: number }>;
  /** Further receivers of the agent, by configuration id. */
  readonly sources?: Readonly<Record<string, Options>>;
  /** Further options of the agent's pipe receiver. */
  readonly pipe?: Options;
  readonly logx?: Options;
  readonly spool?: Options;
  readonly service?: Options;
}

export async function startSite(t: Test, options: SiteOptions = {}): Promise<Site> {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'app.pipe');
  const [a, b] = await Promise.all([
    startReceiver(t, { ...options.places?.['log-a'], directory, name: 'log-a' }),
    startReceiver(t, { ...options.places?.['log-b'], directory, name: 'log-b' }),
  ]);
  const endpointOf = options.endpointOf ?? ((receiver) => Promise.resolve(receiver));
  const destinations = await Promise.all(
    [a, b].map(async (receiver) => {
      const { host, port } = await endpointOf(receiver);
      return { name: receiver.name, port, ...(host === undefined ? {} : { host }) };
    }),
  );
  const settings = {
    directory,
    receivers: { pipe: { path, log_format: TOPIC, format: 'text', ...options.pipe }, ...options.sources },
    destinations,
    logx: { ...QUICK_RETURN, ...options.logx },
    spool: options.spool ?? {},
    service: options.service ?? {},
  };
  return { directory, path, settings, receivers: { 'log-a': a, 'log-b': b }, agent: await startAgent(t, settings) };
}

/** Records that were delivered by a destination's own endpoint (`direct`) or by another one (`diverted`). */
export async function deliveredBy({ agent }: Site, destination: Name, route: 'direct' | 'diverted'): Promise<number> {
  return (await scrape(agent)).count('sluice_logx_delivered_records_total', { destination, route });
}

/** What was sent to a destination and has not been acked. */
export async function unackedBytes({ agent }: Site, destination: Name): Promise<number> {
  return (await scrape(agent)).sum('sluice_logx_unacked_bytes', { destination });
}

/** Whether a receiver has stored anything for another destination. */
export function hasStoredFor(destination: Name, { directory, name }: ReceiverPlace, topic = TOPIC): boolean {
  const file = join(directory, name, 'topics', `dead-letter.${destination}.${topic}.ndjson`);
  return existsSync(file) && statSync(file).size > 0;
}

/** What is stored for each destination, wherever. Fails where a line has different ids at the two. */
export function storedAt(t: Test, { receivers }: Site, topic = TOPIC): Record<Name, StoredLines> {
  const all = Object.values(receivers);
  const [a, b] = [storedFor('log-a', all, topic), storedFor('log-b', all, topic)];
  const differing = [...a.ids].filter(([number, id]) => (b.ids.get(number) ?? id) !== id);
  t.equal(differing.length, 0, 'the copies of a line have the same id at both');
  return { 'log-a': a, 'log-b': b };
}

/** Ends everything in good order. */
export async function stopSite(t: Test, { agent, receivers }: Site): Promise<void> {
  for (const each of [agent, ...Object.values(receivers)]) {
    t.same(await stop(each), { code: 0, signal: null }, `${each.process.name} ends in good order`);
  }
}

export function otherThan(name: Name): Name {
  return name === 'log-a' ? 'log-b' : 'log-a';
}

/**
 * The longest that this process has waited for its turn, in milliseconds, from here until the function that is returned is called: what
 * a time that it takes may owe to the machine.
 */
export function measureLag(): () => number {
  const histogram = monitorEventLoopDelay({ resolution: 5 });
  histogram.enable();
  return () => {
    histogram.disable();
    return histogram.max / 1e6;
  };
}

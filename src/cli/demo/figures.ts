/** The demo's numbers, from the agent's metrics. */
import { type Address, formatAddress } from '../../kit/options.ts';
import { RECEIVERS, type ReceiverName } from './paths.ts';

export interface Figures {
  readonly accepted: number;
  /** Records that each destination's endpoint, or another on its behalf, has acknowledged. */
  readonly delivered: Readonly<Record<ReceiverName, { readonly direct: number; readonly diverted: number }>>;
  /** Left out by the rate limit. */
  readonly limited: number;
  /** Lost or refused: dropped for any other reason. */
  readonly dropped: number;
  /** Accepted and not yet with every destination. */
  readonly waiting: number;
}

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** Samples of a page in the Prometheus text format; comments and what is no sample are left out. */
export function parseSamples(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    return [{ name, labels: parseLabels(labels), value: Number(value) }];
  });
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries([...text.matchAll(LABEL)].map(([, name = '', value = '']) => [name, unescape(value)]));
}

function unescape(value: string): string {
  return value.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}

export function figuresOf(samples: readonly Sample[]): Figures {
  const sum = (name: string, labels: Readonly<Record<string, string>> = {}): number =>
    samples
      .filter((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
      .reduce((total, { value }) => total + value, 0);
  const limited = sum('sluice_ledger_dropped_records_total', { reason: 'rate_limit' });
  const delivered = (destination: ReceiverName, route: string): number =>
    sum('sluice_logx_delivered_records_total', { destination, route });
  const [a, b] = RECEIVERS;
  return {
    accepted: sum('sluice_ledger_accepted_records_total'),
    delivered: {
      [a]: { direct: delivered(a, 'direct'), diverted: delivered(a, 'diverted') },
      [b]: { direct: delivered(b, 'direct'), diverted: delivered(b, 'diverted') },
    },
    limited,
    dropped: sum('sluice_ledger_dropped_records_total') + sum('sluice_ledger_dead_lettered_records_total') - limited,
    waiting: sum('sluice_ledger_in_flight_records') + sum('sluice_ledger_spooled_records'),
  };
}

/** What is not of this run. */
export type Earlier = Pick<Figures, 'accepted' | 'limited' | 'dropped'>;

/**
 * What had settled before, given the first figures of a run: the ledger goes on over restarts, while destinations count from 0. What waited on
 * disk belongs to the run that delivers it, so that the numbers of a run add up.
 */
export function settledBefore({ accepted, delivered, limited, dropped, waiting }: Figures): Earlier {
  const atAll = Math.min(...RECEIVERS.map((name) => delivered[name].direct + delivered[name].diverted));
  return { accepted: accepted - waiting - atAll, limited, dropped };
}

export function withoutEarlier(figures: Figures, earlier: Earlier): Figures {
  const { accepted, limited, dropped } = figures;
  return {
    ...figures,
    accepted: accepted - earlier.accepted,
    limited: limited - earlier.limited,
    dropped: dropped - earlier.dropped,
  };
}

/** The figures of the agent at `telemetry`; undefined where it does not answer in time. */
export async function scrape(telemetry: Address, timeoutMs: number): Promise<Figures | undefined> {
  try {
    const response = await fetch(`http://${formatAddress(telemetry)}/metrics`, { signal: AbortSignal.timeout(timeoutMs) });
    return response.ok ? figuresOf(parseSamples(await response.text())) : undefined;
  } catch {
    return undefined;
  }
}

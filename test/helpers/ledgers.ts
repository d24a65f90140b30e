import { setTimeout as delay } from 'node:timers/promises';
import { type Running, scrape } from './agents.ts';
import type { Scrape } from './scrape.ts';
import { waitFor, type WaitOptions } from './wait_for.ts';

const LOOK_EVERY_MS = 50;
const DEADLINE_MS = 30_000;

/** Throws where a ledger does not balance. Those who do not answer now are left out: they are being killed or frozen. */
export async function checkLedgers(running: readonly Running[]): Promise<void> {
  const pages = await Promise.allSettled(running.map((each) => scrape(each)));
  for (const page of pages) {
    if (page.status === 'rejected') continue;
    const unaccounted = page.value.sum('sluice_ledger_unaccounted_records');
    if (unaccounted !== 0) throw new Error(`${unaccounted} records are unaccounted for`);
  }
}

/** Looks at the ledgers time and again until the condition holds. */
export async function watchUntil(
  running: readonly Running[],
  what: string,
  condition: () => boolean | Promise<boolean>,
  { deadlineMs = DEADLINE_MS }: Partial<WaitOptions> = {},
): Promise<void> {
  await waitFor(
    async () => {
      await checkLedgers(running);
      if (await condition()) return true;
      await delay(LOOK_EVERY_MS);
      return false;
    },
    { what, deadlineMs },
  );
}

/** The sums of a ledger over all receivers, or those of one. */
export interface LedgerTotals {
  readonly accepted: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  /** In flight and spooled. */
  readonly held: number;
  readonly droppedFor: (reason: string) => number;
}

/** What a running agent's ledger says, as of one scrape. */
export async function ledgerOf(running: Running, receiver?: string): Promise<LedgerTotals> {
  return ledgerIn(await scrape(running), receiver);
}

export function ledgerIn(page: Scrape, receiver?: string): LedgerTotals {
  const labels: Readonly<Record<string, string>> = receiver === undefined ? {} : { receiver };
  const count = (name: string, more = {}): number => page.count(`sluice_ledger_${name}`, { ...labels, ...more });
  return {
    accepted: count('accepted_records_total'),
    delivered: count('delivered_records_total'),
    deadLettered: count('dead_lettered_records_total'),
    dropped: count('dropped_records_total'),
    held: count('in_flight_records') + count('spooled_records'),
    droppedFor: (reason) => count('dropped_records_total', { reason }),
  };
}

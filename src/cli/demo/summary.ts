/** The demo's last words: what the agent's ledger said when it ended. */
import { SluiceError } from '../../core/errors.ts';
import type { LogLine } from './member.ts';
import { formatCount } from './numbers.ts';

export interface Totals {
  readonly accepted: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  /** On disk, for the next start. */
  readonly spooled: number;
  readonly undelivered: number;
  readonly unaccounted: number;
}

/** The totals in the last line of an agent's log, which `sluice run` ends with; undefined where it did not come to that. */
export function totalsIn(log: readonly LogLine[]): Totals | undefined {
  const line = log.at(-1);
  if (line === undefined || line['unaccounted'] === undefined) return undefined;
  const number = (name: string): number => Number(line[name]);
  return {
    accepted: number('accepted'),
    delivered: number('delivered'),
    deadLettered: number('dead_lettered'),
    dropped: number('dropped'),
    spooled: number('spooled'),
    undelivered: number('undelivered'),
    unaccounted: number('unaccounted'),
  };
}

/** One line that adds up. */
export function ledgerLine({ accepted, delivered, deadLettered, dropped, spooled, undelivered, unaccounted }: Totals): string {
  const rest = [
    [deadLettered, 'refused'],
    [spooled, 'on disk for the next start'],
  ] as const;
  const others = rest.flatMap(([count, what]) => (count === 0 ? [] : [` + ${formatCount(count)} ${what}`])).join('');
  const sum = `${formatCount(accepted)} in = ${formatCount(delivered)} at both receivers + ${formatCount(dropped)} left out${others}`;
  return `Ledger: ${sum}; ${formatCount(undelivered)} undelivered, ${formatCount(unaccounted)} unaccounted for. It goes on over restarts.`;
}

/** Throws a SluiceError where something was or may have been lost. */
export function requireNothingLost(totals: Totals | undefined, agentLog: string): void {
  if (totals === undefined) {
    throw new SluiceError('process_failed', 'the agent did not end in good order: what it held in memory is lost', {
      hint: `${agentLog} has its last words`,
    });
  }
  if (totals.unaccounted !== 0) {
    throw new SluiceError('process_failed', `${totals.unaccounted} records are unaccounted for in the agent's ledger`, {
      hint: 'this is a defect of Sluice: report it with what is in its log',
    });
  }
  if (totals.undelivered === 0) return;
  throw new SluiceError('store_unavailable', `${totals.undelivered} records could not be delivered before the end`, {
    hint: 'no receiver took them in time; and the disk did not either',
  });
}

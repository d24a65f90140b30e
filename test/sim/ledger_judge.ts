/** Whether the agent's ledger says of a source what is true. */
import type { LedgerEntry } from '../../src/telemetry/ledger_account.ts';
import type { Findings } from './findings.ts';
import type { Written } from './records.ts';

export interface LedgerCase {
  readonly name: string;
  readonly written: readonly Written[];
  /** Those that some destination has not got, and whose receiver has not taken them either. */
  readonly missing: readonly Written[];
  readonly findings: Findings;
  /** The account at the end. */
  readonly entry: LedgerEntry | undefined;
  /** Records that agents found on disk when they started, and may have booked before. */
  readonly recovered: number;
  /** How often the agent was started. */
  readonly starts: number;
}

/** The ledger must not say more than is true, and exactly what is true where it was never interrupted. */
export function judgeLedger({ name, written, missing, findings, entry, recovered, starts }: LedgerCase): string[] {
  if (entry === undefined) return [`the ledger has no account of ${name}`];
  const lost = new Set(missing);
  const most = {
    accepted: emissions(written),
    delivered: emissions(written.filter((record) => !lost.has(record))),
    deadLettered: emissions(written.filter((record) => findings.isLetter(record))),
  };
  const violations = (['accepted', 'delivered', 'deadLettered'] as const)
    .filter((part) => entry[part] > most[part] + recovered)
    .map((part) => `the ledger says ${part} ${entry[part]} of ${name}, and it is at most ${most[part] + recovered}`);
  if (starts === 1 && entry.accepted !== most.accepted) {
    violations.push(`the ledger says that ${entry.accepted} records of ${name} were accepted, and it is ${most.accepted}`);
  }
  return violations;
}

/** How often records were given to the agent. */
function emissions(records: readonly Written[]): number {
  return records.reduce((sum, { emitted }) => sum + emitted, 0);
}

/** What became of the records of one receiver: totals that only grow, and their sums. */

/** Reasons that are told apart per receiver; some are named by peers, so the rest is booked under `_other`. */
const MAX_REASONS = 64;
const MAX_REASON_LENGTH = 64;
const OTHER_REASON = '_other';

export interface LedgerEntry {
  readonly accepted: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly inFlight: number;
  readonly spooled: number;
  /** Accepted and not found anywhere; negative where more was found than accepted. Must be 0. */
  readonly unaccounted: number;
  readonly deadLetteredByReason: ByReason;
  readonly droppedByReason: ByReason;
}

/** Records by reason. */
export type ByReason = Readonly<Record<string, number>>;

/** The totals of an account, as they outlive the process. */
export interface AccountTotals {
  readonly accepted: number;
  readonly delivered: number;
  readonly deadLetteredByReason: ByReason;
  readonly droppedByReason: ByReason;
}

/** Counts are whole records. */
export class LedgerAccount {
  readonly receiver: string;
  readonly #deadLettered = new Reasons();
  readonly #dropped = new Reasons();
  #accepted = 0;
  #delivered = 0;

  constructor(receiver: string) {
    this.receiver = receiver;
  }

  accepted(records: number): void {
    this.#accepted += records;
  }

  /** Every destination has them in its own store. */
  delivered(records: number): void {
    this.#delivered += records;
  }

  /** A destination could not be made to take them, and the dead-letter store has them. */
  deadLettered(records: number, reason: string): void {
    this.#deadLettered.add(records, reason);
  }

  /** They went nowhere, for a reason that has a name. */
  dropped(records: number, reason: string): void {
    this.#dropped.add(records, reason);
  }

  /** Adds the totals of an earlier life, or of another account. */
  add(totals: AccountTotals): void {
    this.accepted(totals.accepted);
    this.delivered(totals.delivered);
    for (const [reason, records] of Object.entries(totals.deadLetteredByReason)) this.deadLettered(records, reason);
    for (const [reason, records] of Object.entries(totals.droppedByReason)) this.dropped(records, reason);
  }

  /** The account's totals, with the records that were found held. */
  entry(inFlight: number, spooled: number): LedgerEntry {
    const accepted = this.#accepted;
    const delivered = this.#delivered;
    const deadLettered = this.#deadLettered.total;
    const dropped = this.#dropped.total;
    return {
      accepted,
      delivered,
      deadLettered,
      dropped,
      inFlight,
      spooled,
      unaccounted: accepted - delivered - deadLettered - dropped - inFlight - spooled,
      deadLetteredByReason: this.#deadLettered.byReason(),
      droppedByReason: this.#dropped.byReason(),
    };
  }
}

class Reasons {
  readonly #byReason = new Map<string, number>();
  total = 0;

  add(records: number, reason: string): void {
    const short = reason.slice(0, MAX_REASON_LENGTH);
    const isTold = this.#byReason.has(short) || this.#byReason.size < MAX_REASONS;
    const booked = isTold ? short : OTHER_REASON;
    this.#byReason.set(booked, (this.#byReason.get(booked) ?? 0) + records);
    this.total += records;
  }

  byReason(): Record<string, number> {
    return Object.fromEntries(this.#byReason);
  }
}

export function sumEntries(entries: Iterable<LedgerEntry>): LedgerEntry {
  const sum = new LedgerAccount('');
  let inFlight = 0;
  let spooled = 0;
  for (const entry of entries) {
    sum.add(entry);
    inFlight += entry.inFlight;
    spooled += entry.spooled;
  }
  return sum.entry(inFlight, spooled);
}

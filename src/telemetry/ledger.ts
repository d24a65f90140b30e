/**
 * The proof that nothing is lost silently. The ledger books what the stages report, and compares it with what the engine finds
 * when it counts the records it still holds; per receiver, at all times,
 *
 *     accepted = delivered + dead_lettered + dropped{reason} + in_flight + spooled
 *
 * and what is missing on the right-hand side is exported as `sluice_ledger_unaccounted_records`, which must read 0.
 */
import type { MetricsRegistry, Sample } from './metrics.ts';

/** Reasons that are told apart per receiver; some are named by peers, so the rest is booked under `_other`. */
const MAX_REASONS = 64;
const MAX_REASON_LENGTH = 64;
const OTHER_REASON = '_other';

/** The records of one receiver that are held right now, as counted where they are. */
export interface HeldRecords {
  readonly receiver: string;
  /** Being processed, or being sent to a destination that has not acknowledged them yet. */
  readonly inFlight: number;
  /** In the spool, waiting to be sent to a destination. */
  readonly spooled: number;
}

export interface LedgerEntry {
  readonly accepted: number;
  readonly delivered: number;
  readonly deadLettered: number;
  readonly dropped: number;
  readonly inFlight: number;
  readonly spooled: number;
  /** Accepted and not found anywhere; negative where more was found than accepted. Must be 0. */
  readonly unaccounted: number;
  readonly deadLetteredByReason: Readonly<Record<string, number>>;
  readonly droppedByReason: Readonly<Record<string, number>>;
}

export interface LedgerSnapshot {
  readonly receivers: ReadonlyMap<string, LedgerEntry>;
  readonly total: LedgerEntry;
}

/** What became of the records of one receiver. Counts are whole records. */
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

  /** Refused for good by a destination. */
  deadLettered(records: number, reason: string): void {
    this.#deadLettered.add(records, reason);
  }

  /** Left out on purpose. */
  dropped(records: number, reason: string): void {
    this.#dropped.add(records, reason);
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

export class Ledger {
  readonly #accounts = new Map<string, LedgerAccount>();
  readonly #held: (() => Iterable<HeldRecords>)[] = [];

  /** The account of a receiver, by its configuration id; the same one each time. */
  account(receiver: string): LedgerAccount {
    const known = this.#accounts.get(receiver);
    if (known !== undefined) return known;
    const account = new LedgerAccount(receiver);
    this.#accounts.set(receiver, account);
    return account;
  }

  /**
   * Adds a function that counts, independently of what was booked, the records that are held right now. Several, and several rows
   * for a receiver, are summed. Called for each snapshot and scrape, never per batch.
   */
  held(read: () => Iterable<HeldRecords>): void {
    this.#held.push(read);
  }

  /** Every account and their sum, at this moment. */
  snapshot(): LedgerSnapshot {
    const held = new Map<string, { inFlight: number; spooled: number }>();
    for (const read of this.#held) {
      for (const { receiver, inFlight, spooled } of read()) {
        const sum = held.get(receiver) ?? { inFlight: 0, spooled: 0 };
        held.set(receiver, { inFlight: sum.inFlight + inFlight, spooled: sum.spooled + spooled });
      }
    }
    // Records held for a receiver that never accepted any are an error that must show, so it gets an account.
    for (const receiver of held.keys()) this.account(receiver);
    const receivers = new Map<string, LedgerEntry>();
    for (const [receiver, account] of this.#accounts) {
      const { inFlight, spooled } = held.get(receiver) ?? { inFlight: 0, spooled: 0 };
      receivers.set(receiver, account.entry(inFlight, spooled));
    }
    return { receivers, total: sumEntries(receivers.values()) };
  }

  /** Exports the ledger as `sluice_ledger_*`; once per registry. */
  export(metrics: MetricsRegistry): void {
    const gauge = (name: string, help: string, pick: (entry: LedgerEntry) => number): void =>
      metrics.collected({ type: 'gauge', name, help, labelNames: ['receiver'], read: () => this.#perReceiver(pick) });
    const counter = (name: string, help: string, pick: (entry: LedgerEntry) => number): void =>
      metrics.collected({ type: 'counter', name, help, labelNames: ['receiver'], read: () => this.#perReceiver(pick) });
    const reasons = (name: string, help: string, pick: (entry: LedgerEntry) => Readonly<Record<string, number>>): void =>
      metrics.collected({
        type: 'counter',
        name,
        help,
        labelNames: ['receiver', 'reason'],
        read: () => this.#perReason(pick),
      });

    counter('sluice_ledger_accepted_records_total', 'Records that the receiver took in.', (entry) => entry.accepted);
    counter('sluice_ledger_delivered_records_total', 'Records that every destination has stored.', (entry) => entry.delivered);
    reasons(
      'sluice_ledger_dead_lettered_records_total',
      'Records that a destination refused for good.',
      (entry) => entry.deadLetteredByReason,
    );
    reasons('sluice_ledger_dropped_records_total', 'Records left out on purpose.', (entry) => entry.droppedByReason);
    gauge(
      'sluice_ledger_in_flight_records',
      'Records being processed, or sent and not acknowledged yet.',
      (entry) => entry.inFlight,
    );
    gauge('sluice_ledger_spooled_records', 'Records in the spool that wait to be sent.', (entry) => entry.spooled);
    gauge(
      'sluice_ledger_unaccounted_records',
      'Records accepted and found nowhere, negative where more were found; anything but 0 is a defect.',
      (entry) => entry.unaccounted,
    );
  }

  *#perReceiver(pick: (entry: LedgerEntry) => number): Iterable<Sample> {
    for (const [receiver, entry] of this.snapshot().receivers) yield { labels: { receiver }, value: pick(entry) };
  }

  *#perReason(pick: (entry: LedgerEntry) => Readonly<Record<string, number>>): Iterable<Sample> {
    for (const [receiver, entry] of this.snapshot().receivers) {
      for (const [reason, value] of Object.entries(pick(entry))) yield { labels: { receiver, reason }, value };
    }
  }
}

function sumEntries(entries: Iterable<LedgerEntry>): LedgerEntry {
  const sum = new LedgerAccount('');
  let inFlight = 0;
  let spooled = 0;
  for (const entry of entries) {
    sum.accepted(entry.accepted);
    sum.delivered(entry.delivered);
    for (const [reason, records] of Object.entries(entry.deadLetteredByReason)) sum.deadLettered(records, reason);
    for (const [reason, records] of Object.entries(entry.droppedByReason)) sum.dropped(records, reason);
    inFlight += entry.inFlight;
    spooled += entry.spooled;
  }
  return sum.entry(inFlight, spooled);
}

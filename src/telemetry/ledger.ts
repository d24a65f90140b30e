/**
 * The proof that nothing is lost silently. The ledger books what the stages report, and compares it with what the engine finds
 * when it counts the records it still holds; per receiver, at all times and over restarts,
 *
 *     accepted = delivered + dead_lettered{reason} + dropped{reason} + in_flight + spooled
 *
 * and what is missing on the right-hand side is exported as `sluice_ledger_unaccounted_records`, which must read 0.
 *
 * A record is in one place only. With several destinations it is held until the last of them has settled it, and then it is
 * delivered where all of them took it, and dead-lettered where one of them did not.
 *
 * The totals outlive the process in a file (`ledger_store.ts`). Since that is some time older than the end of a process that was
 * killed, the next one compares what was held then with what the spools still have; see `restore`.
 */
import { type ByReason, LedgerAccount, type LedgerEntry, sumEntries } from './ledger_account.ts';
import type { SavedAccount, SavedLedger } from './ledger_file.ts';
import type { MetricsRegistry, Sample } from './metrics.ts';
import type { RecoveredRecords, Recovery } from '../core/spool_mark.ts';

export type { LedgerEntry } from './ledger_account.ts';

/**
 * Held in memory only when the ledger was last saved, and not there after an unclean end: lost with the process, or delivered in
 * its last moments. All that a crash can cost, except for what was accepted after that save.
 */
export const CRASH = 'crash';

/**
 * Safe when the ledger was last saved (on disk, or with a source that keeps them), and not in the spool after an unclean end: the
 * process settled them in its last moments, or their source offers them again. Not lost.
 */
export const CRASH_SETTLED = 'crash_settled';

/** Held at an orderly end and not there at the next start: somebody has removed or damaged the files of the spool in between. */
export const MISSING = 'missing';

/** Safe when the ledger was last saved, not in the spool, and the spool has places of which nobody can tell what was there. */
export const DAMAGED = 'damaged';

/** The records of one receiver that are held right now, as counted where they are. */
export interface HeldRecords {
  readonly receiver: string;
  /** Being processed, or being sent to a destination that has not acknowledged them yet. */
  readonly inFlight: number;
  /** In the spool, waiting to be sent to a destination. */
  readonly spooled: number;
  /** Of both, those that a crash cannot take: synced to disk, or kept by their source until the ack. Default none. */
  readonly safe?: number;
}

export interface LedgerSnapshot {
  readonly receivers: ReadonlyMap<string, LedgerEntry>;
  readonly total: LedgerEntry;
}

const NOTHING_RECOVERED: RecoveredRecords = { known: 0, newer: 0 };

/** What was booked for a receiver whose spooled records were not as many as the saved ledger has. */
export interface Reconciliation {
  readonly receiver: string;
  /** Records found that were accepted after the ledger had been saved. */
  readonly found: number;
  /** Records booked as dropped, by reason. */
  readonly dropped: ByReason;
}

interface Held {
  inFlight: number;
  spooled: number;
  safe: number;
}

const NOTHING_HELD: Readonly<Held> = { inFlight: 0, spooled: 0, safe: 0 };

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
    const held = this.#countHeld();
    const receivers = new Map<string, LedgerEntry>();
    for (const [receiver, account] of this.#accounts) {
      const { inFlight, spooled } = held.get(receiver) ?? NOTHING_HELD;
      receivers.set(receiver, account.entry(inFlight, spooled));
    }
    return { receivers, total: sumEntries(receivers.values()) };
  }

  /** What the next process must know, at this moment. */
  toSave(): ReadonlyMap<string, SavedAccount> {
    const held = this.#countHeld();
    const accounts = new Map<string, SavedAccount>();
    for (const [receiver, account] of this.#accounts) {
      const { inFlight, spooled, safe } = held.get(receiver) ?? NOTHING_HELD;
      const { accepted, delivered, deadLetteredByReason, droppedByReason } = account.entry(inFlight, spooled);
      accounts.set(receiver, {
        accepted,
        delivered,
        deadLetteredByReason,
        droppedByReason,
        held: inFlight + spooled,
        safe: Math.min(safe, inFlight + spooled),
      });
    }
    return accounts;
  }

  /**
   * Takes over the totals of the former process, and books the difference between what was held when they were saved and what the
   * spools have `recovered` (records by receiver): more than that was accepted later; less than that is dropped, by the reasons
   * above. To be called once, when the functions given to `held` count what was recovered, and before anybody looks. Returns the
   * receivers for which there was a difference; those that are not configured any more keep their accounts.
   */
  restore({ isClean, accounts }: SavedLedger, recoveries: readonly Recovery[]): Reconciliation[] {
    // A receiver feeds one pipeline, so no two spools have records of the same.
    const recovered = new Map(recoveries.flatMap(({ records }) => [...records]));
    const hasDamage = recoveries.some((recovery) => recovery.hasDamage);
    const differences: Reconciliation[] = [];
    for (const [receiver, saved] of accounts) {
      this.account(receiver).add(saved);
      const { known, newer } = recovered.get(receiver) ?? NOTHING_RECOVERED;
      const found = Math.max(0, known - saved.held) + newer;
      const dropped = known < saved.held ? explainLoss(saved.held - known, saved, { isClean, hasDamage }) : {};
      if (found > 0 || known < saved.held) differences.push({ receiver, found, dropped });
    }
    for (const [receiver, { known, newer }] of recovered) {
      if (known + newer > 0 && !accounts.has(receiver)) differences.push({ receiver, found: known + newer, dropped: {} });
    }
    for (const { receiver, found, dropped } of differences) {
      const account = this.account(receiver);
      account.accepted(found);
      for (const [reason, records] of Object.entries(dropped)) account.dropped(records, reason);
    }
    return differences;
  }

  /** Exports the ledger as `sluice_ledger_*`; once per registry. */
  export(metrics: MetricsRegistry): void {
    const gauge = (name: string, help: string, pick: (entry: LedgerEntry) => number): void =>
      metrics.collected({ type: 'gauge', name, help, labelNames: ['receiver'], read: () => this.#perReceiver(pick) });
    const counter = (name: string, help: string, pick: (entry: LedgerEntry) => number): void =>
      metrics.collected({ type: 'counter', name, help, labelNames: ['receiver'], read: () => this.#perReceiver(pick) });
    const reasons = (name: string, help: string, pick: (entry: LedgerEntry) => ByReason): void =>
      metrics.collected({
        type: 'counter',
        name,
        help,
        labelNames: ['receiver', 'reason'],
        read: () => this.#perReason(pick),
      });

    counter(
      'sluice_ledger_accepted_records_total',
      'Records that the receiver took in. Like all totals of the ledger it goes on over restarts.',
      (entry) => entry.accepted,
    );
    counter(
      'sluice_ledger_delivered_records_total',
      'Records that every destination has stored; goes on over restarts.',
      (entry) => entry.delivered,
    );
    reasons(
      'sluice_ledger_dead_lettered_records_total',
      'Records that a destination could not be made to take and that the dead-letter store has; goes on over restarts.',
      (entry) => entry.deadLetteredByReason,
    );
    reasons(
      'sluice_ledger_dropped_records_total',
      'Records that went nowhere, by reason; goes on over restarts. crash: held in memory when a former process ended uncleanly, ' +
        'lost or delivered in its last moments; crash_settled: not in the spool after an unclean end and not lost.',
      (entry) => entry.droppedByReason,
    );
    gauge(
      'sluice_ledger_in_flight_records',
      'Records being processed, or sent and not acknowledged yet.',
      (entry) => entry.inFlight,
    );
    gauge('sluice_ledger_spooled_records', 'Records in the spool that wait to be sent.', (entry) => entry.spooled);
    gauge(
      'sluice_ledger_unaccounted_records',
      'accepted - delivered - dead_lettered - dropped - in_flight - spooled, negative where more was found than accepted; ' +
        'anything but 0 is a defect.',
      (entry) => entry.unaccounted,
    );
  }

  /** What is held, by receiver. Records of a receiver that never accepted any are an error that must show, so it gets an account. */
  #countHeld(): Map<string, Held> {
    const held = new Map<string, Held>();
    for (const read of this.#held) {
      for (const { receiver, inFlight, spooled, safe = 0 } of read()) {
        const sum = held.get(receiver) ?? { ...NOTHING_HELD };
        sum.inFlight += inFlight;
        sum.spooled += spooled;
        sum.safe += safe;
        held.set(receiver, sum);
        this.account(receiver);
      }
    }
    return held;
  }

  *#perReceiver(pick: (entry: LedgerEntry) => number): Iterable<Sample> {
    for (const [receiver, entry] of this.snapshot().receivers) yield { labels: { receiver }, value: pick(entry) };
  }

  *#perReason(pick: (entry: LedgerEntry) => ByReason): Iterable<Sample> {
    for (const [receiver, entry] of this.snapshot().receivers) {
      for (const [reason, value] of Object.entries(pick(entry))) yield { labels: { receiver, reason }, value };
    }
  }
}

/** The reasons under which `missing` records of an account are booked. */
function explainLoss(
  missing: number,
  { held, safe }: SavedAccount,
  { isClean, hasDamage }: { isClean: boolean; hasDamage: boolean },
): ByReason {
  if (isClean) return { [hasDamage ? DAMAGED : MISSING]: missing };
  const lost = Math.min(missing, held - safe);
  return {
    ...(lost > 0 ? { [CRASH]: lost } : {}),
    // Where something is damaged, it is better to say too much of it.
    ...(missing > lost ? { [hasDamage ? DAMAGED : CRASH_SETTLED]: missing - lost } : {}),
  };
}

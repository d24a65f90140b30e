/** Counts what a process, over all its lives, says that it has dropped. */
import { decodeLedger, type SavedAccount } from '../../src/telemetry/ledger_file.ts';
import type { SimulatedProcess } from './process.ts';
import { LEDGER_PATH, type Program } from './program.ts';

/** Reasons that say what a restart could not find out, rather than what somebody dropped. */
const AFTER_CRASH: ReadonlySet<string> = new Set(['crash', 'crash_settled']);

/** What its source has again. */
const RETURNED = 'returned_to_source';

export class DropCount {
  /** By receiver of the process, then by reason. */
  readonly #sums = new Map<string, Map<string, number>>();
  /** What the ledger said, by receiver and reason, when the life that is counted now began. */
  #before: ReadonlyMap<string, SavedAccount> = new Map();
  readonly #recovered = new Map<string, number>();

  /** The process begins to start. */
  starting({ disk }: SimulatedProcess): void {
    const saved = disk.contents.get(LEDGER_PATH);
    this.#before = saved === undefined ? new Map() : decodeLedger(saved.toString()).accounts;
  }

  /** The process has taken up what an earlier life has left, and nothing more yet. */
  opened({ telemetry }: Program): void {
    for (const [receiver, { inFlight, spooled }] of telemetry.ledger.snapshot().receivers) {
      this.#recovered.set(receiver, this.recovered(receiver) + inFlight + spooled);
    }
  }

  /** The process has ended; `program` is as it was then. Its ledger may never have been saved, and counts all the same. */
  ended({ telemetry }: Program): void {
    for (const [receiver, { droppedByReason }] of telemetry.ledger.snapshot().receivers) {
      for (const [reason, records] of Object.entries(droppedByReason)) {
        const before = this.#before.get(receiver)?.droppedByReason[reason] ?? 0;
        if (reason !== RETURNED) this.#add(receiver, reason, records - before);
      }
    }
  }

  byReason(receiver: string): ReadonlyMap<string, number> {
    return this.#sums.get(receiver) ?? new Map<string, number>();
  }

  /** What was dropped; `withUnknown` includes what was booked since nobody could know what became of it. */
  of(receiver: string, withUnknown: boolean): number {
    return [...this.byReason(receiver)].reduce(
      (sum, [reason, records]) => (withUnknown || !AFTER_CRASH.has(reason) ? sum + records : sum),
      0,
    );
  }

  /** Records that were on disk at the starts, by receiver: some of them had been delivered before, and are so once more. */
  recovered(receiver: string): number {
    return this.#recovered.get(receiver) ?? 0;
  }

  #add(receiver: string, reason: string, records: number): void {
    const sums = this.#sums.get(receiver) ?? new Map<string, number>();
    this.#sums.set(receiver, sums);
    sums.set(reason, (sums.get(reason) ?? 0) + records);
  }
}

/** What the receiver has to tell: each event logs, counts or both, here and nowhere else. */
import type { ReceiverContext } from '../../../src/core/component.ts';
import type { Counter } from '../../../src/core/metrics.ts';
import type { StaleAction, StaleReport } from './position/stale.ts';
import type { JournalDirectories } from './journal/directories.ts';
import { LostEntries, type LossReason } from './lost_entries.ts';

/** Who is allowed to read the journal, as journald sets its files up. */
const PERMISSION_HINT = 'run the agent as root or as a member of the group systemd-journal';

/** Damaged files, each by reason, that are logged; beyond them it is only counted. */
const MAX_DAMAGED_PLACES = 64;

/** What a look at the directories has shown. */
interface Seen {
  readonly files: readonly unknown[];
  /** Why directories and files cannot be read, by path. */
  readonly problems: ReadonlyMap<string, string>;
}

const GOING_ON: Readonly<Record<StaleAction, string>> = {
  nearest: 'with the nearest later entry',
  oldest: 'with the oldest entry',
  newest: 'behind the newest entry',
};

export class Events {
  readonly #context: ReceiverContext;
  readonly #entries: Counter;
  readonly #leftOut: Counter;
  readonly #truncated: Counter;
  readonly #saveFailures: Counter;
  readonly #damage = new Map<string, Counter>();
  /** Reasons and files that were logged. */
  readonly #damagedPlaces = new Set<string>();
  readonly #stale: Readonly<Record<StaleAction, Counter>>;
  readonly #skipped: Counter;
  readonly #repeated: Counter;
  readonly #lost: LostEntries;
  #problems = new Map<string, string>();
  #isSaveFailing = false;
  #hasReportedNone = false;

  constructor(context: ReceiverContext) {
    const { metrics } = context;
    this.#context = context;
    this.#lost = new LostEntries(context);
    this.#entries = metrics.counter('sluice_journald_entries_read_total', 'Journal entries that were made into records.');
    this.#leftOut = metrics.counter(
      'sluice_journald_entries_filtered_total',
      'Journal entries that include or exclude left out.',
    );
    this.#truncated = metrics.counter(
      'sluice_journald_truncated_records_total',
      'Records with a field that was cut at max_field_bytes, or without one for which there was no room.',
    );
    this.#saveFailures = metrics.counter(
      'sluice_journald_cursor_save_failures_total',
      'Attempts to save the position in the journal that failed.',
    );
    const stale = (action: StaleAction): Counter => {
      const help = 'Saved positions whose entry was gone when reading was to go on behind it, by what was done.';
      return metrics.counter('sluice_journald_stale_cursor_total', help, { action });
    };
    this.#stale = { nearest: stale('nearest'), oldest: stale('oldest'), newest: stale('newest') };
    this.#skipped = metrics.counter(
      'sluice_journald_skipped_entries_total',
      'Entries that were left out because on_stale_cursor says to go on behind the newest.',
    );
    this.#repeated = metrics.counter(
      'sluice_journald_repeated_entries_total',
      'Entries that are read again because on_stale_cursor says to go on at the oldest.',
    );
  }

  /** Says once where reading begins, which tells most of what there is to wonder about. */
  started(place: string, cursor: string | undefined): void {
    this.#context.log.info(`reading the journal ${place}`, cursor === undefined ? {} : { cursor });
  }

  entriesRead(count: number): void {
    this.#entries.add(count);
  }

  leftOut(count: number): void {
    this.#leftOut.add(count);
  }

  truncated(): void {
    this.#truncated.add();
  }

  /** An object, an entry or a list of entries that had to be left out. There are few reasons, all named in the code; `path` is its file's. */
  damaged(reason: string, path = ''): void {
    let counter = this.#damage.get(reason);
    if (counter === undefined) {
      const help = 'Parts of journal files that could not be read and were left out.';
      counter = this.#context.metrics.counter('sluice_journald_unreadable_objects_total', help, { reason });
      this.#damage.set(reason, counter);
    }
    counter.add();
    const place = `${reason} ${path}`;
    if (this.#damagedPlaces.has(place) || this.#damagedPlaces.size >= MAX_DAMAGED_PLACES) return;
    this.#damagedPlaces.add(place);
    const message = 'parts of the journal cannot be read; they are left out, and counted from now on';
    this.#context.log.warn(message, path === '' ? { reason } : { reason, path });
  }

  /** Entries that nobody can read any more; `unit` is whose they were, where journald says so. */
  lost(reason: LossReason, count: number, unit?: string): void {
    this.#lost.add(reason, count, unit);
  }

  /** Tells of what is told only now and then; there is nothing to tell after that. */
  close(): void {
    this.#lost.close();
  }

  /** Reports every path that cannot be read, and when that is over; and once where there is no journal at all. */
  looked(directories: JournalDirectories, { files, problems }: Seen): void {
    if (files.length === 0 && problems.size === 0 && !this.#hasReportedNone) {
      const hint = 'it will be read when it appears; if journald runs here, see Storage= in journald.conf(5)';
      this.#context.log.warn(`there is no ${directories.described}`, { hint });
      this.#hasReportedNone = true;
    }
    for (const [path, reason] of problems) {
      if (this.#problems.get(path) === reason) continue;
      const isForbidden = reason === 'EACCES' || reason === 'EPERM';
      this.#context.log.warn(`cannot read ${path}`, { reason, ...(isForbidden ? { hint: PERMISSION_HINT } : {}) });
    }
    for (const path of this.#problems.keys()) {
      if (!problems.has(path)) this.#context.log.info(`no longer a problem: ${path}`);
    }
    this.#problems = new Map(problems);
  }

  /** A saved position whose entry is gone. */
  staleCursor({ action, why, cursor, journal, skipped, repeated, missing }: StaleReport): void {
    this.#stale[action].add();
    this.#skipped.add(skipped ?? 0);
    this.#repeated.add(repeated ?? 0);
    this.#context.log.warn(`cannot go on at the saved position: ${why}; going on ${GOING_ON[action]}`, {
      cursor,
      journal,
      skipped: skipped ?? 'unknown',
      repeated: repeated ?? 'unknown',
      missing: missing === undefined ? 'unknown' : `at most ${missing}`,
    });
  }

  deliveryFailed(reason: string): void {
    this.#context.log.warn('a batch was not delivered; the position stays before it, and it is read again after a restart', {
      reason,
    });
  }

  saveFailed(error: string, path: string): void {
    this.#saveFailures.add();
    if (!this.#isSaveFailing) this.#context.log.error(`cannot save the position in the journal to ${path}`, { error });
    this.#isSaveFailing = true;
  }

  saved(): void {
    if (this.#isSaveFailing) this.#context.log.info('the position in the journal can be saved again');
    this.#isSaveFailing = false;
  }
}

/** Entries that the journal had or should have had and that nobody can read any more: counted, and told of now and then. */
import type { Timer } from '../../../src/core/clock.ts';
import type { ComponentContext } from '../../../src/core/component.ts';
import type { Counter } from '../../../src/core/metrics.ts';

/**
 * Why an entry is lost: its file was removed before it was read, it lies in a damaged part of a file, or journald itself has left it
 * out because its service logged too much.
 */
export type LossReason = 'vacuumed' | 'unreadable' | 'suppressed';

/** After a loss was told of, those that follow are gathered for this long, in milliseconds. */
const QUIET_MS = 60_000;

/** Units that have a series of their own; what others have lost is counted under `_other`. */
const MAX_UNITS = 256;
const OTHER = '_other';

const WHAT_TO_SAY: Readonly<Record<LossReason, readonly [message: string, hint: string]>> = {
  vacuumed: [
    'journal entries were removed before they could be read',
    'raise SystemMaxUse= or RuntimeMaxUse= in journald.conf(5), or find out what holds delivery up',
  ],
  unreadable: ['journal entries cannot be read because their file is damaged', 'journalctl --verify names what is damaged'],
  suppressed: [
    'journald left out entries of a service that logs too much',
    'see RateLimitIntervalSec= and RateLimitBurst= in journald.conf(5), and LogRateLimitBurst= of the unit',
  ],
};

/** Losses of one reason that were not told of yet. */
interface Untold {
  count: number;
  /** Of the latest of them; empty where that is not known. */
  unit: string;
  readonly timer: Timer;
}

export class LostEntries {
  readonly #context: ComponentContext;
  /** By reason and unit. */
  readonly #counters = new Map<string, Counter>();
  readonly #units = new Set<string>();
  /** By reason, for as long as losses are gathered. */
  readonly #untold = new Map<LossReason, Untold>();

  constructor(context: ComponentContext) {
    this.#context = context;
    // They are there before anything is lost, so that whoever watches them sees the first loss as a growth.
    for (const reason of ['vacuumed', 'unreadable'] as const) this.#counterOf(reason, '');
  }

  /** Counts `count` entries; `unit` is whose they were, as far as that is known. */
  add(reason: LossReason, count: number, unit = ''): void {
    if (count <= 0) return;
    this.#counterOf(reason, this.#boundedUnit(unit)).add(count);
    const untold = this.#untold.get(reason);
    if (untold === undefined) {
      this.#tell(reason, count, unit);
      return;
    }
    untold.count += count;
    untold.unit = unit;
  }

  /** Tells of what was not told of yet; nothing is to be added after that. */
  close(): void {
    for (const [reason, { count, unit, timer }] of this.#untold) {
      timer.cancel();
      if (count > 0) this.#log(reason, count, unit);
    }
    this.#untold.clear();
  }

  /** Logs, and gathers what is lost from now on until that is told of too. */
  #tell(reason: LossReason, count: number, unit: string): void {
    this.#log(reason, count, unit);
    const timer = this.#context.clock.after(QUIET_MS, () => this.#tellRest(reason));
    this.#untold.set(reason, { count: 0, unit: '', timer });
  }

  #tellRest(reason: LossReason): void {
    const untold = this.#untold.get(reason);
    this.#untold.delete(reason);
    if (untold !== undefined && untold.count > 0) this.#tell(reason, untold.count, untold.unit);
  }

  #log(reason: LossReason, count: number, unit: string): void {
    const [message, hint] = WHAT_TO_SAY[reason];
    this.#context.log.warn(message, { count, ...(unit === '' ? {} : { latestUnit: unit }), hint });
  }

  #boundedUnit(unit: string): string {
    if (unit === '' || this.#units.has(unit)) return unit;
    if (this.#units.size >= MAX_UNITS) return OTHER;
    this.#units.add(unit);
    return unit;
  }

  #counterOf(reason: LossReason, unit: string): Counter {
    const key = `${reason} ${unit}`;
    const known = this.#counters.get(key);
    if (known !== undefined) return known;
    const counter = this.#context.metrics.counter(
      'sluice_journald_lost_entries_total',
      'Journal entries that were lost before they could be read, and why; suppressed ones by unit.',
      { reason, unit },
    );
    this.#counters.set(key, counter);
    return counter;
  }
}

/** Entries that the journal had or should have had and that nobody can read any more: counted, and told of now and then. */
import type { ComponentContext } from '../../../src/core/component.ts';
import type { Counter } from '../../../src/core/metrics.ts';

/**
 * Why an entry is lost: its file was removed before it was read, it lies in a damaged part of a file, or journald itself has left it
 * out because its service logged too much.
 */
export type LossReason = 'vacuumed' | 'unreadable' | 'suppressed';

/** What is told of is not told of again for this long, in milliseconds. */
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

export class LostEntries {
  readonly #context: ComponentContext;
  /** By reason and unit. */
  readonly #counters = new Map<string, Counter>();
  readonly #units = new Set<string>();
  /** What was not told of yet, and when something was last, by reason. */
  readonly #told = new Map<LossReason, { untold: number; atMs: number }>();

  constructor(context: ComponentContext) {
    this.#context = context;
    // They are there before anything is lost, so that whoever watches them sees the first loss as a growth.
    for (const reason of ['vacuumed', 'unreadable'] as const) this.#counterOf(reason, '');
  }

  /** Counts `count` entries; `unit` is whose they were, as far as that is known. */
  add(reason: LossReason, count: number, unit = ''): void {
    if (count <= 0) return;
    this.#counterOf(reason, this.#boundedUnit(unit)).add(count);
    const nowMs = this.#context.clock.monotonicMs();
    const told = this.#told.get(reason) ?? { untold: 0, atMs: -Infinity };
    this.#told.set(reason, told);
    told.untold += count;
    if (nowMs - told.atMs < QUIET_MS) return;
    const [message, hint] = WHAT_TO_SAY[reason];
    this.#context.log.warn(message, { count: told.untold, ...(unit === '' ? {} : { latestUnit: unit }), hint });
    told.untold = 0;
    told.atMs = nowMs;
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

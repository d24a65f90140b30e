import type { Counter, Gauge, Labels } from '../core/metrics.ts';

/** The value of the label `service` under which series above the limit are summed. */
export const OTHER = '_other';

/** Label sets above the limit that are remembered per metric, so that each is counted once; counting stops there. */
export const MAX_CAPPED_TRACKED = 10_000;

/** One counted or set number. Adding is a plain addition; the number is read when it is scraped. */
export class Series implements Counter, Gauge {
  readonly labels: Labels;
  #value = 0;
  #read: (() => number) | undefined;

  constructor(labels: Labels) {
    this.labels = labels;
  }

  get value(): number {
    return this.#read === undefined ? this.#value : this.#read();
  }

  add(amount = 1): void {
    this.#value += amount;
  }

  set(value: number): void {
    this.#value = value;
  }

  /** Takes the value from `read` from now on. */
  observe(read: () => number): void {
    this.#read = read;
  }
}

/** A gauge that shares a series with others, which shows the sum of what each of them was set to. */
export class SharedGauge implements Gauge {
  readonly #sum: Series;
  #own = 0;

  constructor(sum: Series) {
    this.#sum = sum;
  }

  set(value: number): void {
    this.#sum.add(value - this.#own);
    this.#own = value;
  }
}

export interface Place<S> {
  readonly series: S;
  /** True where `series` is the shared one of `service="_other"`, because the limit was reached. */
  readonly isShared: boolean;
}

/**
 * The series of one metric by their labels. A metric with the label `service`, whose values come from outside, has at most
 * `maxSeries` of them; label sets beyond that share the series in which `service` is `_other`.
 */
export class SeriesTable<S> {
  readonly #labelNames: readonly string[];
  readonly #maxSeries: number;
  readonly #create: (labels: Labels) => S;
  readonly #byKey = new Map<string, S>();
  readonly #shared = new Map<string, S>();
  readonly #capped = new Set<string>();

  constructor(labelNames: readonly string[], maxSeries: number, create: (labels: Labels) => S) {
    this.#labelNames = labelNames;
    this.#maxSeries = labelNames.includes('service') ? maxSeries : Infinity;
    this.#create = create;
  }

  /** Distinct label sets that were sent to the shared series; stays at `MAX_CAPPED_TRACKED` once it is there. */
  get cappedCount(): number {
    return this.#capped.size;
  }

  *values(): Iterable<S> {
    yield* this.#byKey.values();
    yield* this.#shared.values();
  }

  /** The series for `labels`; throws where their names are not the metric's. */
  at(labels: Labels): Place<S> {
    const key = this.#keyOf(labels);
    const known = this.#byKey.get(key);
    if (known !== undefined) return { series: known, isShared: false };
    if (this.#byKey.size >= this.#maxSeries) return { series: this.#sharedFor(labels, key), isShared: true };
    const series = this.#create(labels);
    this.#byKey.set(key, series);
    return { series, isShared: false };
  }

  #sharedFor(labels: Labels, key: string): S {
    if (this.#capped.size < MAX_CAPPED_TRACKED) this.#capped.add(key);
    const sharedLabels = { ...labels, service: OTHER };
    const sharedKey = this.#keyOf(sharedLabels);
    const known = this.#shared.get(sharedKey);
    if (known !== undefined) return known;
    const series = this.#create(sharedLabels);
    this.#shared.set(sharedKey, series);
    return series;
  }

  #keyOf(labels: Labels): string {
    const values = this.#labelNames.map((name) => labels[name]);
    if (Object.keys(labels).length !== values.length || values.includes(undefined)) {
      const expected = this.#labelNames.join(', ') || 'none';
      throw new TypeError(
        `every series of a metric has the same labels: expected ${expected}, got ${Object.keys(labels).join(', ')}`,
      );
    }
    return JSON.stringify(values);
  }
}

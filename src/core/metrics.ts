/**
 * Metrics, as components see them: names `sluice_<subsystem>_<what>_<unit>[_total]`, base units. A series is looked up once, when
 * the component is created or the label value is first met, and then only added to.
 */
export type Labels = Readonly<Record<string, string>>;

export interface Counter {
  add(amount?: number): void;
}

export interface Gauge {
  set(value: number): void;
}

export interface Histogram {
  observe(value: number): void;
}

export interface Metrics {
  /** The same name and labels give the same series. Label names must be the same for every series of a name. */
  counter(name: string, help: string, labels?: Labels): Counter;
  gauge(name: string, help: string, labels?: Labels): Gauge;
  /** A gauge that is read when it is scraped. */
  observed(name: string, help: string, read: () => number, labels?: Labels): void;
  histogram(name: string, help: string, buckets: readonly number[], labels?: Labels): Histogram;
}

const nothing = { add(): void {}, set(): void {}, observe(): void {} };

/** For tests and tools that do not look at metrics. */
export const silentMetrics: Metrics = {
  counter: () => nothing,
  gauge: () => nothing,
  observed: () => {},
  histogram: () => nothing,
};

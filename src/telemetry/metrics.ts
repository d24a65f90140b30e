/**
 * Metrics on prom-client: its registry checks names and writes the text, while the numbers live in our own series, so that adding
 * to one costs an addition and no look-up. Everything is read in one turn of the event loop when a scrape asks.
 */
import { Counter as PromCounter, Gauge as PromGauge, Histogram as PromHistogram, Registry } from 'prom-client';
import type { Counter, Gauge, Histogram, Labels, Metrics } from '../core/metrics.ts';
import { Series, SeriesTable, SharedGauge } from './series.ts';

export interface MetricsOptions {
  /** Most series of one metric that has the label `service`; the rest is summed under `service="_other"`. Default 1000. */
  readonly maxSeries?: number;
}

/** A metric whose samples are all worked out when it is scraped. */
export interface CollectedMetric {
  readonly type: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  readonly labelNames?: readonly string[];
  /** The samples now; label sets must differ. */
  readonly read: () => Iterable<Sample>;
}

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

type Family =
  | { readonly type: 'counter' | 'gauge'; readonly table: SeriesTable<Series> }
  | { readonly type: 'histogram'; readonly table: SeriesTable<Histogram> };

export class MetricsRegistry {
  /** Metrics without a `component` label. */
  readonly global: Metrics;
  readonly #prom = new Registry();
  readonly #families = new Map<string, Family>();
  readonly #maxSeries: number;

  constructor({ maxSeries = 1000 }: MetricsOptions = {}) {
    this.#maxSeries = maxSeries;
    this.global = this.#view({});
    this.collected({
      type: 'gauge',
      name: 'sluice_telemetry_capped_series',
      help: 'Label sets that are summed under service="_other" because the metric has reached max_series.',
      labelNames: ['metric'],
      read: () => this.#cappedSeries(),
    });
  }

  /** Media type of `text`. */
  get contentType(): string {
    return this.#prom.contentType;
  }

  /** Metrics with the label `component` set to the component's configuration id. */
  forComponent(id: string): Metrics {
    return this.#view({ component: id });
  }

  forPipeline(name: string): Metrics {
    return this.#view({ pipeline: name });
  }

  /** Adds a metric that is worked out when it is scraped; throws where the name is taken or not allowed. */
  collected({ type, name, help, labelNames = [], read }: CollectedMetric): void {
    const common = { name, help, labelNames, registers: [this.#prom] };
    if (type === 'counter') {
      const metric: PromCounter = new PromCounter({
        ...common,
        collect: () => fill(metric, (labels, value) => metric.inc(labels, value)),
      });
    } else {
      const metric: PromGauge = new PromGauge({
        ...common,
        collect: () => fill(metric, (labels, value) => metric.set(labels, value)),
      });
    }

    function fill(metric: PromCounter | PromGauge, put: (labels: Labels, value: number) => void): void {
      metric.reset();
      for (const { labels = {}, value } of read()) put(labels, value);
    }
  }

  /** Everything in the Prometheus text format, version 0.0.4. */
  text(): Promise<string> {
    return this.#prom.metrics();
  }

  #view(added: Labels): Metrics {
    return {
      counter: (name, help, labels = {}) => this.#counter(name, help, { ...added, ...labels }),
      gauge: (name, help, labels = {}) => this.#gauge(name, help, { ...added, ...labels }),
      observed: (name, help, read, labels = {}) => this.#observed(name, help, read, { ...added, ...labels }),
      histogram: (name, help, buckets, labels = {}) => this.#histogram(name, help, buckets, { ...added, ...labels }),
    };
  }

  #counter(name: string, help: string, labels: Labels): Counter {
    return this.#numbers('counter', name, help, labels).at(labels).series;
  }

  #gauge(name: string, help: string, labels: Labels): Gauge {
    const { series, isShared } = this.#numbers('gauge', name, help, labels).at(labels);
    return isShared ? new SharedGauge(series) : series;
  }

  /** Observed series above the limit are left out, since their readers could not be kept without bound. */
  #observed(name: string, help: string, read: () => number, labels: Labels): void {
    const { series, isShared } = this.#numbers('gauge', name, help, labels).at(labels);
    if (!isShared) series.observe(read);
  }

  #numbers(type: 'counter' | 'gauge', name: string, help: string, labels: Labels): SeriesTable<Series> {
    const known = this.#families.get(name);
    if (known !== undefined && known.type !== 'histogram' && known.type === type) return known.table;
    if (known !== undefined) throw new TypeError(`the metric ${name} is a ${known.type} already and cannot be a ${type} as well`);
    const labelNames = Object.keys(labels);
    const table = new SeriesTable(labelNames, this.#maxSeries, (own) => new Series(own));
    this.collected({ type, name, help, labelNames, read: () => table.values() });
    this.#families.set(name, { type, table });
    return table;
  }

  #histogram(name: string, help: string, buckets: readonly number[], labels: Labels): Histogram {
    const known = this.#families.get(name);
    if (known?.type === 'histogram') return known.table.at(labels).series;
    if (known !== undefined)
      throw new TypeError(`the metric ${name} is a ${known.type} already and cannot be a histogram as well`);
    const labelNames = Object.keys(labels);
    const metric = new PromHistogram({ name, help, buckets: [...buckets], labelNames, registers: [this.#prom] });
    const table = new SeriesTable<Histogram>(labelNames, this.#maxSeries, (own) => {
      metric.zero(own);
      return metric.labels(own);
    });
    this.#families.set(name, { type: 'histogram', table });
    return table.at(labels).series;
  }

  *#cappedSeries(): Iterable<Sample> {
    for (const [name, { table }] of this.#families) {
      if (table.cappedCount > 0) yield { labels: { metric: name }, value: table.cappedCount };
    }
  }
}

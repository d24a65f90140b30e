const SAMPLE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A page of metrics in the Prometheus text format, version 0.0.4, as a test looks at it. */
export class Scrape {
  readonly samples: readonly Sample[];

  constructor(text: string) {
    this.samples = text.split('\n').flatMap((line) => {
      const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
      if (name === undefined) return [];
      const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [label, text.replaceAll(/\\(.)/g, '$1')]);
      return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
    });
  }

  /** The sum over the series of a name that have these labels; throws where the page has no series of the name at all. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const series = this.samples.filter((sample) => sample.name === name);
    if (series.length === 0) throw new Error(`there is no metric ${name}`);
    return this.#sumOf(series, labels);
  }

  /** Like `sum`, but 0 where there is no such series: for counters whose labels are only known once they have counted. */
  count(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.#sumOf(
      this.samples.filter((sample) => sample.name === name),
      labels,
    );
  }

  #sumOf(series: readonly Sample[], labels: Readonly<Record<string, string>>): number {
    return series
      .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
      .reduce((sum, { value }) => sum + value, 0);
  }
}

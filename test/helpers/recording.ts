import type { Log, LogFields } from '../../src/core/log.ts';
import type { Counter, Gauge, Histogram, Labels, Metrics } from '../../src/core/metrics.ts';

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: LogFields;
}

/** A log that keeps its lines for a test to look at. */
export class RecordingLog implements Log {
  readonly lines: LogLine[] = [];

  debug(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'debug', message, fields });
  }

  info(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'info', message, fields });
  }

  warn(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'warn', message, fields });
  }

  error(message: string, fields: LogFields = {}): void {
    this.lines.push({ level: 'error', message, fields });
  }
}

/** Metrics whose values a test reads by name and labels. */
export class RecordingMetrics implements Metrics {
  readonly #read = new Map<string, () => number>();
  readonly #series = new Map<string, Counter & Gauge & Histogram>();

  /** The series' value, or a histogram's sum; undefined where nobody asked for such a series. */
  value(name: string, labels: Labels = {}): number | undefined {
    return this.#read.get(keyOf(name, labels))?.();
  }

  /** The sum over all series of a name. */
  sum(name: string): number {
    let sum = 0;
    for (const [key, read] of this.#read) if (key.startsWith(`${name}{`)) sum += read();
    return sum;
  }

  counter(name: string, _help: string, labels: Labels = {}): Counter {
    return this.#at(name, labels);
  }

  gauge(name: string, _help: string, labels: Labels = {}): Gauge {
    return this.#at(name, labels);
  }

  observed(name: string, _help: string, read: () => number, labels: Labels = {}): void {
    this.#read.set(keyOf(name, labels), read);
  }

  histogram(name: string, _help: string, _buckets: readonly number[], labels: Labels = {}): Histogram {
    return this.#at(name, labels);
  }

  #at(name: string, labels: Labels): Counter & Gauge & Histogram {
    const key = keyOf(name, labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    let value = 0;
    const series = {
      add: (amount = 1) => void (value += amount),
      set: (to: number) => void (value = to),
      observe: (amount: number) => void (value += amount),
    };
    this.#series.set(key, series);
    this.#read.set(key, () => value);
    return series;
  }
}

function keyOf(name: string, labels: Labels): string {
  return `${name}${JSON.stringify(labels, Object.keys(labels).sort())}`;
}

/** What the topics exporter logs and counts. */
import type { ExporterContext } from '../../../src/core/component.ts';
import type { Counter, Histogram } from '../../../src/core/metrics.ts';
import { OVERFLOW_TOPIC } from './topic.ts';

/** Series by topic; what comes after them is summed under `_other`. */
const MAX_TOPIC_SERIES = 100;
const SYNC_BUCKETS_SECONDS = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];

export class TopicsEvents {
  readonly #context: Pick<ExporterContext, 'metrics' | 'log'>;
  readonly #recordsByTopic = new Map<string, Counter>();
  readonly #bytes: Counter;
  readonly #errors: Counter;
  readonly #tornLines: Counter;
  readonly #syncSeconds: Histogram;
  #overflowLogged = false;

  constructor(context: Pick<ExporterContext, 'metrics' | 'log'>) {
    const { metrics } = context;
    this.#context = context;
    this.#bytes = metrics.counter('sluice_topics_written_bytes_total', 'Bytes written to topic files, newlines included.');
    this.#errors = metrics.counter('sluice_topics_write_errors_total', 'Group writes that failed and are tried again.');
    this.#tornLines = metrics.counter(
      'sluice_topics_torn_lines_total',
      'Unacknowledged last lines without newline that were cut.',
    );
    this.#syncSeconds = metrics.histogram(
      'sluice_topics_sync_duration_seconds',
      'Time that the disk took to take what was written to one topic.',
      SYNC_BUCKETS_SECONDS,
    );
    this.#recordsOf(OVERFLOW_TOPIC).add(0);
  }

  written(topic: string, records: number, bytes: number): void {
    this.#recordsOf(topic).add(records);
    this.#bytes.add(bytes);
  }

  writeFailed(): void {
    this.#errors.add();
  }

  synced(ms: number): void {
    this.#syncSeconds.observe(ms / 1000);
  }

  /** Logged once: what goes there is counted as written to the topic `overflow`. */
  overflowed(topic: string): void {
    if (this.#overflowLogged) return;
    this.#overflowLogged = true;
    this.#context.log.warn('there are max_topics topics; records of new ones go to the topic overflow', { topic });
  }

  tornLineCut(path: string, bytes: number): void {
    this.#tornLines.add();
    this.#context.log.warn('cut off an unfinished last line that was never acknowledged', { path, bytes });
  }

  #recordsOf(topic: string): Counter {
    const known = this.#recordsByTopic.get(topic);
    if (known !== undefined) return known;
    const label = this.#recordsByTopic.size < MAX_TOPIC_SERIES ? topic : '_other';
    const counter = this.#context.metrics.counter('sluice_topics_written_records_total', 'Records written, by topic.', {
      topic: label,
    });
    if (label === topic) this.#recordsByTopic.set(topic, counter);
    return counter;
  }
}

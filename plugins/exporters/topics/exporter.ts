import * as fsPromises from 'node:fs/promises';
import type { Batch } from '../../../src/core/batch.ts';
import type { Delivery, Exporter, ExporterContext, Readiness } from '../../../src/core/component.ts';
import { ByteWriter } from '../../../src/kit/byte_writer.ts';
import { Cfjs1Encoder } from '../../../src/kit/cfjs1_encoder.ts';
import { CursorLoop, onlyCursor, type RefusedDelivery } from '../../../src/kit/cursor_loop.ts';
import { TopicsEvents } from './events.ts';
import { appendLineRanges, holdsOnlyLines } from './line_ranges.ts';
import type { TopicsOptions } from './index.ts';
import { OVERFLOW_TOPIC, topicOf } from './topic.ts';
import type { FileSystem } from './topic_file.ts';
import { TopicStore } from './topic_store.ts';

/** Appends each record to the file of its topic, and lets it be acked once the disk has it. */
export class TopicsExporter implements Exporter {
  readonly #maxTopics: number;
  readonly #events: TopicsEvents;
  readonly #store: TopicStore;
  readonly #loop: CursorLoop;
  readonly #encoder = new Cfjs1Encoder();
  readonly #encoded = new ByteWriter(64 * 1024);
  /** Topics that records were or will be written to. */
  readonly #topics = new Set<string>();

  constructor(options: TopicsOptions, context: ExporterContext, fs: FileSystem = fsPromises) {
    const { clock, log, metrics } = context;
    const events = new TopicsEvents(context);
    this.#maxTopics = options.max_topics;
    this.#events = events;
    this.#store = new TopicStore({
      directory: options.directory,
      sync: options.sync,
      maxOpenFiles: options.max_open_files,
      fs,
      onTornLine: (path, bytes) => events.tornLineCut(path, bytes),
      onSync: (ms) => events.synced(ms),
      now: () => clock.monotonicMs(),
    });
    metrics.observed('sluice_topics_open_files', 'Topic files that are open.', () => this.#store.openFiles);
    this.#loop = new CursorLoop({
      cursor: onlyCursor(context.cursors),
      clock,
      log,
      // A group has no more topics than batches, so the files that it touches can all be open at once.
      maxDeliveries: Math.min(options.max_open_files, 256),
      write: (deliveries) => this.#write(deliveries),
      close: () => this.#store.close(),
    });
  }

  async start(): Promise<void> {
    await this.#store.open();
    for (const topic of this.#store.topics) this.#topics.add(topic);
    this.#loop.start();
  }

  stop(deadlineMs: number): Promise<void> {
    return this.#loop.stop(deadlineMs);
  }

  readiness(): Readiness {
    return this.#loop.readiness();
  }

  async #write(deliveries: readonly Delivery[]): Promise<readonly RefusedDelivery[]> {
    const writes = new Map<string, PendingWrite>();
    const refusals: RefusedDelivery[] = [];
    for (const delivery of deliveries) {
      const { batch } = delivery;
      const topic = topicOf(batch);
      if ('refused' in topic) {
        refusals.push({ delivery, detail: topic.refused });
        continue;
      }
      const name = this.#admit(topic.name);
      let write = writes.get(name);
      if (write === undefined) writes.set(name, (write = { ranges: [], bytes: 0, records: 0 }));
      write.bytes += this.#appendLines(batch, write.ranges);
      write.records += batch.count;
    }
    try {
      await this.#store.append(writes);
    } catch (error) {
      this.#events.writeFailed();
      throw error;
    }
    for (const [topic, { records, bytes }] of writes) this.#events.written(topic, records, bytes);
    return refusals;
  }

  /** The topic itself, or the one that takes the rest where there are as many as there may be. */
  #admit(topic: string): string {
    if (this.#topics.has(topic)) return topic;
    if (this.#topics.size < this.#maxTopics) {
      this.#topics.add(topic);
      return topic;
    }
    this.#events.overflowed(topic);
    return OVERFLOW_TOPIC;
  }

  #appendLines(batch: Batch, ranges: Buffer[]): number {
    if (holdsOnlyLines(batch)) return appendLineRanges(batch, ranges);
    this.#encoded.length = 0;
    this.#encoder.encode(batch, this.#encoded);
    const lines = Buffer.from(this.#encoded.written());
    ranges.push(lines);
    return lines.length;
  }
}

interface PendingWrite {
  readonly ranges: Buffer[];
  bytes: number;
  records: number;
}

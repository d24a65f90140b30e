import type { Batch } from '../../../src/core/batch.ts';
import type { Timer } from '../../../src/core/clock.ts';
import type { Processor, ProcessorContext } from '../../../src/core/component.ts';
import type { NameTable } from '../../../src/core/names.ts';
import { type Bucket, Buckets, type Limit } from './buckets.ts';
import type { RateLimitOptions } from './options.ts';
import { summaries, type Suppressed } from './summary.ts';

const REASON = 'rate_limit';

/** Services that a summary tells apart; the records of others are summed in one entry. */
const MAX_SUMMARIZED = 1000;

/**
 * Keeps each service within a token bucket. The buckets of a batch's services are looked up, refilled and marked as used once a
 * batch; a record costs one array read, two comparisons and one subtraction.
 */
export class RateLimitProcessor implements Processor {
  readonly #context: ProcessorContext;
  readonly #summaryIntervalMs: number;
  readonly #buckets: Buckets;
  /** For each table of names, the bucket by id of the name; may hold evicted ones, which are replaced when they are met. */
  readonly #slotsByTable = new WeakMap<NameTable, (Bucket | undefined)[]>();
  /** What was dropped since the last summary, by service; undefined for those that are not told apart. */
  readonly #suppressed = new Map<string | undefined, Suppressed>();
  /** Buckets that dropped records of the current batch. */
  readonly #limitedNow: Bucket[] = [];
  #turn = 0;
  #summaryTimer: Timer | undefined;
  #windowStartMs = 0;

  constructor(options: RateLimitOptions, context: ProcessorContext) {
    const { metrics } = context;
    const evicted = metrics.counter(
      'sluice_rate_limit_evicted_keys_total',
      'Keys forgotten because there were max_keys of them.',
    );
    this.#context = context;
    this.#summaryIntervalMs = options.summary_interval;
    this.#buckets = new Buckets(options.max_keys, limitsOf(options), evicted);
    metrics.observed('sluice_rate_limit_keys', 'Keys that are remembered.', () => this.#buckets.size);
  }

  process(batch: Batch): void {
    const { count, services } = batch;
    const ids = batch.columns.service;
    const slots = this.#slotsOf(services);
    const nowMs = this.#context.clock.monotonicMs();
    const turn = ++this.#turn;
    let kept = 0;
    for (let at = 0; at < count; at++) {
      const id = ids[at]!; // at is below count
      let bucket = slots[id];
      if (bucket === undefined || bucket.turn !== turn) {
        bucket = this.#prepare(bucket, services.name(id), turn, nowMs);
        slots[id] = bucket;
      }
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        if (kept !== at) batch.move(at, kept);
        kept += 1;
      } else if (bucket.droppedNow++ === 0) {
        this.#limitedNow.push(bucket);
      }
    }
    if (kept === count) return;
    batch.truncate(kept);
    this.#context.drop(batch, count - kept, REASON);
    this.#bookDrops(batch, nowMs);
  }

  /** Says what was dropped since the last summary. */
  stop(): void {
    this.#summaryTimer?.cancel();
    this.#summarize();
  }

  /** The table's buckets by id, as long as the table; holes in the array would make reading it slow. */
  #slotsOf(table: NameTable): (Bucket | undefined)[] {
    let slots = this.#slotsByTable.get(table);
    if (slots === undefined) {
      slots = [];
      this.#slotsByTable.set(table, slots);
    }
    while (slots.length < table.size) slots.push(undefined);
    return slots;
  }

  /** The bucket to use for `key` in this turn: the cached one unless it is missing or was evicted, refilled and marked as used. */
  #prepare(cached: Bucket | undefined, key: string, turn: number, nowMs: number): Bucket {
    const bucket = cached === undefined || cached.isEvicted ? this.#buckets.at(key, nowMs) : cached;
    this.#buckets.touch(bucket);
    bucket.refill(nowMs);
    bucket.turn = turn;
    return bucket;
  }

  /** Counts what the current batch lost, once per bucket and not once per record. */
  #bookDrops(batch: Batch, nowMs: number): void {
    for (const bucket of this.#limitedNow) {
      bucket.dropCounter ??= this.#context.metrics.counter(
        'sluice_rate_limit_dropped_records_total',
        'Records dropped because their service sent more than its limit.',
        { service: bucket.key },
      );
      bucket.dropCounter.add(bucket.droppedNow);
      this.#suppress(bucket, batch);
      bucket.droppedNow = 0;
    }
    this.#limitedNow.length = 0;
    if (this.#summaryTimer !== undefined) return;
    this.#windowStartMs = nowMs;
    this.#summaryTimer = this.#context.clock.after(this.#summaryIntervalMs, () => this.#summarize());
  }

  #suppress({ key, limit, droppedNow }: Bucket, { format, resource }: Batch): void {
    const service = this.#suppressed.has(key) || this.#suppressed.size < MAX_SUMMARIZED ? key : undefined;
    const known = this.#suppressed.get(service);
    if (known === undefined) this.#suppressed.set(service, { service, limit, format, resource, records: droppedNow });
    else known.records += droppedNow;
  }

  #summarize(): void {
    this.#summaryTimer = undefined;
    const { id, clock } = this.#context;
    const elapsedMs = clock.monotonicMs() - this.#windowStartMs;
    for (const batch of summaries(this.#suppressed.values(), id, clock.wallMicros(), elapsedMs)) this.#context.emit(batch);
    this.#suppressed.clear();
  }
}

/** The limit by key. What an override leaves out is the general setting; a burst given nowhere is a second's worth. */
function limitsOf({ records_per_second, burst, overrides }: RateLimitOptions): (key: string) => Limit {
  const general = toLimit(records_per_second, burst);
  const byKey = new Map<string, Limit>();
  for (const [key, own] of Object.entries(overrides)) {
    byKey.set(key, toLimit(own.records_per_second ?? records_per_second, own.burst ?? burst));
  }
  return (key) => byKey.get(key) ?? general;
}

function toLimit(recordsPerSecond: number, burst: number | undefined): Limit {
  return { ratePerMs: recordsPerSecond / 1000, burst: burst ?? Math.max(1, recordsPerSecond) };
}

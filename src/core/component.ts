/**
 * The contracts between the engine and its components. A component is a folder under `plugins/` whose `index.ts` exports one
 * definition as its default; nothing else of it is known to the engine.
 *
 * Common to all: `create` only looks at its options and must not touch the outside; `start` claims what the component needs and
 * throws a `SluiceError` where it cannot; after `start` nothing that comes from outside may stop the component; `stop` may be
 * called before `start`, and twice.
 */
import type { z } from 'zod';
import type { Batch } from './batch.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** What every component is given. */
export interface ComponentContext {
  /** The component's configuration id, `type` or `type/name`. */
  readonly id: string;
  readonly clock: Clock;
  /** The agent's own log, with the component's id on each line. Never a line per record. */
  readonly log: Log;
  /** Metrics of the component; a `component` label with its id is added by the engine. */
  readonly metrics: Metrics;
  /** A directory of the component's own for what must survive a restart; exists when `start` is called. */
  readonly stateDirectory: string;
  /** Name of this host, as the agent was configured or as the system says. */
  readonly hostName: string;
}

/**
 * A receiver makes batches of what it reads and emits them.
 *
 * `emit` never waits and never refuses: from there on the batch is the engine's, which settles it exactly once. A receiver that
 * is `replayable` (its source keeps the records until the ack: journald, an acknowledged connection) must await `whenRoom`
 * before it reads more; one that is not must do so only in as far as the engine makes it wait (`on_full: block`).
 */
export interface ReceiverContext extends ComponentContext {
  emit(batch: Batch): void;
  /** Undefined when there is room now; otherwise resolves when there is. Cheap enough to ask before every read. */
  whenRoom(): Promise<void> | undefined;
  /** Whether the pipeline behind this receiver takes records into its final store now; log-x receivers tell their peers. */
  readiness(): Readiness;
}

export interface Readiness {
  readonly ready: boolean;
  /** Why not; empty when ready. */
  readonly reason: string;
}

export const READY: Readiness = { ready: true, reason: '' };

export interface Receiver {
  /** Opens its source. Throws where the operator must act: a path that is taken, a directory that is missing. */
  start(): Promise<void>;
  /** Stops reading and emits what it has, also of an unfinished line. Acks may settle after that. */
  stop(): Promise<void>;
  /** Called after the last ack that will come has come; for saving cursors and closing connections that awaited acks. */
  close?(): Promise<void>;
}

/**
 * A processor changes or drops the records of a batch, synchronously. It owns the batch during the call. It reports what it drops
 * through `drop`; a batch that it leaves empty is settled by the engine.
 */
export interface ProcessorContext extends ComponentContext {
  /** Counts `count` records of `batch` that the processor leaves out, by a reason of its own naming (`rate_limit`). */
  drop(batch: Batch, count: number, reason: string): void;
  /** Sends records of the processor's own (a summary of what was limited) on to the stages behind it. */
  emit(batch: Batch): void;
}

export interface Processor {
  process(batch: Batch): void;
  /** Called once, when no batch will come any more; may still `emit`. */
  stop?(): void;
}

/** One batch as one destination sees it. */
export interface Delivery {
  /** Names the batch, the same for every destination and after a restart; not in the order of reading. */
  readonly position: number;
  /** Read only until it is settled, and not to be touched after. */
  readonly batch: Batch;
}

/** Why records could not go where they were meant to, as dead letters and the ledger tell them apart. */
export type DeadLetterReason = 'refused' | 'too_large' | 'retries_exhausted';

export interface Refusal {
  readonly reason: DeadLetterReason;
  /** In the words of whoever refused. */
  readonly detail: string;
  /** How often the records were sent. */
  readonly attempts: number;
}

/**
 * A destination's place in the spool. Deliveries are settled in the order in which they were read; what was read and not settled is
 * the destination's window. Records of one receiver come in the order in which it emitted them.
 */
export interface Cursor {
  /** Name of the destination. */
  readonly destination: string;
  /** The next delivery; undefined when all have been read, or when the next one still has to be fetched from the disk. */
  next(): Delivery | undefined;
  /** True when `next` would give one. */
  readonly hasNext: boolean;
  /** True when there is nothing that the destination has not settled, read or not, in memory or on disk. */
  readonly isEmpty: boolean;
  /** Settles every delivery of the window up to and including the one at `position` as delivered. */
  deliveredThrough(position: number): void;
  /**
   * Hands `records`, indexes in a delivery of the window, over to the dead letters, each of them once. They count when the delivery
   * is settled, and are forgotten when it is rewound.
   */
  refused(delivery: Delivery, records: readonly number[], refusal: Refusal): void;
  /** Forgets what was read and not settled: `next` starts again with the oldest unsettled delivery, same records, same ids. */
  rewind(): void;
  /** Called, from a later turn of the event loop, when `next` gives again after it gave undefined. One listener. */
  onReadable(listener: () => void): void;
}

export interface ExporterContext extends ComponentContext {
  /** One cursor for each name of the definition's `destinations`, in that order. */
  readonly cursors: readonly Cursor[];
}

export interface Exporter {
  start(): Promise<void>;
  /**
   * Delivers what its cursors hold until they are empty or `deadlineMs` (monotonic clock) has passed, then closes. What it
   * could not deliver stays unsettled in the spool.
   */
  stop(deadlineMs: number): Promise<void>;
  /** Whether its store takes writes now. */
  readiness(): Readiness;
}

interface Definition<Options> {
  /** One sentence for the list of components and the top of the README. */
  readonly summary: string;
  /** Every option with type, default, unit, doc and check; a strict object, so that unknown keys are errors. */
  readonly options: z.ZodType<Options>;
}

/** A claim on something that only one component may have: `path:/run/a.pipe`, `address:127.0.0.1:6514`. */
export type Claim = `${'path' | 'address'}:${string}`;

/** `block` makes the receiver wait, which in the end blocks whoever writes to it. */
export type OnFull = 'drop_oldest' | 'drop_newest' | 'block';

export interface ReceiverDefinition<Options> extends Definition<Options> {
  readonly kind: 'receiver';
  /** True where the source keeps the records until they are acked, so that the spool pushes back instead of overflowing. */
  readonly replayable: boolean;
  /** What the spool does with this receiver's records when it is full; only asked where not `replayable`. */
  onFull?(options: Options): OnFull;
  /** What two components must not both have; checked over the whole configuration. */
  claims?(options: Options): readonly Claim[];
  create(options: Options, context: ReceiverContext): Receiver;
}

export interface ProcessorDefinition<Options> extends Definition<Options> {
  readonly kind: 'processor';
  create(options: Options, context: ProcessorContext): Processor;
}

export interface ExporterDefinition<Options> extends Definition<Options> {
  readonly kind: 'exporter';
  claims?(options: Options): readonly Claim[];
  /** Names of the destinations that must each get every record; default one, named by the exporter's id. */
  destinations?(options: Options, id: string): readonly string[];
  create(options: Options, context: ExporterContext): Exporter;
}

/** Gives a definition's `create` its option type from the schema. */
export function defineReceiver<Options>(definition: Omit<ReceiverDefinition<Options>, 'kind'>): ReceiverDefinition<Options> {
  return { kind: 'receiver', ...definition };
}

export function defineProcessor<Options>(definition: Omit<ProcessorDefinition<Options>, 'kind'>): ProcessorDefinition<Options> {
  return { kind: 'processor', ...definition };
}

export function defineExporter<Options>(definition: Omit<ExporterDefinition<Options>, 'kind'>): ExporterDefinition<Options> {
  return { kind: 'exporter', ...definition };
}

/** Contexts as the engine gives them to components, which record what a component does and let a test play the engine. */
import { tmpdir } from 'node:os';
import type { Outcome } from '../../src/core/ack.ts';
import type { Batch } from '../../src/core/batch.ts';
import type { Clock } from '../../src/core/clock.ts';
import {
  type ComponentContext,
  type ExporterContext,
  type ProcessorContext,
  READY,
  type Readiness,
  type ReceiverContext,
} from '../../src/core/component.ts';
import { type PlainRecord, readBatch } from './batches.ts';
import { MemorySpool } from './memory_spool.ts';
import { RecordingLog, RecordingMetrics } from './recording.ts';
import { VirtualClock } from './virtual_clock.ts';

export interface FakeContextOptions {
  /** Default `test`. */
  readonly id?: string;
  /** Default: a new virtual clock. */
  readonly clock?: Clock;
  /** Default: the system's directory for temporary files; give one of your own where the component keeps state. */
  readonly stateDirectory?: string;
  /** Default `web-1`. */
  readonly hostName?: string;
}

class FakeContext implements ComponentContext {
  readonly id: string;
  readonly clock: Clock;
  readonly log = new RecordingLog();
  readonly metrics = new RecordingMetrics();
  readonly stateDirectory: string;
  readonly hostName: string;

  constructor({ id = 'test', clock = new VirtualClock(), stateDirectory = tmpdir(), hostName = 'web-1' }: FakeContextOptions) {
    this.id = id;
    this.clock = clock;
    this.stateDirectory = stateDirectory;
    this.hostName = hostName;
  }
}

export interface EmittedBatch {
  readonly batch: Batch;
  /** The records as they were when the batch was emitted, since its bytes are reused once it is settled. */
  readonly records: readonly PlainRecord[];
}

export interface FakeReceiverOptions extends FakeContextOptions {
  /** Settles each batch with this in a later turn of the event loop; default: batches wait for `settleAll`. */
  readonly settleWith?: Outcome;
}

export class FakeReceiverContext extends FakeContext implements ReceiverContext {
  /** In the order of `emit`. */
  readonly emitted: EmittedBatch[] = [];
  /** What `readiness` answers. */
  pipelineReadiness: Readiness = READY;
  /** How often the receiver asked for room while there was none. */
  waits = 0;
  readonly #settleWith: Outcome | undefined;
  #room: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(options: FakeReceiverOptions = {}) {
    super(options);
    this.#settleWith = options.settleWith;
  }

  /** All records emitted so far. */
  get records(): PlainRecord[] {
    return this.emitted.flatMap(({ records }) => records);
  }

  /** Bodies of all records emitted so far. */
  get bodies(): string[] {
    return this.records.map(({ body }) => body);
  }

  emit(batch: Batch): void {
    this.emitted.push({ batch, records: readBatch(batch) });
    const outcome = this.#settleWith;
    if (outcome !== undefined) setImmediate(() => batch.settle(outcome));
  }

  whenRoom(): Promise<void> | undefined {
    if (this.#room !== undefined) this.waits += 1;
    return this.#room?.promise;
  }

  readiness(): Readiness {
    return this.pipelineReadiness;
  }

  /** From now on there is no room. */
  fill(): void {
    this.#room ??= Promise.withResolvers<void>();
  }

  /** There is room again; whoever waits goes on. */
  drain(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** Settles every emitted batch that is not settled yet. */
  settleAll(outcome: Outcome): void {
    for (const { batch } of this.emitted) if (!batch.settled) batch.settle(outcome);
  }
}

export interface Drop {
  readonly batch: Batch;
  readonly count: number;
  readonly reason: string;
}

export class FakeProcessorContext extends FakeContext implements ProcessorContext {
  /** Batches of the processor's own. */
  readonly emitted: EmittedBatch[] = [];
  readonly drops: Drop[] = [];

  constructor(options: FakeContextOptions = {}) {
    super(options);
  }

  /** Records dropped so far. */
  get dropped(): number {
    return this.drops.reduce((sum, { count }) => sum + count, 0);
  }

  drop(batch: Batch, count: number, reason: string): void {
    this.drops.push({ batch, count, reason });
  }

  emit(batch: Batch): void {
    this.emitted.push({ batch, records: readBatch(batch) });
  }
}

export interface FakeExporterOptions extends FakeContextOptions {
  /** Names of the cursors; default one, the component's id. */
  readonly destinations?: readonly string[];
}

export class FakeExporterContext extends FakeContext implements ExporterContext {
  /** What the exporter is to deliver: push batches, then look at the cursors. */
  readonly spool: MemorySpool;

  constructor(options: FakeExporterOptions = {}) {
    super(options);
    this.spool = new MemorySpool(options.destinations ?? [this.id]);
  }

  get cursors(): MemorySpool['cursors'] {
    return this.spool.cursors;
  }
}

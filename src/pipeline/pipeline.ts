/**
 * One pipeline: receivers -> processors -> spool -> exporters. Batches flow down synchronously, from a receiver's `emit` to the
 * spool, in the order in which they are emitted; acks come back up when every destination has settled.
 */
import type { PipelineConfig } from '../config/agent_config.ts';
import { destinationsOf } from '../config/agent_config.ts';
import type { Batch } from '../core/batch.ts';
import { type ComponentContext, type Exporter, type Processor, READY, type Readiness, type Receiver } from '../core/component.ts';
import type { Clock } from '../core/clock.ts';
import { describeError } from '../core/errors.ts';
import type { FileSystem } from '../core/files.ts';
import type { Recovery, SpoolMark } from '../core/spool_mark.ts';
import type { Log } from '../core/log.ts';
import type { Metrics } from '../core/metrics.ts';
import { Replayer } from '../dead_letters/replayer.ts';
import { DeadLetterStore } from '../dead_letters/store.ts';
import { SpoolEvents, type SpoolOutcomes } from '../spool/events.ts';
import type { OverflowRule } from '../spool/lane.ts';
import { type HeldCount, Spool } from '../spool/spool.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';

/** A pipeline that has work and whose exporters are ready must settle something within this time, or it is not alive. */
const PROGRESS_DEADLINE_MS = 60_000;

/** How long a stop delivers before it puts what is left on disk. */
const FLUSH_AFTER_MS = 500;

interface Named<T> {
  readonly id: string;
  readonly part: T;
}

export interface PipelineParts {
  readonly telemetry: Telemetry;
  readonly log: Log;
  readonly clock: Clock;
  readonly files: FileSystem;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** What a component with this id is given; `kind` keeps apart what different kinds with the same id store. */
  readonly contextOf: (kind: 'receiver' | 'processor' | 'exporter', id: string) => ComponentContext;
}

export class Pipeline {
  readonly name: string;
  readonly spool: Spool;
  readonly #telemetry: Telemetry;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #deadLetters: DeadLetterStore | undefined;
  readonly #replayer: Replayer | undefined;
  readonly #receivers: readonly Named<Receiver>[];
  readonly #processors: readonly Processor[];
  readonly #exporters: readonly Named<Exporter>[];
  readonly #rules = new Map<string, OverflowRule>();
  /** The batch that is between `emit` and the spool now, if any: the flow is synchronous. */
  readonly #passing: Batch[] = [];
  #lastDropReason = '';
  #settledBatches = 0;

  /** Creates the components, which touches nothing outside; `start` does. */
  constructor(config: PipelineConfig, parts: PipelineParts) {
    const { telemetry, log, contextOf } = parts;
    this.name = config.name;
    this.#log = log;
    this.#clock = parts.clock;
    this.#telemetry = telemetry;
    const metrics = telemetry.metrics.forPipeline(config.name);
    this.#deadLetters =
      config.deadLetters === undefined ? undefined : new DeadLetterStore({ ...config.deadLetters, ...parts, metrics });
    this.spool = new Spool({
      ...config.spool,
      ...parts,
      destinations: config.exporters.flatMap((exporter) => destinationsOf(exporter)),
      outcomes: this.#outcomes(),
      events: new SpoolEvents(log, metrics),
      deadLetters: this.#deadLetters,
    });
    this.#replayer = this.#createReplayer(config, parts, metrics);

    this.#receivers = config.receivers.map(({ id, definition, options }) => {
      const rule = definition.replayable ? 'push_back' : (definition.onFull?.(options) ?? 'drop_oldest');
      this.#rules.set(id, rule);
      telemetry.ledger.account(id);
      const part = definition.create(options, {
        ...contextOf('receiver', id),
        emit: (batch) => this.#accept(batch, 0),
        whenRoom: () => this.spool.whenRoom(rule),
        readiness: () => this.readiness(),
      });
      return { id, part };
    });
    this.#processors = config.processors.map(({ id, definition, options }, index) =>
      definition.create(options, {
        ...contextOf('processor', id),
        drop: (batch, records, reason) => this.#drop(batch, records, reason),
        emit: (batch) => this.#accept(batch, index + 1),
      }),
    );
    this.#exporters = config.exporters.map((exporter) => {
      const names = destinationsOf(exporter);
      const cursors = this.spool.cursors.filter(({ destination }) => names.includes(destination));
      return {
        id: exporter.id,
        part: exporter.definition.create(exporter.options, { ...contextOf('exporter', exporter.id), cursors }),
      };
    });
    this.#observe();
  }

  /**
   * Takes up what an earlier run has left on disk, before `start`; `mark` is how far the spool had come when the ledger was saved. Resolves
   * with the records that wait there, by receiver. Throws a SluiceError where a directory cannot be used.
   */
  async open(mark: SpoolMark | undefined): Promise<Recovery> {
    const recovery = await this.spool.start(mark);
    try {
      await this.#deadLetters?.start();
    } catch (error) {
      await this.spool.stop(() => {});
      throw error;
    }
    return recovery;
  }

  /** Starts from the back, so that what comes in has somewhere to go. On an error what was started is stopped again. */
  async start(): Promise<void> {
    try {
      for (const { part } of this.#exporters) await part.start();
      this.#replayer?.start();
      for (const { part } of this.#receivers) await part.start();
    } catch (error) {
      await this.stop(0);
      throw error;
    }
  }

  /**
   * Stops from the front and delivers what is held until `deadlineMs` (monotonic clock); the rest goes to disk, or is told to its
   * sources as failed. Returns how many records are lost by that.
   */
  async stop(deadlineMs: number): Promise<number> {
    this.#replayer?.stop();
    await Promise.all(this.#receivers.map(({ id, part }) => this.#quietly(id, part.stop())));
    for (const processor of this.#processors) processor.stop?.();
    // What is not delivered at once goes to disk while it is tried, so that whoever ends the process now takes nothing with it.
    const flush = this.#clock.after(FLUSH_AFTER_MS, () => this.spool.flush());
    await Promise.all(this.#exporters.map(({ id, part }) => this.#quietly(id, part.stop(deadlineMs))));
    flush.cancel();
    const undelivered = await this.#giveUpHeld();
    await this.#quietly('replay', this.#replayer?.close());
    await this.#quietly('dead letters', this.#deadLetters?.stop());
    await Promise.all(this.#receivers.map(({ id, part }) => this.#quietly(id, part.close?.())));
    return undelivered;
  }

  /** Whether every exporter's store takes records now; otherwise why not. */
  readiness(): Readiness {
    for (const { id, part } of this.#exporters) {
      const { ready, reason } = part.readiness();
      if (!ready) return { ready, reason: `${id}: ${reason}` };
    }
    return READY;
  }

  /** The records that are held, counted where they are. */
  *held(): Iterable<HeldCount> {
    for (const { receiver, count } of this.#passing) yield { receiver, inFlight: count, spooled: 0, safe: 0 };
    yield* this.spool.held();
  }

  /** Dead letters that are tried again come in behind the processors, which they have passed before. */
  #createReplayer(config: PipelineConfig, parts: PipelineParts, metrics: Metrics): Replayer | undefined {
    const store = this.#deadLetters;
    if (store === undefined || config.deadLetters === undefined) return undefined;
    const receiver = `dead_letters/${config.name}`;
    const rule = 'push_back';
    this.#rules.set(receiver, rule);
    parts.telemetry.ledger.account(receiver);
    return new Replayer({
      ...parts,
      metrics,
      store,
      receiver,
      directory: config.deadLetters.directory,
      destinations: this.spool.cursors.map(({ destination }) => destination),
      emit: (batch) => this.#accept(batch, Infinity),
      whenRoom: () => this.spool.whenRoom(rule),
    });
  }

  #accept(batch: Batch, firstProcessor: number): void {
    this.#telemetry.ledger.account(batch.receiver).accepted(batch.count);
    this.#passing.push(batch);
    try {
      for (let index = firstProcessor; index < this.#processors.length && batch.count > 0; index++) {
        this.#processors[index]!.process(batch); // index is below the length
      }
    } catch (error) {
      this.#log.error('a processor failed; the records of the batch are dropped', { reason: describeError(error) });
      this.#drop(batch, batch.count, 'processor_failed');
      batch.truncate(0);
    }
    this.#passing.pop();
    if (batch.count === 0) batch.settle({ kind: 'dropped', reason: this.#lastDropReason });
    else this.spool.append(batch, this.#rules.get(batch.receiver) ?? 'drop_newest');
  }

  #drop(batch: Batch, records: number, reason: string): void {
    this.#lastDropReason = reason;
    this.#telemetry.ledger.account(batch.receiver).dropped(records, reason);
  }

  /** Returns how many records are lost; sources that keep theirs will offer them again. */
  async #giveUpHeld(): Promise<number> {
    let lost = 0;
    await this.spool.stop((receiver, records, isKept) => {
      if (!isKept) lost += records;
      this.#telemetry.ledger.account(receiver).dropped(records, isKept ? 'returned_to_source' : 'shutdown');
    });
    return lost;
  }

  #outcomes(): SpoolOutcomes {
    const { ledger } = this.#telemetry;
    return {
      delivered: (receiver, records) => {
        this.#settledBatches += 1;
        ledger.account(receiver).delivered(records);
      },
      deadLettered: (receiver, records, reason) => ledger.account(receiver).deadLettered(records, reason),
      dropped: (receiver, records, reason) => ledger.account(receiver).dropped(records, reason),
    };
  }

  #observe(): void {
    const { ledger, health } = this.#telemetry;
    ledger.held(() => this.held());
    for (const { id, part } of this.#exporters) health.register(`exporter ${id}`, () => part.readiness());
    health.registerProgress(`pipeline ${this.name}`, {
      hasWork: () => !this.spool.isEmpty && this.readiness().ready,
      progress: () => this.#settledBatches,
      deadlineMs: PROGRESS_DEADLINE_MS,
    });
  }

  /** One part that cannot stop in good order must not keep the others from doing so. */
  async #quietly(id: string, stopped: Promise<void> | undefined): Promise<void> {
    try {
      await stopped;
    } catch (error) {
      this.#log.error(`${id} did not stop in good order`, { reason: describeError(error) });
    }
  }
}

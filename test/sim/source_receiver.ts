/** The agent's receiver for a simulated source: reads when there is something and the engine has room, as the real ones do. */
import { Ack, type Outcome } from '../../src/core/ack.ts';
import { sleep } from '../../src/core/clock.ts';
import { defineReceiver, type Receiver, type ReceiverContext, type ReceiverDefinition } from '../../src/core/component.ts';
import type { FileSystem } from '../../src/core/files.ts';
import { z } from 'zod';
import { makeBatch } from '../helpers/batches.ts';
import type { Incarnation } from './incarnation.ts';
import { PositionFile } from './position_file.ts';
import type { Random } from './random.ts';
import { specOf, type Written } from './records.ts';
import type { Source } from './source.ts';

/** What a receiver is run in. */
export interface SourceSurroundings {
  readonly source: Source;
  readonly incarnation: Incarnation;
  readonly files: FileSystem;
  readonly random: Random;
  /** Most records of a batch. */
  readonly maxRecords: number;
}

/** Most time between a record's arrival and its reading, and between an ack and the saving of the position. */
const MAX_READ_DELAY_MS = 20;
const SAVE_INTERVAL_MS = 500;

const FORMAT = 'simulated';

export function sourceDefinition(surroundings: SourceSurroundings): ReceiverDefinition<unknown> {
  const { isReplayable, onFull } = surroundings.source.options;
  return defineReceiver({
    summary: 'Reads a simulated source.',
    options: z.unknown(),
    replayable: isReplayable,
    onFull: () => onFull,
    create: (_options, context) => new SourceReceiver(context, surroundings),
  });
}

class SourceReceiver implements Receiver {
  readonly #context: ReceiverContext;
  readonly #s: SourceSurroundings;
  readonly #position: PositionFile | undefined;
  #isStopping = false;
  #isWoken = false;
  #wake: () => void = () => {};
  #reading: Promise<void> = Promise.resolve();

  constructor(context: ReceiverContext, surroundings: SourceSurroundings) {
    const { source, files } = surroundings;
    this.#context = context;
    this.#s = surroundings;
    this.#position = source.options.isReplayable
      ? new PositionFile({ files, clock: context.clock, directory: context.stateDirectory, intervalMs: SAVE_INTERVAL_MS })
      : undefined;
  }

  async start(): Promise<void> {
    const { source } = this.#s;
    if (this.#position !== undefined) source.taken = await this.#position.load();
    source.onWritten = () => {
      this.#isWoken = true;
      this.#wake();
    };
    this.#reading = this.#read();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#wake();
    await this.#reading;
  }

  async close(): Promise<void> {
    await this.#position?.close();
  }

  async #read(): Promise<void> {
    const { source, random, incarnation } = this.#s;
    const { clock } = this.#context;
    while (!this.#isStopping) {
      const obstacle = this.#context.whenRoom();
      if (obstacle !== undefined) await Promise.race([obstacle, this.#stopping()]);
      else if (source.taken < source.written.length) this.#emit();
      else await this.#more();
      if (this.#isStopping || !incarnation.isAlive) break;
      await sleep(clock, random.between(0, MAX_READ_DELAY_MS));
    }
  }

  /** Resolves when the receiver is to stop. */
  #stopping(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = () => {
        if (this.#isStopping) resolve();
      };
    });
  }

  /** Resolves when there is more to read, or the receiver is to stop. */
  async #more(): Promise<void> {
    if (!this.#isWoken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#isWoken = false;
  }

  #emit(): void {
    const { source, incarnation, maxRecords, random } = this.#s;
    const { name, isReplayable } = source.options;
    const { clock, id } = this.#context;
    if (!incarnation.isAlive) return;
    const records = source.written.slice(source.taken, source.taken + random.integer(1, maxRecords));
    source.taken += records.length;
    const settled = this.#position?.add(source.taken);
    for (const record of records) this.#hold(record);
    const specs = records.map((record) => specOf(record, clock.wallMicros()));
    const batch = makeBatch(specs, {
      receiver: id,
      format: FORMAT,
      ack: new Ack((outcome) => {
        settled?.(outcome);
        this.#onSettled(records, outcome);
      }),
      ...(isReplayable ? { epoch: name } : {}),
    });
    this.#context.emit(batch);
  }

  #hold(record: Written): void {
    const { incarnation } = this.#s;
    record.emitted += 1;
    record.holder = incarnation;
    record.emittedBy = incarnation.number;
    record.heldSinceMs = this.#context.clock.monotonicMs();
  }

  #onSettled(records: readonly Written[], outcome: Outcome): void {
    const { incarnation, source } = this.#s;
    if (!incarnation.isAlive) return;
    for (const record of records) {
      if (record.holder === incarnation) record.holder = undefined;
      if (outcome.kind === 'delivered' || outcome.kind === 'rejected') record.isSafe = true;
      else if (outcome.kind === 'dropped') record.dropped = outcome.reason;
      else if (!source.options.isReplayable) record.dropped = 'shutdown';
    }
  }
}

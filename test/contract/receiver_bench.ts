import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { AnyReceiver } from '../../src/config/agent_config.ts';
import { systemClock } from '../../src/core/clock.ts';
import type { Receiver } from '../../src/core/component.ts';
import type { PlainRecord } from '../helpers/batches.ts';
import { FakeReceiverContext } from '../helpers/contexts.ts';
import { waitFor } from '../helpers/wait_for.ts';
import type { ReceiverContract, ReceiverSource } from './contract.ts';

export interface ReceiverSubject {
  readonly definition: AnyReceiver;
  readonly contract: ReceiverContract;
  /** An empty directory of its own, each time. */
  readonly directory: () => string;
  /** How long something may take that must happen, in milliseconds. Default 10 s. */
  readonly deadlineMs?: number;
}

/** Configuration id of the receivers on a bench. */
export const ID = 'under/test';

const DEADLINE_MS = 10_000;

/** A source and the receivers that were made to read it. */
export class Bench {
  readonly source: ReceiverSource;
  readonly directories: readonly [source: string, state: string];
  readonly deadlineMs: number;
  readonly #definition: AnyReceiver;
  readonly #trials: Trial[] = [];

  constructor(
    { definition, deadlineMs = DEADLINE_MS }: ReceiverSubject,
    source: ReceiverSource,
    directories: readonly [string, string],
  ) {
    this.#definition = definition;
    this.deadlineMs = deadlineMs;
    this.source = source;
    this.directories = directories;
  }

  /** A receiver with the source's options, which is ended when the bench is closed. */
  create(): Trial {
    const context = new FakeReceiverContext({ id: ID, clock: systemClock, stateDirectory: this.directories[1] });
    const receiver = this.#definition.create(this.#definition.options.parse(this.source.options), context);
    const trial = new Trial(receiver, context, this.deadlineMs, this.source.bodyOf);
    this.#trials.push(trial);
    return trial;
  }

  async close(): Promise<void> {
    for (const trial of this.#trials) await trial.end();
    await this.source.close();
  }
}

/** A receiver under test. */
export class Trial {
  readonly receiver: Receiver;
  readonly context: FakeReceiverContext;
  readonly #deadlineMs: number;
  readonly #bodyOf: (record: PlainRecord) => string;
  #isEnded = false;

  constructor(
    receiver: Receiver,
    context: FakeReceiverContext,
    deadlineMs: number,
    bodyOf = (record: PlainRecord) => record.body,
  ) {
    this.receiver = receiver;
    this.context = context;
    this.#deadlineMs = deadlineMs;
    this.#bodyOf = bodyOf;
  }

  /** The bodies that the emitted records were written with. */
  get bodies(): string[] {
    return this.context.records.map((record) => this.#bodyOf(record));
  }

  received(count: number): Promise<void> {
    return waitFor(() => this.context.records.length >= count, {
      deadlineMs: this.#deadlineMs,
      what: `${count} records to be emitted`,
    });
  }

  /** Stops, settles what is open and closes, as the engine does; does nothing the second time. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.context.drain();
    await this.receiver.stop();
    this.context.settleAll({ kind: 'failed', reason: 'the test is over' });
    await this.receiver.close?.();
  }
}

/** Opens a source, gives its bench to `check`, and closes everything whatever comes of that. */
export async function onBench(subject: ReceiverSubject, check: (bench: Bench) => Promise<void>): Promise<void> {
  const root = subject.directory();
  const directories = [join(root, 'source'), join(root, 'state')] as const;
  for (const one of directories) mkdirSync(one);
  const bench = new Bench(subject, await subject.contract.open(directories[0]), directories);
  try {
    await check(bench);
  } finally {
    await bench.close();
  }
}

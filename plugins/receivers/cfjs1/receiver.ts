import type { Duplex } from 'node:stream';
import type { Timer } from '../../../src/core/clock.ts';
import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { BufferBudget } from '../../../src/kit/buffer_budget.ts';
import { formatAddress } from '../../../src/kit/options.ts';
import { Connection } from './connection.ts';
import { Cfjs1Events } from './events.ts';
import { FrameMemory } from './frame_memory.ts';
import type { Cfjs1Options } from './index.ts';
import { type Listener, TcpListener } from './listener.ts';
import { createSeenRecords, type SeenRecords } from './seen_records.ts';

/** How often it is looked whether the store behind the receiver still takes records; agents are told of changes. */
const READINESS_INTERVAL_MS = 500;

/** Memory that is kept for batches to come. */
const MAX_POOLED_BYTES = 32 * 1024 * 1024;

/** What a receiver is made of besides its options; a simulation puts its own in place. */
export interface Cfjs1Parts {
  /** Default: the address in the options. */
  readonly listener?: Listener;
}

export class Cfjs1Receiver implements Receiver {
  readonly #options: Cfjs1Options;
  readonly #context: ReceiverContext;
  readonly #events: Cfjs1Events;
  readonly #budget: BufferBudget;
  readonly #memory = new FrameMemory(MAX_POOLED_BYTES);
  readonly #seen: SeenRecords | undefined;
  readonly #listener: Listener;
  readonly #connections = new Set<Connection>();
  #timer: Timer | undefined;
  /** Resolves when the last connection is closed, where that is waited for. */
  #drained: PromiseWithResolvers<void> | undefined;

  constructor(options: Cfjs1Options, context: ReceiverContext, parts: Cfjs1Parts = {}) {
    this.#options = options;
    this.#context = context;
    this.#events = new Cfjs1Events(context);
    this.#budget = new BufferBudget(options.max_buffered_bytes);
    this.#seen = createSeenRecords(options, this.#events);
    this.#listener = parts.listener ?? new TcpListener(options, context, this.#events);
    this.#events.observe({
      bufferedBytes: () => this.#budget.usedBytes,
      pooledBytes: () => this.#memory.pooledBytes,
      epochs: () => this.#seen?.epochs ?? 0,
    });
  }

  /** The port that is listened on; undefined while none is. */
  get port(): number | undefined {
    return this.#listener.port;
  }

  async start(): Promise<void> {
    const { listen: address, name } = this.#options;
    await this.#listener.start((stream, peer) => this.#onConnection(stream, peer));
    this.#watchReadiness();
    this.#context.log.info('taking cfjs1', { name, address: formatAddress({ ...address, port: this.port ?? address.port }) });
  }

  /** Takes no connection and no batch any more and says goodbye; acks of what was taken still go out. */
  stop(): Promise<void> {
    this.#timer?.cancel();
    this.#listener.stop();
    for (const connection of this.#connections) connection.leave();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    if (this.#connections.size === 0) return;
    this.#drained ??= Promise.withResolvers();
    await this.#drained.promise;
  }

  #onConnection(stream: Duplex, peer: string): void {
    this.#events.connected();
    const connection = new Connection(stream, {
      peer,
      options: this.#options,
      context: this.#context,
      events: this.#events,
      budget: this.#budget,
      memory: this.#memory,
      seen: this.#seen,
      closed: () => {
        this.#connections.delete(connection);
        this.#events.disconnected();
        if (this.#connections.size === 0) this.#drained?.resolve();
      },
    });
    this.#connections.add(connection);
  }

  #watchReadiness(): void {
    this.#timer = this.#context.clock.after(READINESS_INTERVAL_MS, () => {
      const readiness = this.#context.readiness();
      for (const connection of this.#connections) connection.tellReadiness(readiness);
      this.#watchReadiness();
    });
  }
}

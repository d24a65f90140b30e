import { createServer, type Server } from 'node:net';
import type { Timer } from '../../../src/core/clock.ts';
import type { Readiness, Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { READY } from '../../../src/core/component.ts';
import { listen } from '../../../src/kit/listen.ts';
import { formatAddress } from '../../../src/kit/options.ts';
import { Connection } from './connection.ts';
import { Cfjs1Events } from './events.ts';
import type { Cfjs1Options } from './index.ts';

/** How often it is looked whether the store behind the receiver still takes records; agents are told of changes. */
const READINESS_INTERVAL_MS = 500;

export class Cfjs1Receiver implements Receiver {
  readonly #options: Cfjs1Options;
  readonly #context: ReceiverContext;
  readonly #events: Cfjs1Events;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #timer: Timer | undefined;
  #told: Readiness = READY;
  #closed: Promise<unknown> | undefined;

  constructor(options: Cfjs1Options, context: ReceiverContext) {
    this.#options = options;
    this.#context = context;
    this.#events = new Cfjs1Events(context);
  }

  /** The port that is listened on; undefined while none is. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: false }, (socket) => {
      this.#events.opened();
      const connection = new Connection(socket, {
        options: this.#options,
        context: this.#context,
        events: this.#events,
        closed: () => {
          this.#connections.delete(connection);
          this.#events.closed();
        },
      });
      this.#connections.add(connection);
    });
    server.maxConnections = this.#options.max_connections;
    await listen(server, this.#options.listen);
    this.#server = server;
    this.#told = this.#context.readiness();
    this.#watchReadiness();
    this.#context.log.info('taking cfjs1', {
      name: this.#options.name,
      address: formatAddress({ ...this.#options.listen, port: this.port ?? 0 }),
    });
  }

  /** Takes no connection and no batch any more; acks of what was taken still go out. */
  stop(): Promise<void> {
    this.#timer?.cancel();
    const server = this.#server;
    if (server !== undefined) {
      this.#closed ??= new Promise((resolve) => {
        server.close(resolve);
      });
    }
    for (const connection of this.#connections) connection.stopReading();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    for (const connection of this.#connections) connection.goodbye();
    await this.#closed;
  }

  #watchReadiness(): void {
    this.#timer = this.#context.clock.after(READINESS_INTERVAL_MS, () => {
      const readiness = this.#context.readiness();
      if (readiness.ready !== this.#told.ready) for (const connection of this.#connections) connection.tellReadiness(readiness);
      this.#told = readiness;
      this.#watchReadiness();
    });
  }
}

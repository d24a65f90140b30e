import { createServer, type Server, type Socket } from 'node:net';
import type { Timer } from '../../../src/core/clock.ts';
import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { listen } from '../../../src/kit/listen.ts';
import { formatAddress } from '../../../src/kit/options.ts';
import { BufferBudget } from './buffer_budget.ts';
import { Connection } from './connection.ts';
import { Cfjs1Events } from './events.ts';
import type { Cfjs1Options } from './index.ts';

/** How often it is looked whether the store behind the receiver still takes records; agents are told of changes. */
const READINESS_INTERVAL_MS = 500;

/** Without a word from a peer for so long, the kernel asks whether it is still there. */
const KEEP_ALIVE_MS = 30_000;

export class Cfjs1Receiver implements Receiver {
  readonly #options: Cfjs1Options;
  readonly #context: ReceiverContext;
  readonly #events: Cfjs1Events;
  readonly #budget: BufferBudget;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #timer: Timer | undefined;
  #closed: Promise<unknown> | undefined;

  constructor(options: Cfjs1Options, context: ReceiverContext) {
    this.#options = options;
    this.#context = context;
    this.#events = new Cfjs1Events(context);
    this.#budget = new BufferBudget(options.max_buffered_bytes);
    this.#events.observeBuffered(() => this.#budget.usedBytes);
  }

  /** The port that is listened on; undefined while none is. */
  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  async start(): Promise<void> {
    const { listen: address, name, max_connections } = this.#options;
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (socket) =>
      this.#onConnection(socket),
    );
    server.maxConnections = max_connections;
    server.on('drop', () => this.#events.tooMany(max_connections));
    await listen(server, address, (error) => this.#events.notTaken(error));
    this.#server = server;
    this.#watchReadiness();
    this.#context.log.info('taking cfjs1', { name, address: formatAddress({ ...address, port: this.port ?? 0 }) });
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

  #onConnection(socket: Socket): void {
    this.#events.opened();
    const connection = new Connection(socket, {
      peer: formatAddress({ host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 }),
      options: this.#options,
      context: this.#context,
      events: this.#events,
      budget: this.#budget,
      closed: () => {
        this.#connections.delete(connection);
        this.#events.closed();
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

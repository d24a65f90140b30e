/** A unix stream socket: each connection has its own unfinished line, all of them share the batches. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { BufferBudget } from '../../../src/kit/buffer_budget.ts';
import { LineSplitter } from '../../../src/kit/line_splitter.ts';
import { lineBatcherOf } from '../../../src/kit/line_options.ts';
import { type LineBatcher, MAX_CHUNK_BYTES } from '../../../src/kit/lines.ts';
import { type FileIdentity, identityAt, PathKeeper } from '../../../src/kit/path_keeper.ts';
import { Client } from './client.ts';
import { UnixEvents } from './events.ts';
import type { UnixOptions } from './index.ts';
import { listenAt, removeSocket } from './socket_path.ts';

interface Listening {
  readonly server: Server;
  readonly identity: FileIdentity;
}

export class UnixReceiver implements Receiver {
  readonly #options: UnixOptions;
  readonly #context: ReceiverContext;
  readonly #events: UnixEvents;
  readonly #batcher: LineBatcher;
  readonly #budget: BufferBudget;
  readonly #keeper: PathKeeper;
  readonly #clients = new Set<Client>();
  #listening: Listening | undefined;
  #stopped: Promise<void> | undefined;

  constructor(options: UnixOptions, context: ReceiverContext) {
    this.#options = options;
    this.#context = context;
    this.#budget = new BufferBudget(options.max_buffered_bytes);
    this.#events = new UnixEvents(context, options.path, {
      connections: () => this.#clients.size,
      bufferedBytes: () => this.#budget.usedBytes,
    });
    this.#batcher = lineBatcherOf(options, context, options.batch_age);
    this.#keeper = new PathKeeper({
      clock: context.clock,
      isInPlace: () => this.#listening !== undefined && this.#listening.identity === identityAt(options.path),
      restore: () => this.#listenAnew(),
      failed: (error) => this.#events.notReopened(error),
    });
  }

  async start(): Promise<void> {
    this.#listening = await this.#listen();
    this.#keeper.start();
  }

  /** Takes no more connections, and nothing more from those that there are; what they have sent is read. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    await this.#keeper.stop();
    const listening = this.#listening;
    if (listening === undefined) return;
    removeSocket(this.#options.path, listening.identity);
    await this.#takeWaiting();
    listening.server.close();
    await Promise.all([...this.#clients].map((client) => client.finish()));
    this.#batcher.flush();
  }

  async #listen(): Promise<Listening> {
    const { path, mode } = this.#options;
    // A client may shut down its side first and wait for ours, which Node then closes too.
    const server = createServer({ highWaterMark: MAX_CHUNK_BYTES }, (socket) => this.#onConnection(socket));
    const identity = await listenAt(server, path, Number.parseInt(mode, 8));
    server.on('error', (error) => this.#events.acceptFailed(error));
    return { server, identity };
  }

  /** Listens at the path again; who is connected by way of the socket that was there stays so. */
  async #listenAnew(): Promise<void> {
    const former = this.#listening;
    this.#listening = await this.#listen();
    former?.server.close();
    this.#events.reopened();
  }

  /** Nobody finds the socket any more; those who have are waiting to be taken, which a turn of the event loop does. */
  async #takeWaiting(): Promise<void> {
    let before: number;
    do {
      before = this.#events.connections;
      // Two turns, so that a whole one is among them.
      await new Promise(setImmediate);
      await new Promise(setImmediate);
    } while (this.#events.connections > before);
  }

  #onConnection(socket: Socket): void {
    if (this.#clients.size >= this.#options.max_connections) {
      this.#events.refused();
      socket.destroy();
      return;
    }
    this.#events.connected();
    const client = new Client(socket, {
      splitter: new LineSplitter(this.#batcher, this.#options.partial_line_timeout, this.#budget),
      whenRoom: () => this.#context.whenRoom(),
      closed: () => this.#clients.delete(client),
    });
    this.#clients.add(client);
  }
}

/** A unix stream socket: each connection has its own unfinished line, all of them share the batches. */
import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';
import { LineSplitter } from '../../../src/kit/line_splitter.ts';
import { LineBatcher, MAX_CHUNK_BYTES } from '../../../src/kit/lines.ts';
import type { UnixOptions } from './index.ts';
import { claimSocketPath } from './socket_path.ts';

interface Client {
  readonly socket: Socket;
  readonly splitter: LineSplitter;
}

export class UnixReceiver implements Receiver {
  readonly #options: UnixOptions;
  readonly #context: ReceiverContext;
  readonly #batcher: LineBatcher;
  readonly #clients = new Set<Client>();
  #server: Server | undefined;

  constructor(options: UnixOptions, context: ReceiverContext) {
    this.#options = options;
    this.#context = context;
    this.#batcher = new LineBatcher({
      receiver: context.id,
      logFormat: options.log_format,
      format: options.format,
      service: options.service,
      jsonKeys: options.json_keys,
      maxLineBytes: options.max_line_bytes,
      batchAgeMs: options.batch_age,
      clock: context.clock,
      metrics: context.metrics,
      emit: (batch) => context.emit(batch),
    });
    context.metrics.observed('sluice_unix_connections', 'Connections open now.', () => this.#clients.size);
  }

  async start(): Promise<void> {
    const { path, mode, max_connections } = this.#options;
    await claimSocketPath(path);
    // A writer may shut down its side first and wait for ours, which is then closed too.
    const server = createServer({ highWaterMark: MAX_CHUNK_BYTES }, (socket) => this.#onConnection(socket));
    server.maxConnections = max_connections;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(cannotListen(path, cause)));
      server.listen({ path, backlog: 1024 }, resolve);
    });
    chmodSync(path, Number.parseInt(mode, 8));
    this.#server = server;
  }

  /** Takes no more connections, reads what clients have sent so far, and closes. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => {
      server.close(resolve);
    });
    // One turn of the event loop lets sockets that are readable deliver what they have.
    await new Promise(setImmediate);
    for (const { socket, splitter } of this.#clients) {
      splitter.cut();
      socket.destroy();
    }
    this.#batcher.flush();
    await closed;
  }

  #onConnection(socket: Socket): void {
    const client: Client = { socket, splitter: new LineSplitter(this.#batcher, this.#options.partial_line_timeout) };
    this.#clients.add(client);
    socket.on('data', (chunk: Buffer) => this.#onData(client, chunk));
    socket.on('end', () => client.splitter.end());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      client.splitter.cut();
      this.#clients.delete(client);
    });
  }

  #onData({ socket, splitter }: Client, chunk: Buffer): void {
    for (let at = 0; at < chunk.length; at += MAX_CHUNK_BYTES) splitter.push(chunk.subarray(at, at + MAX_CHUNK_BYTES));
    const room = this.#context.whenRoom();
    if (room === undefined) return;
    socket.pause();
    void room.then(() => socket.resume());
  }
}

function cannotListen(path: string, cause: Error): SluiceError {
  return new SluiceError('permission_denied', `the socket ${path} cannot be listened on (${errnoOf(cause) ?? cause.message})`, {
    hint: 'the user that the agent runs as needs to write to its directory',
    cause,
  });
}

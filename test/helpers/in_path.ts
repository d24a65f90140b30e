/** A TCP proxy between an agent and a receiver that can swallow what passes, as something broken in the path may. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Test } from 'tap';

export class InPath {
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #isSwallowing = false;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (client) => this.#onConnection(client));
  }

  /** Resolves when it listens, on the loopback address. */
  static async start(t: Test, targetPort: number): Promise<InPath> {
    const server = createServer();
    const proxy = new InPath(server, targetPort);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    t.teardown(() => proxy.#close());
    return proxy;
  }

  get port(): number {
    const bound = this.#server.address();
    if (bound === null || typeof bound === 'string') throw new Error('the proxy does not listen');
    return bound.port;
  }

  /** From now on connections are taken and bytes too, in both directions, and none of them arrive. */
  swallow(): void {
    this.#isSwallowing = true;
  }

  /** Passes on what comes from now on. Connections from which something is missing are cut, since nothing can heal them. */
  heal(): void {
    this.#isSwallowing = false;
    for (const socket of this.#sockets) socket.destroy();
  }

  #onConnection(client: Socket): void {
    const target = connect({ host: '127.0.0.1', port: this.#target });
    this.#join(client, target);
    this.#join(target, client);
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      if (this.#isSwallowing || to.write(chunk)) return;
      from.pause();
      to.once('drain', () => from.resume());
    });
    from.on('error', () => {});
    from.on('close', () => {
      this.#sockets.delete(from);
      to.destroy();
    });
  }

  #close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const socket of this.#sockets) socket.destroy();
    });
  }
}

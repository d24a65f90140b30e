/** Where a receiver's connections come from: a TCP address, or whatever a simulation puts in its place. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { listen } from '../../../src/kit/listen.ts';
import { formatAddress } from '../../../src/kit/options.ts';
import type { Cfjs1Events } from './events.ts';
import type { Cfjs1Options } from './index.ts';

/** Called once for each connection, which is the receiver's from then on; `peer` names the other side in logs. */
export type OnConnection = (stream: Duplex, peer: string) => void;

export interface Listener {
  /** The port that is listened on, where there is such a thing; undefined while none is. */
  readonly port?: number | undefined;
  /** Begins to take connections. Throws a SluiceError where it cannot. */
  start(onConnection: OnConnection): Promise<void>;
  /** Takes no connection any more; those that were handed over go on. May be called before `start`, and twice. */
  stop(): void;
}

/** Without a word from a peer for so long, the kernel asks whether it is still there. */
const KEEP_ALIVE_MS = 30_000;

export class TcpListener implements Listener {
  readonly #options: Cfjs1Options;
  readonly #events: Cfjs1Events;
  #server: Server | undefined;

  constructor(options: Cfjs1Options, events: Cfjs1Events) {
    this.#options = options;
    this.#events = events;
  }

  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  async start(onConnection: OnConnection): Promise<void> {
    const { listen: address, max_connections } = this.#options;
    const server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS }, (socket) =>
      onConnection(socket, peerOf(socket)),
    );
    server.maxConnections = max_connections;
    server.on('drop', () => this.#events.tooMany(max_connections));
    await listen(server, address, (error) => this.#events.notTaken(error));
    this.#server = server;
  }

  stop(): void {
    this.#server?.close();
    this.#server = undefined;
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return formatAddress({ host: remoteAddress ?? '?', port: remotePort ?? 0 });
}

/** Where a receiver's connections come from: a TCP address, encrypted or not, or whatever a simulation puts in its place. */
import { createServer, type Server, type ServerOpts, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { ReceiverContext } from '../../../src/core/component.ts';
import { listen } from '../../../src/kit/listen.ts';
import { formatAddress } from '../../../src/kit/options.ts';
import { TlsServer } from '../../../src/kit/tls.ts';
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

/** A TLS handshake takes a few round trips; who needs longer is not there, or means no good. */
const MAX_HANDSHAKE_MS = 10_000;

/** More of the name in a client's certificate is not logged. */
const MAX_NAME_LENGTH = 200;

const SOCKET_OPTIONS: ServerOpts = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS };

export class TcpListener implements Listener {
  readonly #options: Cfjs1Options;
  readonly #events: Cfjs1Events;
  readonly #tls: TlsServer | undefined;
  /** Connections that were not handed over yet, by their peers. */
  readonly #handshaking = new Map<string, Socket>();
  #server: Server | undefined;

  constructor(options: Cfjs1Options, context: ReceiverContext, events: Cfjs1Events) {
    const { clock, log, metrics } = context;
    const refused = (peer: string, reason: string): void => events.failedHandshake(peer, reason);
    this.#options = options;
    this.#events = events;
    this.#tls = options.tls === undefined ? undefined : new TlsServer(options.tls, { clock, log, metrics, refused });
  }

  get port(): number | undefined {
    const address = this.#server?.address();
    return typeof address === 'object' && address !== null ? address.port : undefined;
  }

  async start(onConnection: OnConnection): Promise<void> {
    const { listen: address, max_connections } = this.#options;
    const server = this.#createServer(onConnection);
    server.maxConnections = max_connections;
    server.on('drop', () => this.#events.tooMany(max_connections));
    await listen(server, address, (error) => this.#events.notTaken(error));
    this.#server = server;
  }

  stop(): void {
    this.#tls?.stop();
    this.#server?.close();
    this.#server = undefined;
    for (const socket of this.#handshaking.values()) socket.destroy();
  }

  #createServer(onConnection: OnConnection): Server {
    if (this.#tls === undefined) return createServer(SOCKET_OPTIONS, (socket) => onConnection(socket, peerOf(socket)));
    const handshakeTimeout = Math.min(this.#options.greeting_timeout, MAX_HANDSHAKE_MS);
    const server = this.#tls.createServer({ ...SOCKET_OPTIONS, handshakeTimeout }, (socket) => {
      this.#handshaking.delete(peerOf(socket));
      onConnection(socket, nameOf(socket));
    });
    return server.on('connection', (socket: Socket) => this.#await(socket));
  }

  #await(socket: Socket): void {
    const peer = peerOf(socket);
    this.#handshaking.set(peer, socket);
    socket.on('close', () => {
      if (this.#handshaking.get(peer) === socket) this.#handshaking.delete(peer);
    });
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return formatAddress({ host: remoteAddress ?? '?', port: remotePort ?? 0 });
}

/** The peer's address and, where it has shown a certificate, whose that is. */
function nameOf(socket: TLSSocket): string {
  const subject = socket.getPeerX509Certificate()?.subject.replaceAll('\n', ', ');
  return subject === undefined ? peerOf(socket) : `${peerOf(socket)} (${subject.slice(0, MAX_NAME_LENGTH)})`;
}

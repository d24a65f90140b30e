/** TLS as a client and as a server, over files that may be replaced while they are in use. */
import { isIP, type ServerOpts } from 'node:net';
import { checkServerIdentity, connect, createServer, type Server, type TLSSocket } from 'node:tls';
import type { Timer } from '../core/clock.ts';
import { describeError, errnoOf } from '../core/errors.ts';
import { type Address, formatAddress } from './options.ts';
import { TlsFiles, type TlsFilesParts } from './tls_files.ts';
import type { ClientTlsOptions, ServerTlsOptions } from './tls_options.ts';

/** How often a server looks whether its files have changed. */
const POLL_MS = 10_000;

export interface ConnectOptions {
  readonly noDelay?: boolean;
  readonly keepAlive?: boolean;
  readonly keepAliveInitialDelay?: number;
}

/** Makes connections; the files are looked at before each of them. */
export class TlsClient {
  readonly #options: ClientTlsOptions;
  readonly #parts: TlsFilesParts;
  readonly #files: TlsFiles;

  constructor(options: ClientTlsOptions, parts: TlsFilesParts) {
    const { ca, certificate, key, verify, min_version } = options;
    this.#options = options;
    this.#parts = parts;
    this.#files = new TlsFiles({ paths: { ca, certificate, key }, trustsSystem: verify, minVersion: min_version }, parts);
  }

  /**
   * Reads the files; to be called before the first connection.
   *
   * @throws SluiceError `path_missing`, `permission_denied` or `config_invalid`, with the file and what to do.
   */
  start(): void {
    this.#files.load();
    if (!this.#options.verify) this.#parts.log.warn('verify is false under tls: whoever answers is trusted');
  }

  /**
   * Begins to connect. The socket emits `secureConnect` once the peer is there and is who it should be, otherwise `error`; see
   * `explainTlsError`.
   */
  connect({ host, port }: Address, options: ConnectOptions = {}): TLSSocket {
    this.#files.refresh();
    const { context } = this.#files;
    if (context === undefined) throw new Error('a TLS client is started before it connects');
    const { server_name: name = host, verify } = this.#options;
    return connect({
      ...options,
      host,
      port,
      secureContext: context,
      rejectUnauthorized: verify,
      ...(isIP(name) === 0 ? { servername: name } : {}), // addresses are not sent as names (RFC 6066, section 3), but are checked
      checkServerIdentity: (_, certificate) => checkServerIdentity(name, certificate),
    });
  }
}

export interface TlsServerParts extends TlsFilesParts {
  /** A client that could not be let in; `reason` says why. */
  readonly refused: (peer: string, reason: string) => void;
}

export interface TlsServerOptions extends ServerOpts {
  /** A client that has not finished the handshake by then is refused; milliseconds. */
  readonly handshakeTimeout: number;
}

/** Makes a server, and keeps its files up to date until it is stopped. */
export class TlsServer {
  readonly #options: ServerTlsOptions;
  readonly #parts: TlsServerParts;
  readonly #files: TlsFiles;
  #timer: Timer | undefined;

  constructor(options: ServerTlsOptions, parts: TlsServerParts) {
    const { client_ca: ca, certificate, key, min_version } = options;
    this.#options = options;
    this.#parts = parts;
    this.#files = new TlsFiles({ paths: { ca, certificate, key }, trustsSystem: false, minVersion: min_version }, parts);
  }

  /**
   * Reads the files and makes a server that gives `onConnection` each client that may come in, after the handshake.
   *
   * @throws SluiceError `path_missing`, `permission_denied` or `config_invalid`, with the file and what to do.
   */
  createServer(options: TlsServerOptions, onConnection: (socket: TLSSocket) => void): Server {
    this.#files.load();
    const { client_ca, require_client_certificate } = this.#options;
    const requestCert = client_ca !== undefined;
    const rejectUnauthorized = requestCert && require_client_certificate;
    const server = createServer({ ...options, ...this.#files.contextOptions, requestCert, rejectUnauthorized }, (socket) => {
      // Without a certificate is not the same as with a bad one, which Node leaves to whoever does not insist on one.
      if (requestCert && !socket.authorized && socket.getPeerX509Certificate() !== undefined) {
        this.#refuse(socket, whyDistrusted(socket) ?? 'its certificate is not good');
      } else {
        onConnection(socket);
      }
    });
    // A client whose certificate is not trusted is cut off by Node, and the error says no more than that.
    server.on('tlsClientError', (error, socket) => this.#refuse(socket, whyDistrusted(socket) ?? explainTlsError(error)));
    this.#poll(server);
    return server;
  }

  /** Looks after the files no more. */
  stop(): void {
    this.#timer?.cancel();
  }

  #refuse(socket: TLSSocket, reason: string): void {
    const peer = formatAddress({ host: socket.remoteAddress ?? '?', port: socket.remotePort ?? 0 });
    socket.destroy();
    this.#parts.refused(peer, reason);
  }

  #poll(server: Server): void {
    this.#timer = this.#parts.clock.after(POLL_MS, () => {
      if (this.#files.refresh()) server.setSecureContext(this.#files.contextOptions);
      this.#poll(server);
    });
  }
}

/** What is wrong with the certificate of a client; undefined where nothing is, or nothing was looked at. */
function whyDistrusted(socket: TLSSocket): string | undefined {
  const code = String(socket.authorizationError ?? '');
  return code === '' ? undefined : `its certificate is not good: ${CLIENT_MEANINGS[code] ?? code}`;
}

/** What is wrong with a client's certificate; keys are codes of X509_verify_cert(3). */
const CLIENT_MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'it has expired, or a clock is wrong',
  CERT_NOT_YET_VALID: 'it is not valid yet, or a clock is wrong',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'it is signed by itself and is not in client_ca',
  SELF_SIGNED_CERT_IN_CHAIN: 'its authority is not in client_ca',
  UNABLE_TO_GET_ISSUER_CERT: 'its authority is not in client_ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its authority is not in client_ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its authority is not in client_ca, or the client leaves out one between',
};

/** What OpenSSL and Node say, in words that say what to do; keys are codes of X509_verify_cert(3) and of Node. */
const MEANINGS: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "the peer's certificate has expired, or a clock is wrong",
  CERT_NOT_YET_VALID: "the peer's certificate is not valid yet, or a clock is wrong",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the peer's certificate is signed by itself and is not in tls.ca",
  SELF_SIGNED_CERT_IN_CHAIN: "the authority of the peer's certificate is not in tls.ca",
  UNABLE_TO_GET_ISSUER_CERT: "the authority of the peer's certificate is not in tls.ca",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the authority of the peer's certificate is not in tls.ca",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the authority of the peer's certificate is not in tls.ca, or the peer leaves out one between",
  ERR_SSL_WRONG_VERSION_NUMBER: 'the peer does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the peer does not speak TLS',
  ERR_SSL_HTTP_REQUEST: 'the peer does not speak TLS',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'the peer speaks no version of TLS that min_version allows',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'the peer speaks no version of TLS that min_version allows',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'the peer does not know the authority of our certificate',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'the peer wants a certificate: set tls.certificate and tls.key',
  'ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE': 'the peer does not trust our certificate: see its log',
  'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED': 'our certificate has expired, as the peer says',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': 'the peer broke off: it may want a certificate (set tls.certificate and tls.key)',
  ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE: 'the peer has no certificate',
  ERR_TLS_HANDSHAKE_TIMEOUT: 'the TLS handshake took too long',
};

/** The text of an error of a TLS connection, in plain words where its code is a known one. */
export function explainTlsError(error: unknown): string {
  const code = errnoOf(error) ?? '';
  const text = MEANINGS[code] ?? describeError(error);
  return code === 'ERR_TLS_CERT_ALTNAME_INVALID' ? `${text}; if the peer is the right one, set tls.server_name` : text;
}

/** The telemetry pages over HTTP. Bounded in every direction, so that nothing that connects can take the agent's memory. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { describeError, errnoOf, SluiceError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

const MAX_CONNECTIONS = 64;
const MAX_HEADER_BYTES = 8 * 1024;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 65_000;
const CHECK_INTERVAL_MS = 10_000;

export interface ListenAddress {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
}

export interface Page {
  /** One line for the index. */
  readonly summary: string;
  readonly render: () => Rendered | Promise<Rendered>;
}

export interface Rendered {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** Serves pages by exact path to GET and HEAD, with an index of them at `/`. */
export class TelemetryServer {
  readonly #address: ListenAddress;
  readonly #pages: ReadonlyMap<string, Page>;
  readonly #log: Log;
  #server: Server | undefined;

  constructor(address: ListenAddress, pages: ReadonlyMap<string, Page>, log: Log) {
    this.#address = address;
    this.#pages = pages;
    this.#log = log;
  }

  /** The port that is listened on; undefined while it is not. */
  get port(): number | undefined {
    const bound = this.#server?.address();
    return typeof bound === 'object' && bound !== null ? bound.port : undefined;
  }

  /** Throws a SluiceError (`address_in_use`, `permission_denied`, `config_invalid`) where the address cannot be had. */
  async start(): Promise<void> {
    const server = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: REQUEST_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
        connectionsCheckingInterval: CHECK_INTERVAL_MS,
      },
      (request, response) => void this.#answer(request, response),
    );
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(explainListenError(error, this.#address)));
      server.listen(this.#address.port, this.#address.host, resolve);
    });
    server.on('error', (error) => this.#log.warn('telemetry server', { error: describeError(error) }));
    this.#server = server;
  }

  /** Stops listening and closes every connection, idle or not. */
  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.resume(); // a body is not asked for; it is read away within the request time-out
    let rendered: Rendered;
    try {
      rendered = await this.#render(request);
    } catch (error) {
      this.#log.error('a telemetry page could not be made', { url: request.url, error: describeError(error) });
      rendered = plainText(500, `could not be made: ${describeError(error)}\n`);
    }
    response.writeHead(rendered.status, {
      'content-type': rendered.contentType,
      'content-length': Buffer.byteLength(rendered.body),
      'cache-control': 'no-store',
      ...(rendered.status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    response.end(rendered.body); // which Node leaves out for HEAD
  }

  async #render({ method, url = '/' }: IncomingMessage): Promise<Rendered> {
    const path = url.split('?', 1)[0] ?? url;
    const page = this.#pages.get(path);
    if (page === undefined && path !== '/') return plainText(404, `there is no ${path} here\n\n${this.#index()}`);
    if (method !== 'GET' && method !== 'HEAD') return plainText(405, `${path} can only be read, with GET\n`);
    return page === undefined ? plainText(200, this.#index()) : page.render();
  }

  #index(): string {
    const lines = Array.from(this.#pages, ([path, { summary }]) => `${path.padEnd(10)} ${summary}\n`);
    return `sluice\n\n${lines.join('')}`;
  }
}

export function plainText(status: number, body: string): Rendered {
  return { status, contentType: 'text/plain; charset=utf-8', body };
}

export function json(status: number, body: unknown): Rendered {
  return { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` };
}

function explainListenError(error: Error, { host, port }: ListenAddress): SluiceError {
  const where = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  const setting = 'service.telemetry.address';
  const errno = errnoOf(error);
  if (errno === 'EADDRINUSE') {
    return new SluiceError('address_in_use', `the telemetry address ${where} is taken by another program`, {
      hint: `stop that program (\`ss -ltnp 'sport = :${port}'\` names it) or choose another ${setting}`,
      cause: error,
    });
  }
  if (errno === 'EACCES') {
    return new SluiceError('permission_denied', `the telemetry address ${where} may not be used by this user`, {
      hint: `choose a port above 1023 in ${setting}`,
      cause: error,
    });
  }
  return new SluiceError('config_invalid', `the telemetry address ${where} cannot be listened on: ${error.message}`, {
    hint: `set ${setting} to an address of this host`,
    cause: error,
  });
}

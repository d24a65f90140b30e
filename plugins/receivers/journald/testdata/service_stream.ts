import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { openStream } from './journald.ts';

/** A socket that journald does not keep up with is given no more than this to hold. */
const MAX_BEHIND_BYTES = 256 * 1024;

const RETRY_MS = 20;

/** A service's standard output, which is opened anew whenever journald has ended it. */
export class ServiceStream {
  readonly #path: string;
  readonly #identifier: string;
  #socket: Socket | undefined;
  #gathered = '';

  constructor(path: string, identifier: string) {
    this.#path = path;
    this.#identifier = identifier;
    this.#connect();
  }

  /** Whether the service would be held up now. */
  get isFull(): boolean {
    return (this.#socket?.writableLength ?? 0) + this.#gathered.length > MAX_BEHIND_BYTES;
  }

  /** Takes a line, which `flush` writes; false while there is no journald. */
  write(line: string): boolean {
    if (this.#socket !== undefined) this.#gathered += `${line}\n`;
    return this.#socket !== undefined;
  }

  flush(): void {
    if (this.#gathered !== '') this.#socket?.write(this.#gathered);
    this.#gathered = '';
  }

  /** Resolves when the kernel has all that was written, or nobody will read it any more. */
  async drained(): Promise<void> {
    while ((this.#socket?.writableLength ?? 0) > 0) await delay(RETRY_MS);
  }

  #connect(): void {
    openStream(this.#path, this.#identifier).then(
      (socket) => {
        this.#socket = socket;
        socket.on('error', () => {}); // it is closed then
        socket.on('close', () => this.#retry());
      },
      () => this.#retry(),
    );
  }

  #retry(): void {
    this.#socket = undefined;
    this.#gathered = '';
    setTimeout(() => this.#connect(), RETRY_MS);
  }
}

/**
 * One connection, with the unfinished line of its own.
 *
 *     reading ── the client closes, or shuts down its side ──▶ its last line is a line ──▶ closed
 *        └────── finish ──▶ what the client has sent is read, its last line marked ──────▶ closed
 */
import type { Socket } from 'node:net';
import type { LineSplitter } from '../../../src/kit/line_splitter.ts';
import { MAX_CHUNK_BYTES } from '../../../src/kit/lines.ts';
import { shutdownReading } from '../../../src/kit/native.ts';

export interface ClientParts {
  readonly splitter: LineSplitter;
  whenRoom(): Promise<void> | undefined;
  /** Nothing more will come of it. */
  closed(): void;
}

export class Client {
  readonly #socket: Socket;
  readonly #p: ClientParts;
  readonly #closed: Promise<void>;
  #isFinishing = false;

  constructor(socket: Socket, parts: ClientParts) {
    this.#socket = socket;
    this.#p = parts;
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        parts.splitter.cut();
        parts.closed();
        resolve();
      });
    });
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => {
      if (!this.#isFinishing) parts.splitter.end();
    });
    socket.on('error', () => socket.destroy());
  }

  /** Takes nothing that the client sends from now on, reads what it has sent, room or not, and closes. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    shutdownReading(this.#socket);
    this.#socket.resume();
    await this.#closed;
  }

  #onData(chunk: Buffer): void {
    const { splitter } = this.#p;
    for (let at = 0; at < chunk.length; at += MAX_CHUNK_BYTES) splitter.push(chunk.subarray(at, at + MAX_CHUNK_BYTES));
    if (this.#isFinishing) return;
    const room = this.#p.whenRoom();
    if (room === undefined) return;
    this.#socket.pause();
    splitter.pause();
    void room.then(() => {
      splitter.resume();
      this.#socket.resume();
    });
  }
}

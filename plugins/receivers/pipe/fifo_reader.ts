/**
 * Reads one open pipe. A busy pipe is read as fast as it fills; a slow one is read a few dozen times a second, which costs next to
 * nothing, while the kernel's buffer takes what is written meanwhile.
 *
 *     reading ── release ──▶ reading on, to the last writer's end ──▶ ended
 *        ├────── read error ───────────────────────────────────────▶ ended
 *        └────── close ──▶ what the pipe holds is read, then closed
 */
import { closeSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Clock, Timer } from '../../../src/core/clock.ts';
import { errnoOf } from '../../../src/core/errors.ts';
import type { LineSplitter } from '../../../src/kit/line_splitter.ts';
import type { FileIdentity } from '../../../src/kit/path_keeper.ts';
import type { Fifo } from './fifo.ts';

/** After a read of fewer bytes the pipe is slow: it is left alone for the pause, and what was read is emitted at once. */
const SLOW_READ_BYTES = 64 * 1024;
/** A small pipe is slow only below this share of what it holds, since its writers soon wait during a pause. */
const SLOW_READ_SHARE = 0.25;
const SLOW_READ_PAUSE_MS = 75;

export interface FifoReaderParts {
  /** What the pipe holds at most. */
  readonly capacityBytes: number;
  /** Read into, and passed on before anything else is read: several readers may share it. */
  readonly buffer: Buffer;
  readonly splitter: LineSplitter;
  readonly clock: Clock;
  whenRoom(): Promise<void> | undefined;
  /** Nothing more is coming for a while. */
  idle(): void;
  /** Nothing will be read any more though nobody called `close`: the last writer is gone after `release`, or reading failed. */
  ended(error: Error | undefined): void;
}

export class FifoReader {
  readonly identity: FileIdentity;
  readonly #p: FifoReaderParts;
  readonly #readFd: number;
  readonly #socket: Socket;
  readonly #slowReadBytes: number;
  #writeFd: number | undefined;
  #pause: Timer | undefined;
  #error: Error | undefined;
  #isClosed = false;

  /** Takes over the pipe's descriptors; reading begins in the next turn of the event loop. */
  constructor({ identity, readFd, writeFd }: Fifo, parts: FifoReaderParts) {
    this.identity = identity;
    this.#p = parts;
    this.#readFd = readFd;
    this.#writeFd = writeFd;
    this.#slowReadBytes = Math.min(SLOW_READ_BYTES, parts.capacityBytes * SLOW_READ_SHARE);
    this.#socket = new Socket({
      fd: readFd,
      readable: true,
      writable: false,
      onread: { buffer: parts.buffer, callback: (bytes) => this.#onRead(bytes) },
    });
    this.#socket.on('error', (error) => (this.#error = error));
    this.#socket.on('close', () => this.#onClose());
    this.#socket.resume();
  }

  /** Reads on for as long as others have the pipe open, and then ends. */
  release(): void {
    if (this.#writeFd !== undefined) closeSync(this.#writeFd);
    this.#writeFd = undefined;
  }

  /**
   * Reads what writers have put into the pipe, since that would be lost where none of them has it open any more, and closes it
   * right behind the last byte.
   */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pause?.cancel();
    const closed = new Promise((resolve) => {
      this.#socket.once('close', resolve);
    });
    this.#socket.pause();
    this.#drain();
    this.#socket.destroy();
    this.release();
    this.#p.splitter.cut();
    await closed;
  }

  /** Returns false to read no more until `resume`. */
  #onRead(bytes: number): boolean {
    const { buffer, splitter, clock } = this.#p;
    splitter.push(buffer.subarray(0, bytes));
    const room = this.#p.whenRoom();
    if (room === undefined && bytes >= this.#slowReadBytes) return true;
    splitter.pause();
    if (room !== undefined) {
      void room.then(() => this.#resume());
    } else {
      this.#p.idle();
      this.#pause = clock.after(SLOW_READ_PAUSE_MS, () => this.#resume());
    }
    return false;
  }

  #resume(): void {
    if (this.#isClosed) return;
    this.#p.splitter.resume();
    this.#socket.resume();
  }

  /** Reads until the pipe is empty, but for a writer that writes on and on no more than the pipe holds. */
  #drain(): void {
    const { capacityBytes, buffer, splitter } = this.#p;
    for (let left = capacityBytes; left > 0;) {
      let bytes: number;
      try {
        bytes = readSync(this.#readFd, buffer);
      } catch (error) {
        if (errnoOf(error) === 'EINTR') continue;
        return; // EAGAIN: the pipe is empty
      }
      if (bytes === 0) return;
      splitter.push(buffer.subarray(0, bytes));
      left -= bytes;
    }
  }

  #onClose(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#pause?.cancel();
    this.release();
    this.#p.splitter.cut();
    this.#p.idle();
    this.#p.ended(this.#error);
  }
}

/**
 * Reads a named pipe through one reused buffer. A busy pipe is read as fast as it fills; a slow one is read a few dozen times a
 * second, which costs next to nothing, while the kernel's buffer (1 MiB by default) takes what is written meanwhile.
 */
import { readSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Timer } from '../../../src/core/clock.ts';
import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { errnoOf } from '../../../src/core/errors.ts';
import { LineSplitter } from '../../../src/kit/line_splitter.ts';
import { LineBatcher, MAX_CHUNK_BYTES } from '../../../src/kit/lines.ts';
import { setPipeCapacity } from '../../../src/kit/native.ts';
import { openFifo } from './fifo.ts';
import type { PipeOptions } from './index.ts';

/** After a read of fewer bytes the pipe is slow: it is left alone for the pause, and what was read is emitted at once. */
const SLOW_READ_BYTES = 64 * 1024;
const SLOW_READ_PAUSE_MS = 25;

/** The longest that a record of a busy pipe waits for its batch to fill. */
const BATCH_AGE_MS = 25;

export class PipeReceiver implements Receiver {
  readonly #options: PipeOptions;
  readonly #context: ReceiverContext;
  readonly #batcher: LineBatcher;
  readonly #splitter: LineSplitter;
  readonly #buffer = Buffer.allocUnsafeSlow(MAX_CHUNK_BYTES);
  #fd = -1;
  #socket: Socket | undefined;
  #pause: Timer | undefined;

  constructor(options: PipeOptions, context: ReceiverContext) {
    this.#options = options;
    this.#context = context;
    this.#batcher = new LineBatcher({
      receiver: context.id,
      logFormat: options.log_format,
      format: options.format,
      service: options.service,
      jsonKeys: options.json_keys,
      maxLineBytes: options.max_line_bytes,
      batchAgeMs: BATCH_AGE_MS,
      clock: context.clock,
      metrics: context.metrics,
      emit: (batch) => context.emit(batch),
    });
    this.#splitter = new LineSplitter(this.#batcher, options.partial_line_timeout);
  }

  start(): Promise<void> {
    const { path, mode, capacity } = this.#options;
    this.#fd = openFifo(path, Number.parseInt(mode, 8));
    const granted = setPipeCapacity(this.#fd, capacity);
    if (granted < capacity) {
      this.#context.log.warn('the pipe has less capacity than was asked for', {
        path,
        asked_bytes: capacity,
        granted_bytes: granted,
      });
    }
    this.#socket = new Socket({
      fd: this.#fd,
      readable: true,
      writable: false,
      onread: { buffer: this.#buffer, callback: (bytes) => this.#onRead(bytes) },
    });
    this.#socket.on('error', (error) => this.#context.log.error('reading the pipe failed', { path, reason: error.message }));
    this.#socket.resume();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    const socket = this.#socket;
    if (socket === undefined) return Promise.resolve();
    this.#socket = undefined;
    this.#pause?.cancel();
    socket.pause();
    this.#drain();
    this.#splitter.cut();
    this.#batcher.flush();
    return new Promise((resolve) => {
      socket.once('close', () => resolve());
      socket.destroy();
    });
  }

  /** Returns false to stop reading until `resume`. */
  #onRead(bytes: number): boolean {
    this.#splitter.push(this.#buffer.subarray(0, bytes));
    if (this.#socket === undefined) return false;
    const room = this.#context.whenRoom();
    if (room !== undefined) {
      void room.then(() => this.#socket?.resume());
      return false;
    }
    if (bytes >= SLOW_READ_BYTES) return true;
    this.#batcher.flush();
    this.#pause = this.#context.clock.after(SLOW_READ_PAUSE_MS, () => this.#socket?.resume());
    return false;
  }

  /** Reads what writers have put into the pipe before it is closed, since that would be lost with it: at most what it holds. */
  #drain(): void {
    for (let left = this.#options.capacity; left > 0;) {
      let bytes: number;
      try {
        bytes = readSync(this.#fd, this.#buffer);
      } catch (error) {
        if (errnoOf(error) === 'EINTR') continue;
        return; // EAGAIN: the pipe is empty
      }
      if (bytes === 0) return;
      this.#splitter.push(this.#buffer.subarray(0, bytes));
      left -= bytes;
    }
  }
}

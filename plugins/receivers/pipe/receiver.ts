import type { Receiver, ReceiverContext } from '../../../src/core/component.ts';
import { describeError } from '../../../src/core/errors.ts';
import type { Counter } from '../../../src/core/metrics.ts';
import { LineSplitter } from '../../../src/kit/line_splitter.ts';
import { lineBatcherOf } from '../../../src/kit/line_options.ts';
import { type LineBatcher, MAX_CHUNK_BYTES } from '../../../src/kit/lines.ts';
import { setPipeCapacity } from '../../../src/kit/native.ts';
import { identityAt, PathKeeper } from '../../../src/kit/path_keeper.ts';
import { type Fifo, openFifo } from './fifo.ts';
import { FifoReader } from './fifo_reader.ts';
import type { PipeOptions } from './index.ts';

/** The longest that a record of a busy pipe waits for its batch to fill. */
const BATCH_AGE_MS = 25;

/** Pipes that were replaced at the path and that writers still have open are read on, as many as this. */
const MAX_FORMER_PIPES = 8;

export class PipeReceiver implements Receiver {
  readonly #options: PipeOptions;
  readonly #context: ReceiverContext;
  readonly #open: (path: string, mode: number) => Fifo;
  readonly #batcher: LineBatcher;
  readonly #keeper: PathKeeper;
  readonly #reopened: Counter;
  readonly #buffer = Buffer.allocUnsafeSlow(MAX_CHUNK_BYTES);
  #current: FifoReader | undefined;
  /** Oldest first. */
  readonly #former = new Set<FifoReader>();
  #capacityBytes = 0;
  #stopped: Promise<void> | undefined;

  constructor(options: PipeOptions, context: ReceiverContext, open = openFifo) {
    this.#options = options;
    this.#context = context;
    this.#open = open;
    this.#batcher = lineBatcherOf(options, context, BATCH_AGE_MS);
    this.#keeper = new PathKeeper({
      clock: context.clock,
      isInPlace: () => this.#current !== undefined && this.#current.identity === identityAt(options.path),
      restore: () => this.#reopen(),
      failed: (error) =>
        context.log.error('the pipe cannot be opened anew, what is written to its path is not read', {
          path: options.path,
          reason: describeError(error),
        }),
    });
    const { metrics } = context;
    this.#reopened = metrics.counter(
      'sluice_pipe_reopened_total',
      'Times that the pipe was opened anew, because its path had lost it or reading had failed.',
    );
    metrics.observed('sluice_pipe_capacity_bytes', 'What the kernel holds for writers at most.', () => this.#capacityBytes);
  }

  start(): Promise<void> {
    this.#current = this.#openReader();
    this.#keeper.start();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    await this.#keeper.stop();
    const readers = [...this.#former, ...(this.#current === undefined ? [] : [this.#current])];
    const closed = Promise.all(readers.map((reader) => reader.close()));
    this.#batcher.flush();
    await closed;
  }

  #openReader(): FifoReader {
    const { path, mode, capacity } = this.#options;
    const fifo = this.#open(path, Number.parseInt(mode, 8));
    this.#capacityBytes = setPipeCapacity(fifo.readFd, capacity);
    if (this.#capacityBytes < capacity) {
      this.#context.log.warn(
        'the pipe holds less for its writers than was asked for; the system grants more with privileges only',
        {
          path,
          asked_bytes: capacity,
          granted_bytes: this.#capacityBytes,
        },
      );
    }
    const { clock } = this.#context;
    const reader = new FifoReader(fifo, {
      capacityBytes: this.#capacityBytes,
      buffer: this.#buffer,
      splitter: new LineSplitter(this.#batcher, this.#options.partial_line_timeout),
      clock,
      whenRoom: () => this.#context.whenRoom(),
      idle: () => this.#batcher.flush(),
      ended: (error) => this.#onEnded(reader, error),
    });
    return reader;
  }

  /** Opens what is at the path now, and lets go of what was there once the last writer has. */
  #reopen(): void {
    const reader = this.#openReader();
    const former = this.#current;
    this.#current = reader;
    this.#reopened.add();
    this.#context.log.info('the pipe was opened anew', { path: this.#options.path });
    if (former === undefined) return;
    former.release();
    this.#former.add(former);
    const [oldest] = this.#former;
    if (oldest === undefined || this.#former.size <= MAX_FORMER_PIPES) return;
    this.#former.delete(oldest);
    void oldest.close();
  }

  #onEnded(reader: FifoReader, error: Error | undefined): void {
    if (error !== undefined) {
      this.#context.log.error('reading the pipe failed', { path: this.#options.path, reason: error.message });
    }
    this.#former.delete(reader);
    if (reader === this.#current) this.#current = undefined; // which the keeper finds
  }
}

import type { Writable } from 'node:stream';
import type { Delivery, Exporter, ExporterContext, Readiness } from '../../../src/core/component.ts';
import { ByteWriter } from '../../../src/kit/byte_writer.ts';
import { Cfjs1Encoder } from '../../../src/kit/cfjs1_encoder.ts';
import { CursorLoop, onlyCursor } from '../../../src/kit/cursor_loop.ts';

/** Small groups, so that what is printed keeps up with what happens. */
const MAX_GROUP_BYTES = 1024 * 1024;

/** Prints records as cfjs1 lines and lets them be acked once the stream has taken them. */
export class ConsoleExporter implements Exporter {
  readonly #stream: Writable;
  readonly #loop: CursorLoop;
  readonly #encoder = new Cfjs1Encoder();
  readonly #lines = new ByteWriter(64 * 1024);

  constructor(stream: Writable, context: ExporterContext) {
    this.#stream = stream;
    this.#loop = new CursorLoop({
      cursor: onlyCursor(context.cursors),
      clock: context.clock,
      log: context.log,
      maxBytes: MAX_GROUP_BYTES,
      write: (deliveries) => this.#write(deliveries),
      close: async () => void stream.off('error', ignore),
    });
  }

  async start(): Promise<void> {
    // A reader that goes away (`sluice run | head`) is told to whoever writes; as an event alone it would end the process.
    this.#stream.on('error', ignore);
    this.#loop.start();
  }

  stop(deadlineMs: number): Promise<void> {
    return this.#loop.stop(deadlineMs);
  }

  readiness(): Readiness {
    return this.#loop.readiness();
  }

  async #write(deliveries: readonly Delivery[]): Promise<readonly []> {
    this.#lines.length = 0;
    for (const { batch } of deliveries) this.#encoder.encode(batch, this.#lines);
    await new Promise<void>((resolve, reject) => {
      this.#stream.write(this.#lines.written(), (error) => (error ? reject(error) : resolve()));
    });
    return [];
  }
}

function ignore(): void {}

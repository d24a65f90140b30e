import { SluiceError } from '../../../src/core/errors.ts';
import { ByteWriter } from '../../../src/kit/byte_writer.ts';

/** From this size on, memory is given back once the line is complete, instead of being kept for the next one. */
const MAX_KEPT_BYTES = 16 * 1024;

/** The start of a line whose end has not come yet. */
export class UnfinishedLine {
  readonly #maxBytes: number;
  #bytes = new ByteWriter(0);

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#bytes.length === 0;
  }

  /** Memory that it takes. */
  get heldBytes(): number {
    return this.#bytes.bytes.length;
  }

  /** Adds a piece in which the line does not end. Throws a SluiceError `protocol_violation` where the line gets too long. */
  keep(piece: Buffer): void {
    const bytes = this.#bytes;
    if (bytes.length + piece.length > this.#maxBytes) {
      throw new SluiceError('protocol_violation', `the peer sent a line of more than ${this.#maxBytes} bytes`);
    }
    piece.copy(bytes.reserve(piece.length), bytes.length);
    bytes.length += piece.length;
  }

  /** Forgets what was kept. */
  clear(): void {
    this.#bytes = new ByteWriter(0);
  }

  /** What was kept and, behind it, `rest`, in which the line ends; nothing is kept any more. */
  complete(rest: Buffer): Buffer {
    const bytes = this.#bytes;
    if (bytes.length === 0) return rest;
    const whole = Buffer.concat([bytes.written(), rest]);
    if (bytes.bytes.length > MAX_KEPT_BYTES) this.#bytes = new ByteWriter(0);
    bytes.length = 0;
    return whole;
  }
}

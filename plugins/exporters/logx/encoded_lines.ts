/** The lines of a delivery, and what became of the parts of them that were compressed. */
import { compressPayload } from '../../../src/kit/compression.ts';

/** What is shorter fits into a packet either way, and is not worth the time. */
const MIN_COMPRESSED_BYTES = 1024;

export class EncodedLines {
  /** One line a record, each with its newline. */
  readonly bytes: Buffer;
  /** By place and length of the part; undefined for one that is better sent as it is. */
  readonly #compressed = new Map<string, Buffer | undefined>();

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** `part`, a view on `bytes`, compressed; undefined where it is to be sent as it is. Done once, however many ask. */
  compress(part: Buffer): Buffer | undefined {
    if (part.length < MIN_COMPRESSED_BYTES) return undefined;
    const key = `${part.byteOffset} ${part.length}`;
    if (!this.#compressed.has(key)) this.#compressed.set(key, compressPayload(part));
    return this.#compressed.get(key);
  }
}

/** A buffer that grows as it is written to, for encoders. Reused by setting `length` back. */
export class ByteWriter {
  bytes: Buffer;
  /** Bytes written so far. */
  length = 0;

  constructor(initialBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
  }

  /** Makes sure that `bytes` more can be written behind `length`, and returns the buffer to write to. */
  reserve(bytes: number): Buffer {
    const needed = this.length + bytes;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
    }
    return this.bytes;
  }

  /** What was written; valid until the next write. */
  view(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

/** A buffer that grows as it is written to, for encoders. Reused by setting `length` back. */
export class ByteWriter {
  bytes: Buffer;
  /** The same bytes, for writing numbers of several bytes at once. */
  view: DataView;
  /** Bytes written so far. */
  length = 0;

  constructor(initialBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes);
    this.view = viewOf(this.bytes);
  }

  /** Makes sure that `bytes` more can be written behind `length`, and returns the buffer to write to. */
  reserve(bytes: number): Buffer {
    const needed = this.length + bytes;
    if (needed > this.bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.bytes.length * 2));
      this.bytes.copy(grown, 0, 0, this.length);
      this.bytes = grown;
      this.view = viewOf(grown);
    }
    return this.bytes;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
  }

  /** What was written; valid until the next write. */
  written(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

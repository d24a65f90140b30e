/** Buffers that are used again, so that reading a spool makes no garbage outside the heap. */
export class BufferPool {
  readonly #maxBytes: number;
  readonly #bySize = new Map<number, Buffer[]>();
  #bytes = 0;

  /** Keeps up to `maxBytes` of buffers that are not in use; more are left to the garbage collector. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** A buffer of at least `bytes`, at most a quarter larger (4 KiB for less), from the start of its ArrayBuffer, holding anything. */
  take(bytes: number): Buffer {
    const size = sizeClass(bytes);
    const buffer = this.#bySize.get(size)?.pop();
    if (buffer === undefined) return Buffer.allocUnsafeSlow(size);
    this.#bytes -= size;
    return buffer;
  }

  /** Takes back a buffer that `take` gave; nobody may touch it any more. */
  give(buffer: Buffer): void {
    const size = buffer.length;
    if (this.#bytes + size > this.#maxBytes) return;
    const same = this.#bySize.get(size);
    if (same === undefined) this.#bySize.set(size, [buffer]);
    else same.push(buffer);
    this.#bytes += size;
  }
}

const SMALLEST = 4096;

/** The next of 4, 5, 6, 7, 8, 10, 12, 14, 16, 20 … KiB: four steps to each doubling. */
function sizeClass(bytes: number): number {
  if (bytes <= SMALLEST) return SMALLEST;
  const step = 2 ** (Math.floor(Math.log2(bytes - 1)) - 2);
  return Math.ceil(bytes / step) * step;
}

/**
 * Large buffers that are used again. A new one costs a page fault for each of its pages and makes the garbage collector run sooner,
 * which is a quarter of the time of a receiver of batches of a megabyte.
 */

/** Smaller buffers are not worth keeping. */
const MIN_POOLED_BYTES = 64 * 1024;

export class BufferPool {
  readonly #maxBytes: number;
  /** The one that was given last is at the end. */
  readonly #buffers: ArrayBufferLike[] = [];
  readonly #own = new WeakSet<ArrayBufferLike>();
  #bytes = 0;

  /** Keeps buffers of `maxBytes` in all at most; more are left to the garbage collector. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Memory of the buffers that wait to be used again. */
  get pooledBytes(): number {
    return this.#bytes;
  }

  /** A buffer of this length, whatever is in it; the memory behind it may be larger by a fifth. */
  take(bytes: number): Buffer {
    if (bytes < MIN_POOLED_BYTES) return Buffer.allocUnsafeSlow(bytes);
    const size = sizeFor(bytes);
    const at = this.#buffers.findLastIndex(({ byteLength }) => byteLength === size);
    const [pooled] = at < 0 ? [] : this.#buffers.splice(at, 1);
    if (pooled === undefined) return this.#make(size).subarray(0, bytes);
    this.#bytes -= size;
    return Buffer.from(pooled, 0, bytes);
  }

  /** Takes a buffer back that nobody looks at any more; small ones, and such as `take` has not made, are let go. */
  give({ buffer }: Buffer): void {
    if (!this.#own.has(buffer)) return;
    this.#buffers.push(buffer);
    this.#bytes += buffer.byteLength;
    while (this.#bytes > this.#maxBytes) this.#bytes -= this.#buffers.shift()?.byteLength ?? 0;
  }

  #make(size: number): Buffer {
    const made = Buffer.allocUnsafeSlow(size);
    this.#own.add(made.buffer);
    return made;
  }
}

/** The smallest size of the form 4, 5, 6 or 7 times a power of two that holds `bytes`, so that few sizes serve all. */
function sizeFor(bytes: number): number {
  const step = 2 ** (Math.floor(Math.log2(bytes)) - 2);
  return Math.ceil(bytes / step) * step;
}

/**
 * Decompresses zstd frames (RFC 8878) with the system's libzstd, where there is one: whoever has a journal has it, since journald
 * compresses with it. Node's own function makes a stream for each frame, which costs more than decompressing a message: 15 us of
 * CPU instead of 2.4 for a value of 700 bytes, 34 instead of 24 for one of 16,000.
 */
import koffi from 'koffi';

interface Library {
  readonly context: unknown;
  readonly contentSize: (source: Buffer, bytes: number) => number | bigint;
  readonly decompress: (context: unknown, target: Buffer, room: number, source: Buffer, bytes: number) => number | bigint;
}

let library: Library | undefined;
let isLoaded = false;

/** Whether the system has the library. */
export function hasLibrary(): boolean {
  return load() !== undefined;
}

/**
 * The content of a frame that says how much that is, if it is at most `maxBytes`. Undefined where this is not the way: there is no
 * library, the frame does not say, or is damaged.
 */
export function decompressSized(frame: Buffer, maxBytes: number): Buffer | undefined {
  const zstd = load();
  if (zstd === undefined) return undefined;
  const size = zstd.contentSize(frame, frame.length);
  // Sizes that say "unknown" and "damaged" are above all others, and come as bigints.
  if (typeof size === 'bigint' || size > maxBytes) return undefined;
  const target = Buffer.allocUnsafe(size);
  const written = zstd.decompress(zstd.context, target, size, frame, frame.length);
  return written === size ? target : undefined;
}

function load(): Library | undefined {
  if (isLoaded) return library;
  isLoaded = true;
  try {
    const libzstd = koffi.load('libzstd.so.1');
    library = {
      context: libzstd.func('void *ZSTD_createDCtx()')(),
      contentSize: libzstd.func('uint64_t ZSTD_getFrameContentSize(const void *source, size_t bytes)'),
      decompress: libzstd.func(
        'size_t ZSTD_decompressDCtx(void *context, void *target, size_t room, const void *source, size_t bytes)',
      ),
    };
  } catch {
    // A system without it, or one where libraries may not be loaded: Node's own does the same.
  }
  return library;
}

/**
 * How large a .xz stream becomes, without decompressing it ("The .xz File Format", version 1.2). Nothing in front of a stream says so,
 * and its index behind it need not be true, but every LZMA2 chunk begins with the sizes that a decoder goes by:
 *
 *   stream = header, block..., 0x00 (where the index begins)
 *   block  = header, chunk..., 0x00, padding to a multiple of 4, check
 *   chunk  = 0x01 or 0x02 (stored), size - 1 in 2 bytes, bytes
 *          | 0x80 and above (LZMA), low 16 bits of size - 1 in 2 bytes (the 5 above them are in the first byte),
 *            compressed size - 1 in 2 bytes, properties in 1 byte where 0xc0 or above, bytes
 */

/** Section 2.1.1: magic bytes, two bytes of flags, CRC32 of the flags. */
const STREAM_HEADER_BYTES = 12;
const MAGIC = Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]);

/** Section 2.1.1.2: bytes of a block's check, by the lower half of the second byte of flags. */
const CHECK_BYTES: readonly number[] = [0, 4, 4, 4, 8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64];

/** Section 5.3.1: the filter, with one byte of properties. Dictionaries above 16 MiB, 24 there, are for no object of a journal. */
const LZMA2 = 0x21;
const MAX_DICTIONARY = 24;

/** Section 3.1.2: bits of a block's flags that say how many filters there are beyond the first, that are reserved, and that sizes follow. */
const OTHER_FILTERS = 0b11;
const RESERVED = 0b111100;
const HAS_COMPRESSED_SIZE = 0x40;
const HAS_UNCOMPRESSED_SIZE = 0x80;

const CHUNK_END = 0x00;
const CHUNK_STORED = [0x01, 0x02];
const CHUNK_LZMA = 0x80;
const CHUNK_WITH_PROPERTIES = 0xc0;
const INDEX_INDICATOR = 0x00;

/**
 * The bytes that the first stream in `stream` becomes, or undefined where it is not one that a journal may have: damaged, cut short, or
 * with another filter than LZMA2 alone.
 */
export function xzSize(stream: Buffer): number | undefined {
  if (!stream.subarray(0, MAGIC.length).equals(MAGIC) || stream.length < STREAM_HEADER_BYTES) return undefined;
  const check = CHECK_BYTES[stream[7]! & 0x0f]!; // the header is there, and the table has 16 rows
  let at = STREAM_HEADER_BYTES;
  let size = 0;
  while (stream[at] !== INDEX_INDICATOR) {
    const chunks = passBlockHeader(stream, at);
    if (chunks === undefined) return undefined;
    const block = passChunks(stream, chunks);
    if (block === undefined) return undefined;
    size += block.size;
    at = block.end + padding(block.end - at) + check;
  }
  return size;
}

/** Section 3.1. The offset behind the header of the block at `at`. */
function passBlockHeader(stream: Buffer, at: number): number | undefined {
  const end = at + ((stream[at] ?? 0) + 1) * 4;
  const flags = stream[at + 1];
  if (flags === undefined || end > stream.length || (flags & (OTHER_FILTERS | RESERVED)) !== 0) return undefined;
  let filter = at + 2;
  if ((flags & HAS_COMPRESSED_SIZE) !== 0) filter = passNumber(stream, filter);
  if ((flags & HAS_UNCOMPRESSED_SIZE) !== 0) filter = passNumber(stream, filter);
  const isLzma2 = stream[filter] === LZMA2 && stream[filter + 1] === 1;
  const dictionary = stream[filter + 2];
  return isLzma2 && dictionary !== undefined && dictionary <= MAX_DICTIONARY ? end : undefined;
}

/** Section 1.2: a number is of bytes with the highest bit set, and one without. */
function passNumber(stream: Buffer, at: number): number {
  let end = at;
  while ((stream[end] ?? 0) >= 0x80) end += 1;
  return end + 1;
}

/** Sums the sizes of the chunks that begin at `at`, up to the one that ends them. */
function passChunks(stream: Buffer, at: number): { readonly size: number; readonly end: number } | undefined {
  let size = 0;
  for (;;) {
    const control = stream[at];
    if (control === CHUNK_END) return { size, end: at + 1 };
    // An index and a footer follow, so that six bytes, the longest header of a chunk, are always there.
    if (control === undefined || at + 6 > stream.length) return undefined;
    const low = stream.readUInt16BE(at + 1) + 1;
    if (control >= CHUNK_LZMA) {
      size += ((control & 0x1f) << 16) + low;
      at += (control >= CHUNK_WITH_PROPERTIES ? 6 : 5) + stream.readUInt16BE(at + 3) + 1;
    } else if (CHUNK_STORED.includes(control)) {
      size += low;
      at += 3 + low;
    } else return undefined;
  }
}

/** Section 3.3: a block is padded so that all begin at multiples of 4. */
function padding(bytes: number): number {
  return (4 - (bytes % 4)) % 4;
}

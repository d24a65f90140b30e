/**
 * Decompresses the payloads of DATA objects ("Journal File Format", section "Data Objects"). A journal may come from anywhere, so no
 * compressed payload is believed: what it would become is known, and refused where it is too much, before memory is taken for it.
 *
 * systemd has written nothing but zstd since version 246, so the libraries for the other two are loaded when the first such object is
 * met, and most agents never do.
 */
import { createRequire } from 'node:module';
import { constants, zstdDecompressSync } from 'node:zlib';
import { Compression } from './format.ts';
import { xzSize } from './xz_size.ts';
import { decompressSized } from './zstd.ts';

/** The most that a payload may have compressed, and what it may become. */
export const MAX_DECOMPRESSED_BYTES = 16 * 1024 * 1024;

/** Why a payload became nothing: it is damaged, larger than `MAX_DECOMPRESSED_BYTES`, or (`data`) said to be compressed in two ways. */
export type DecompressionProblem = 'xz' | 'lz4' | 'zstd' | 'too_large' | 'data';

/** A frame that is decoded piecemeal needs a window of at most 2^24 bytes, the bound; others need no more than they become. */
const ZSTD_OPTIONS = {
  maxOutputLength: MAX_DECOMPRESSED_BYTES,
  params: { [constants.ZSTD_d_windowLogMax]: Math.log2(MAX_DECOMPRESSED_BYTES) },
};

/** Bytes of the size in front of a journal's LZ4 block, and in front of the library's. */
const LZ4_SIZE_BYTES = 8;
const LIBRARY_SIZE_BYTES = 4;

/** No byte of an LZ4 block stands for more than so many ("LZ4 Block Format", lengths are given in bytes of up to 255). */
const LZ4_MAX_RATIO = 255;

const require = createRequire(import.meta.url);
type Decompress = (payload: Buffer) => Buffer;

const decompressLz4 = lazily(() => {
  const library: typeof import('lz4-napi') = require('lz4-napi');
  return (payload) => library.uncompressSync(payload);
});

const decompressXz = lazily(() => {
  const library: typeof import('@napi-rs/lzma/xz') = require('@napi-rs/lzma/xz');
  return (payload) => library.decompressSync(payload);
});

/** What `payload` holds, where the compressed bits of an object's flags are `compression`; or why that is nothing. */
export function decompress(payload: Buffer, compression: number): Buffer | DecompressionProblem {
  if (payload.length > MAX_DECOMPRESSED_BYTES) return 'too_large';
  switch (compression) {
    case Compression.zstd:
      return fromZstd(payload);
    case Compression.lz4:
      return fromLz4(payload);
    case Compression.xz:
      return fromXz(payload);
    default:
      return 'data';
  }
}

function fromZstd(payload: Buffer): Buffer | DecompressionProblem {
  const value = decompressSized(payload, MAX_DECOMPRESSED_BYTES);
  if (value !== undefined) return value;
  try {
    return zstdDecompressSync(payload, ZSTD_OPTIONS);
  } catch (error) {
    return error instanceof RangeError || isWindowTooLarge(error) ? 'too_large' : 'zstd';
  }
}

function isWindowTooLarge(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ZSTD_error_frameParameter_windowTooLarge';
}

/** A size of eight bytes, and one block without a frame. */
function fromLz4(payload: Buffer): Buffer | DecompressionProblem {
  if (payload.length <= LZ4_SIZE_BYTES) return 'lz4';
  const size = payload.readBigUInt64LE();
  if (size > MAX_DECOMPRESSED_BYTES) return 'too_large';
  if (size > (payload.length - LZ4_SIZE_BYTES) * LZ4_MAX_RATIO) return 'lz4';
  const framed = Buffer.allocUnsafe(payload.length - LZ4_SIZE_BYTES + LIBRARY_SIZE_BYTES);
  framed.writeUInt32LE(Number(size));
  payload.copy(framed, LIBRARY_SIZE_BYTES, LZ4_SIZE_BYTES);
  try {
    const value = decompressLz4(framed);
    return value.length === Number(size) ? value : 'lz4';
  } catch {
    return 'lz4';
  }
}

/** A .xz stream, whose size only a look at all of its chunks tells. */
function fromXz(payload: Buffer): Buffer | DecompressionProblem {
  const size = xzSize(payload);
  if (size === undefined) return 'xz';
  if (size > MAX_DECOMPRESSED_BYTES) return 'too_large';
  try {
    const value = decompressXz(payload);
    return value.length === size ? value : 'xz';
  } catch {
    return 'xz';
  }
}

/** A function of a library that is loaded when it is first called. */
function lazily(load: () => Decompress): Decompress {
  let loaded: Decompress | undefined;
  return (payload) => (loaded ??= load())(payload);
}

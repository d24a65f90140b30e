/** Compressed payloads of batches (docs/CFJS1.md, "Compression"): one Zstandard frame (RFC 8878) without a dictionary. */
import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { SluiceError } from '../core/errors.ts';

/** Names of the compressions that a receiver may offer in its hello. */
export const COMPRESSIONS = ['zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** A payload must not become larger by more than this, so that few bytes cannot keep a receiver busy for long. */
export const MAX_COMPRESSION_RATIO = 256;

/** A frame refers back by 8 MiB at most, as RFC 8878 (3.1.1.1.2) recommends: memory that a decoder needs. */
const DECODER_PARAMETERS = { [constants.ZSTD_d_windowLogMax]: 23 };

/**
 * The payload, compressed at a level from 1, which is fast, to 19; undefined where it is to be sent as it is: compressed it would be no
 * smaller, or so much smaller that it would be refused.
 */
export function compressPayload(payload: Buffer, level = 1): Buffer | undefined {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  const compressed = zstdCompressSync(payload, { params, pledgedSrcSize: payload.length });
  const isSmaller = compressed.length < payload.length;
  return isSmaller && payload.length <= compressed.length * MAX_COMPRESSION_RATIO ? compressed : undefined;
}

/**
 * The payload of `size` bytes that was compressed.
 *
 * @throws SluiceError `protocol_violation` where there is none, or where it has another size; no more memory than that is taken.
 */
export function decompressPayload(compressed: Buffer, size: number): Buffer {
  if (size > compressed.length * MAX_COMPRESSION_RATIO) {
    throw violation(`a compressed payload of ${compressed.length} bytes that claims to hold ${size}`);
  }
  let payload: Buffer;
  try {
    // A little more than is needed makes it one piece, which is complete when it is not full.
    payload = zstdDecompressSync(compressed, { maxOutputLength: size, chunkSize: size + 64, params: DECODER_PARAMETERS });
  } catch {
    throw violation(`a compressed payload that is not Zstandard, or holds more than ${size} bytes`);
  }
  if (payload.length !== size) throw violation(`a compressed payload of ${payload.length} bytes instead of ${size}`);
  return payload;
}

function violation(what: string): SluiceError {
  return new SluiceError('protocol_violation', `the peer sent ${what}`);
}

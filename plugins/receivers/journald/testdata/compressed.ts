/** Compresses as journald does, in all formats that it ever has. */
import { spawnSync } from 'node:child_process';
import { zstdCompressSync } from 'node:zlib';
import { compressSync as compressXz } from '@napi-rs/lzma/xz';
import { compressSync as compressLz4 } from 'lz4-napi';

export type WritableCompression = 'xz' | 'lz4' | 'zstd';

/** The payload of a DATA object that holds `payload`. */
export function compressed(payload: Buffer, compression: WritableCompression): Buffer {
  switch (compression) {
    case 'zstd':
      return zstdCompressSync(payload);
    case 'xz':
      // The library only wraps what it is given; `xz` below really compresses.
      return compressXz(payload);
    case 'lz4':
      return lz4(payload);
  }
}

/** A size of eight bytes and one block; the library puts four of its own in front. */
export function lz4(payload: Buffer): Buffer {
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(payload.length));
  return Buffer.concat([size, compressLz4(payload).subarray(4)]);
}

/** Why there is no `xz` here; false where there is. */
export const withoutXz = spawnSync('xz', ['--version']).status === 0 ? false : 'xz is not installed';

/** What the program `xz` makes of it with these options. */
export function xz(payload: Uint8Array, ...options: string[]): Buffer {
  const { status, stdout, stderr } = spawnSync('xz', ['--stdout', ...options], { input: payload, maxBuffer: 2 ** 26 });
  if (status !== 0) throw new Error(String(stderr));
  return stdout;
}

/** A .xz stream of `chunks` LZMA chunks that each say that they become 2 MiB, and have a few bytes for it. */
export function xzBomb(chunks: number): Buffer {
  const stream = compressXz(Buffer.from('a'));
  const chunk = Buffer.from([0xff, 0xff, 0xff, 0, 4, 0x5d, 0, 0, 0, 0, 0]);
  return Buffer.concat([stream.subarray(0, 24), ...Array.from({ length: chunks }, () => chunk), stream.subarray(24)]);
}

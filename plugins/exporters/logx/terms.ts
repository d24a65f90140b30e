import type { Compression } from '../../../src/kit/compression.ts';
import type { ReceiverHello } from '../../../src/kit/hello.ts';

/** How batches may be sent over a session, as far as that is up to the receiver. */
export interface Terms {
  /** Its name, as it says. */
  readonly receiver: string;
  /** The most that a batch may have, in bytes of its lines. Compressed it has less. */
  readonly maxFrameBytes: number;
  /** How batches are compressed; undefined for not at all. */
  readonly compression: Compression | undefined;
}

/** Plain mode. */
export const NO_TERMS: Terms = { receiver: '', maxFrameBytes: Infinity, compression: undefined };

/** What the receiver offers, where `wanted` is the compression that the configuration asks for. */
export function agree({ name, max_frame_bytes, compression = [] }: ReceiverHello, wanted: Compression | undefined): Terms {
  const isOffered = wanted !== undefined && compression.includes(wanted);
  return { receiver: name, maxFrameBytes: max_frame_bytes, compression: isOffered ? wanted : undefined };
}

import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Compression } from '../../../src/kit/compression.ts';
import { type Address, formatAddress } from '../../../src/kit/options.ts';
import type { TlsClient } from '../../../src/kit/tls.ts';

export interface Endpoint {
  /** Name of the destination that it belongs to. */
  readonly name: string;
  readonly address: Address;
  /** False for plain mode: lines and nothing else, delivered as surely as TCP does. */
  readonly acknowledged: boolean;
  /** How batches are compressed where the receiver offers it; undefined for not at all. */
  readonly compression: Compression | undefined;
  /** What connections to it are encrypted with; undefined where they are not. */
  readonly tls: TlsClient | undefined;
}

export function describeEndpoint({ name, address }: Endpoint): string {
  return `${name} at ${formatAddress(address)}`;
}

/**
 * Begins to connect. The stream emits `connect` once the peer is there, with TLS `secureConnect` once it is known to be who it should be,
 * and `close` however it ends.
 */
export type Dial = (address: Address, tls: TlsClient | undefined) => Duplex;

/** Without a word from either side for so long, the kernel asks whether the peer is still there. */
const KEEP_ALIVE = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 30_000 };

export const dialEndpoint: Dial = ({ host, port }, tls) =>
  tls === undefined ? connect({ host, port, ...KEEP_ALIVE }) : tls.connect({ host, port }, KEEP_ALIVE);

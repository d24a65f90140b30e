import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Address } from '../../../src/kit/options.ts';

export interface Endpoint {
  /** Name of the destination that it belongs to. */
  readonly name: string;
  readonly address: Address;
  /** False for plain mode: lines and nothing else, delivered as surely as TCP does. */
  readonly acknowledged: boolean;
}

/** Begins to connect. The stream emits `connect` once the peer is there, and `close` however it ends. */
export type Dial = (address: Address) => Duplex;

/** Without a word from either side for so long, the kernel asks whether the peer is still there. */
const KEEP_ALIVE_MS = 30_000;

export const dialTcp: Dial = ({ host, port }) =>
  connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS });

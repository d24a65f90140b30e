/** A listener to which a test connects in memory. */
import { type Duplex, duplexPair } from 'node:stream';
import type { Listener, OnConnection } from '../listener.ts';

export class DuplexListener implements Listener {
  #onConnection: OnConnection | undefined;

  get isListening(): boolean {
    return this.#onConnection !== undefined;
  }

  start(onConnection: OnConnection): Promise<void> {
    this.#onConnection = onConnection;
    return Promise.resolve();
  }

  stop(): void {
    this.#onConnection = undefined;
  }

  /** Connects, as `peer`, and returns the agent's side. */
  connect(peer: string): Duplex {
    if (this.#onConnection === undefined) throw new Error('nobody listens');
    const [near, far] = connectedPair();
    this.#onConnection(near, peer);
    return far;
  }
}

/** Two ends of a connection: when one is closed, so is the other. */
export function connectedPair(): [near: Duplex, far: Duplex] {
  const [near, far] = duplexPair();
  far.on('close', () => near.destroy());
  near.on('close', () => far.destroy());
  return [near, far];
}

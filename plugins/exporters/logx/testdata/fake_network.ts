/** A network in one process, for tests in virtual time: connections are pairs of streams. */
import { type Duplex, duplexPair } from 'node:stream';
import { formatAddress } from '../../../../src/kit/options.ts';
import type { Dial } from '../endpoint.ts';
import type { FakeReceiver } from './fake_receiver.ts';

/**
 * `up`: connections are taken and bytes move. `refusing`: connections are refused, and those that were open are gone. `frozen`:
 * connections are taken, as the kernel does for a stopped process, and nothing is read. `unreachable`: no packet is answered.
 */
export type HostState = 'up' | 'refusing' | 'frozen' | 'unreachable';

interface Host {
  readonly receiver: FakeReceiver;
  state: HostState;
  /** The hosts' ends of connections that it has not looked at yet. */
  waiting: Duplex[];
}

export class FakeNetwork {
  readonly #hosts = new Map<string, Host>();

  /** Puts a receiver at an address (`host:port`). */
  add(address: string, receiver: FakeReceiver): void {
    this.#hosts.set(address, { receiver, state: 'up', waiting: [] });
  }

  set(address: string, state: HostState): void {
    const host = this.#hostAt(address);
    host.state = state;
    if (state === 'refusing') {
      host.receiver.dropAll();
      for (const stream of host.waiting.splice(0)) stream.destroy();
      return;
    }
    if (state === 'up') for (const stream of host.waiting.splice(0)) host.receiver.accept(stream);
    for (const { stream } of host.receiver.open) {
      if (state === 'up') stream.resume();
      else stream.pause();
    }
  }

  readonly dial: Dial = (address) => {
    const host = this.#hostAt(formatAddress(address));
    const [near, far] = duplexPair();
    far.on('error', () => far.destroy());
    near.on('close', () => setImmediate(() => far.destroy()));
    far.on('close', () => {
      host.waiting = host.waiting.filter((stream) => stream !== far);
      setImmediate(() => near.destroy());
    });
    setImmediate(() => {
      if (near.destroyed || host.state === 'unreachable') return;
      if (host.state === 'refusing') {
        near.destroy(new Error('connect ECONNREFUSED'));
        return;
      }
      if (host.state === 'frozen') host.waiting.push(far);
      else host.receiver.accept(far);
      near.emit('connect');
    });
    return near;
  };

  #hostAt(address: string): Host {
    const host = this.#hosts.get(address);
    if (host === undefined) throw new Error(`there is no host at ${address}`);
    return host;
  }
}

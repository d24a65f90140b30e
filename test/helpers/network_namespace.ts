/**
 * A network of its own for one process (network_namespaces(7)), joined to this machine by a pair of virtual Ethernet devices, so that it can
 * be cut off as by a firewall that drops packets: connections stay as they are, nothing arrives, and nobody is told.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import type { Test } from 'tap';
import { waitFor } from './wait_for.ts';

/** A hardware address that nobody has: what is sent to it is dropped by the device that it comes to. */
const NOBODY = '02:00:00:00:00:01';

/** How many this process has made. */
let made = 0;

export class NetworkNamespace {
  /** The address inside, and that of this machine as seen from there. */
  readonly host: string;
  readonly #outside: string;
  /** What keeps the namespace there. */
  readonly #keeper: ChildProcess;
  readonly #device: string;

  /** Throws where this machine or this user cannot make one; `whyNoNetworkNamespace` says so before. */
  static async make(t: Test): Promise<NetworkNamespace> {
    const namespace = new NetworkNamespace(t);
    await waitFor(() => namespace.#isApart(), { what: 'a network namespace' });
    namespace.#join();
    return namespace;
  }

  private constructor(t: Test) {
    const number = made++;
    [this.#outside, this.host] = addressPair(process.pid * 4 + number);
    this.#device = `sl${process.pid}n${number}`;
    this.#keeper = spawn('unshare', ['--net', 'sleep', 'infinity'], { stdio: 'ignore' });
    t.teardown(() => void this.#keeper.kill('SIGKILL')); // with the namespace go its device and the one joined to it
  }

  /** For a receiver that is to run in it. */
  get place(): { readonly host: string; readonly within: readonly string[] } {
    return { host: this.host, within: this.within };
  }

  /** What starts a program in it. */
  get within(): readonly string[] {
    return ['nsenter', `--net=${this.#path}`];
  }

  /** From now on nothing that is sent arrives, either way. */
  cutOff(): void {
    run(['ip', 'neigh', 'replace', this.host, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', this.#device]);
    run([...this.within, 'ip', 'neigh', 'replace', this.#outside, 'lladdr', NOBODY, 'nud', 'permanent', 'dev', this.#device]);
  }

  heal(): void {
    run(['ip', 'neigh', 'del', this.host, 'dev', this.#device]);
    run([...this.within, 'ip', 'neigh', 'del', this.#outside, 'dev', this.#device]);
  }

  get #path(): string {
    return `/proc/${this.#keeper.pid}/ns/net`;
  }

  #isApart(): boolean {
    if (this.#keeper.exitCode !== null) throw new Error('the network namespace is gone');
    return readlinkSync(this.#path) !== readlinkSync('/proc/self/ns/net');
  }

  /** Both ends of the pair have one name, each in its own namespace. */
  #join(): void {
    const [device, { pid }] = [this.#device, this.#keeper];
    run(['ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', device, 'netns', String(pid)]);
    for (const [prefix, address] of [
      [[], this.#outside],
      [this.within, this.host],
    ] as const) {
      run([...prefix, 'ip', 'addr', 'add', `${address}/30`, 'dev', device]);
      run([...prefix, 'ip', 'link', 'set', device, 'up']);
    }
  }
}

/** Why there can be no network namespace here; undefined where there can be. */
export function whyNoNetworkNamespace(): string | undefined {
  if (process.geteuid?.() !== 0) return 'only root makes network namespaces';
  const args = ['--net', 'ip', 'link', 'add', 'sl0', 'type', 'veth', 'peer', 'name', 'sl1'];
  const { error, status, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
  if (error !== undefined) return `there is no unshare: ${error.message}`;
  return status === 0 ? undefined : `network namespaces cannot be made or joined: ${stderr.trim()}`;
}

/** The two addresses of one of the 32768 smallest networks in 198.18.0.0/15, which is kept for tests (RFC 2544). */
function addressPair(number: number): [string, string] {
  const at = (number % 32_768) * 4;
  const address = (last: number): string => `198.${18 + (at >> 16)}.${(at >> 8) & 255}.${(at & 255) + last}`;
  return [address(1), address(2)];
}

function run([command = '', ...args]: readonly string[]): void {
  const { error, status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr.trim()}`);
}

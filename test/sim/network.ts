/** The network between the machines of a simulation: who listens, what is connected, and what the weather does to it. */
import type { Incarnation, Machine } from './incarnation.ts';
import { Link, type Weather } from './link.ts';
import type { Random } from './random.ts';
import { SimulatedSocket } from './socket.ts';
import { Connection, type End } from './tcp.ts';
import type { Timeline } from './timeline.ts';

export type Accept = (socket: SimulatedSocket, peer: string) => void;

export interface NetworkOptions {
  readonly timeline: Timeline;
  readonly random: Random;
  readonly weather: Weather;
  readonly windowBytes: number;
  readonly chopProbability: number;
}

/** A kernel finds out that its peer is gone within so long; far sooner than real ones do. */
const KEEP_ALIVE_MS = 1000;

export class Network {
  readonly #options: NetworkOptions;
  readonly #listening = new Map<Machine, { readonly incarnation: Incarnation; readonly accept: Accept }>();
  readonly #links = new Map<string, Link>();
  readonly #connections = new Set<Connection>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** As it is where nothing is wrong. */
  get weather(): Weather {
    return this.#options.weather;
  }

  /** Connections that at least one side knows of. */
  get connections(): number {
    return this.#connections.size;
  }

  /** Takes connections to the machine of the process until the function returned is called, or the process has ended. */
  listen(incarnation: Incarnation, accept: Accept): () => void {
    const listening = { incarnation, accept };
    this.#listening.set(incarnation.machine, listening);
    return () => {
      if (this.#listening.get(incarnation.machine) === listening) this.#listening.delete(incarnation.machine);
    };
  }

  /** Begins to connect to the machine `to`. */
  dial(incarnation: Incarnation, to: Machine): SimulatedSocket {
    const { random, windowBytes, chopProbability } = this.#options;
    const connection: Connection = new Connection({
      there: this.link(incarnation.machine, to),
      back: this.link(to, incarnation.machine),
      random,
      windowBytes,
      chopProbability,
      arrived: (far) => this.#arrived(far),
      closed: () => this.#connections.delete(connection),
    });
    const socket = new SimulatedSocket(connection.near, incarnation, false);
    if (!incarnation.operate()) return socket;
    this.#connections.add(connection);
    connection.open(incarnation, socket);
    return socket;
  }

  /** The direction from one machine to another. */
  link(from: Machine, to: Machine): Link {
    const key = `${from.name}>${to.name}`;
    let link = this.#links.get(key);
    if (link === undefined) {
      const { weather, timeline, random } = this.#options;
      this.#links.set(key, (link = new Link(from, to, weather, timeline, random)));
    }
    return link;
  }

  /** Both sides of a machine's connections are told that they are no more. */
  reset(machine: Machine): void {
    for (const connection of this.#of(machine)) connection.reset();
  }

  /** A machine's connections carry nothing any more, and nobody is told until `remember`. */
  forget(machine: Machine): void {
    for (const connection of this.#of(machine)) connection.isForgotten = true;
  }

  /** Whoever has a connection that leads nowhere finds out. */
  remember(): void {
    const { timeline, random } = this.#options;
    for (const connection of this.#connections) {
      const { near, far, isForgotten } = connection;
      if (isForgotten || near.isClosed || far.isClosed)
        timeline.after(random.between(0, KEEP_ALIVE_MS), () => connection.reset());
    }
  }

  /** A process has ended: its kernel closes what it had open. Where its machine has lost power, the other sides are not told. */
  ended(incarnation: Incarnation): void {
    if (this.#listening.get(incarnation.machine)?.incarnation === incarnation) this.#listening.delete(incarnation.machine);
    for (const { near, far } of this.#connections) {
      for (const end of [near, far]) {
        if (end.incarnation !== incarnation) continue;
        if (incarnation.machine.isUp) end.close();
        else end.vanish();
      }
    }
  }

  /** A machine has power again. */
  powered(machine: Machine): void {
    for (const link of this.#links.values()) if (link.to === machine || link.from === machine) link.retry();
  }

  #arrived(far: End): boolean {
    const listening = this.#listening.get(far.machine);
    if (listening === undefined) return false;
    const { incarnation, accept } = listening;
    far.incarnation = incarnation;
    incarnation.schedule(0, () => {
      if (far.isClosed) return;
      if (this.#listening.get(far.machine) !== listening) return far.reject(); // it has stopped to listen meanwhile
      far.socket = new SimulatedSocket(far, incarnation, true);
      accept(far.socket, far.peer.machine.name);
      far.notify();
    });
    return true;
  }

  *#of(machine: Machine): Iterable<Connection> {
    for (const connection of this.#connections) {
      if (connection.near.machine === machine || connection.far.machine === machine) yield connection;
    }
  }
}

/** Which of a destination's endpoints is used next: its own, or those of other destinations, in the order of the configuration. */
import type { Endpoint } from './endpoint.ts';

/** Endpoints that take turns: one is used for as long as it takes records, then the next one. */
export class Turns {
  readonly #endpoints: readonly Endpoint[];
  #at = 0;
  /** Endpoints that have failed since one took records. */
  #failed = 0;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
  }

  get count(): number {
    return this.#endpoints.length;
  }

  /** The one whose turn it is; there must be one. */
  get current(): Endpoint {
    const current = this.#endpoints[this.#at];
    if (current === undefined) throw new Error('there is no endpoint');
    return current;
  }

  /** The current one does not take records: it is the next one's turn. False where all have failed in turn, so that it is time to wait. */
  fail(): boolean {
    this.#at = (this.#at + 1) % this.#endpoints.length;
    this.#failed = (this.#failed + 1) % this.#endpoints.length;
    return this.#failed !== 0;
  }

  succeed(): void {
    this.#failed = 0;
  }

  /** Begins anew, with the first one of which `isPreferred` is true; where there is none, with the first of all. */
  restart(isPreferred: (endpoint: Endpoint) => boolean): void {
    this.#at = Math.max(0, this.#endpoints.findIndex(isPreferred));
    this.#failed = 0;
  }
}

export class Endpoints {
  readonly own: Turns;
  /** Those of the other destinations, which its records may go to with a mark. */
  readonly others: Turns;
  readonly #name: string;

  constructor(name: string, all: readonly Endpoint[]) {
    this.#name = name;
    this.own = new Turns(all.filter((endpoint) => endpoint.name === name));
    this.others = new Turns(all.filter((endpoint) => endpoint.name !== name));
  }

  isOwn(endpoint: Endpoint): boolean {
    return endpoint.name === this.#name;
  }

  /** The mark of records that go there; undefined for an own endpoint. */
  markFor(endpoint: Endpoint): string | undefined {
    return this.isOwn(endpoint) ? undefined : this.#name;
  }

  /** The turns that an endpoint belongs to. */
  turnsOf(endpoint: Endpoint): Turns {
    return this.isOwn(endpoint) ? this.own : this.others;
  }
}

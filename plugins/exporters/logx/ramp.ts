/**
 * How much may wait for its ack on one connection. It begins small and grows by what is acked, so that it doubles with every round trip (as
 * TCP's slow start does, RFC 5681, section 3.1): a receiver that has just come back is asked by each agent of a fleet for little more
 * than it has shown that it can store.
 */
const FIRST_BYTES = 64 * 1024;

export class Ramp {
  readonly #maxBytes: number;
  #limitBytes: number;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#limitBytes = Math.min(FIRST_BYTES, maxBytes);
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  acked(bytes: number): void {
    this.#limitBytes = Math.min(this.#maxBytes, this.#limitBytes + bytes);
  }
}

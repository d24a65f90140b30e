/**
 * What became of a batch, told once, by whoever held it last:
 *
 * - `delivered`: every destination has it in its own store.
 * - `dropped`: left out on purpose, for a named reason that is counted (a limit, a filter, a full buffer).
 * - `rejected`: refused for good by a destination; trying again cannot help.
 * - `failed`: not delivered and not given up either; the source may offer it again (shutdown, lost connection).
 */
export type Outcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'dropped'; readonly reason: string }
  | { readonly kind: 'rejected'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export const DELIVERED: Outcome = { kind: 'delivered' };

/** From best to worst for the source: the outcome of a split batch is the worst of its parts. */
const SEVERITY: Record<Outcome['kind'], number> = { delivered: 0, dropped: 1, rejected: 2, failed: 3 };

/** The promise that a source will be told, exactly once, what became of a batch. Settling twice throws. */
export class Ack {
  #listener: ((outcome: Outcome) => void) | undefined;
  #settled = false;

  constructor(listener?: (outcome: Outcome) => void) {
    this.#listener = listener;
  }

  get settled(): boolean {
    return this.#settled;
  }

  settle(outcome: Outcome): void {
    if (this.#settled) throw new Error(`an ack was settled twice, the second time as ${outcome.kind}`);
    this.#settled = true;
    const listener = this.#listener;
    this.#listener = undefined;
    listener?.(outcome);
  }

  /**
   * Hands this ack's promise over to `parts` new acks (at least one). This ack settles, with the worst of their outcomes, when
   * the last of them does; it must not be settled by its former holder any more.
   */
  split(parts: number): Ack[] {
    if (!Number.isInteger(parts) || parts < 1) throw new RangeError(`an ack splits into one part or more, not ${parts}`);
    let open = parts;
    let worst: Outcome = DELIVERED;
    const settlePart = (outcome: Outcome): void => {
      if (SEVERITY[outcome.kind] > SEVERITY[worst.kind]) worst = outcome;
      open -= 1;
      if (open === 0) this.settle(worst);
    };
    return Array.from({ length: parts }, () => new Ack(settlePart));
  }
}

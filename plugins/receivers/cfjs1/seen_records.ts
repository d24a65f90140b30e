/**
 * Tells copies of records apart that have been stored, or are about to be. Ids are remembered for each agent, boot of its host, destination
 * mark and epoch. Two hosts that were made of one image may give out the same ids, and so may one host before and after it lost its power
 * and, with that, the end of its journal. None of them must make the other's records vanish.
 *
 * A number is in one of three states, and what is done with a record depends on it:
 *
 *     new      it is passed on, and claimed by the passage (the batch as it came) that carries it
 *     claimed  it is left out; whoever sent it is acked when the first copy is stored, and not if that fails
 *     stored   it is left out
 *
 * A claim whose passage fails is taken back: the number is new again. So nothing is ever acked that is not stored.
 */
import type { Outcome } from '../../../src/core/ack.ts';
import type { Cfjs1Options } from './index.ts';
import { type Opening, openingOf } from './record_ids.ts';
import { type HoleEvents, type SequenceBounds, SequenceSet } from './sequence_set.ts';

/** Runs that are remembered of one epoch. */
const MAX_RUNS = 64;

/** Claims that are open at once, of about 100 bytes each, in all and for one epoch; the numbers of further ones are not remembered. */
const MAX_CLAIMS = 256 * 1024;
const MAX_CLAIMS_OF_EPOCH = 16 * 1024;

export interface SeenOptions {
  /** Numbers of one epoch that are remembered, counted from the highest. */
  readonly maxRecords: number;
  readonly maxEpochs: number;
  readonly events: SeenEvents;
}

export interface SeenEvents extends HoleEvents {
  /** An epoch was forgotten to make room for another one. */
  epochForgotten(): void;
}

/** Undefined where the options say that copies are not to be told apart. */
export function createSeenRecords(options: Cfjs1Options, events: SeenEvents): SeenRecords | undefined {
  const { dedupe_window: maxRecords, dedupe_max_epochs: maxEpochs } = options;
  return maxRecords === 0 ? undefined : new SeenRecords({ maxRecords, maxEpochs, events });
}

/** The numbers `first` to `last`, on their way to the store. */
export interface Claim {
  readonly epoch: Epoch;
  readonly first: number;
  readonly last: number;
  readonly carrier: Carrier;
}

/** What carries records to the store. */
export interface Carrier {
  /** Calls `settled` once what it carries is stored or has failed. */
  follow(settled: (outcome: Outcome) => void): void;
}

export class Epoch {
  /** What its records begin with. */
  readonly opening: Opening;
  readonly numbers: SequenceSet;
  /** By number, ascending; they do not overlap. */
  readonly #claims: Claim[] = [];

  constructor(name: string, bounds: SequenceBounds, events: HoleEvents) {
    this.opening = openingOf(name);
    this.numbers = new SequenceSet(bounds, events);
  }

  get claims(): number {
    return this.#claims.length;
  }

  add(claim: Claim): void {
    this.#claims.splice(this.#find(claim.first), 0, claim);
  }

  delete(claim: Claim): void {
    this.#claims.splice(this.#find(claim.first), 1);
  }

  /** What carries this number; undefined where it is stored. */
  carrierOf(number: number): Carrier | undefined {
    const claim = this.#claims[this.#find(number)];
    return claim !== undefined && claim.first <= number ? claim.carrier : undefined;
  }

  /** Index of the first claim that ends at `number` or behind it. */
  #find(number: number): number {
    let low = 0;
    let high = this.#claims.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#claims[middle]!.last < number)
        low = middle + 1; // middle is below the length
      else high = middle;
    }
    return low;
  }
}

export class SeenRecords {
  readonly #options: SeenOptions;
  readonly #bounds: SequenceBounds;
  /** Least recently used first. */
  readonly #epochs = new Map<string, Epoch>();
  /** One iterator for good, since a new one would have to pass over all that was deleted before the oldest. */
  readonly #byAge = this.#epochs.keys();
  #claims = 0;

  constructor(options: SeenOptions) {
    this.#options = options;
    this.#bounds = { maxWidth: options.maxRecords, maxRuns: MAX_RUNS };
  }

  /** Epochs that are remembered. */
  get epochs(): number {
    return this.#epochs.size;
  }

  /** The epoch of this name, as this agent sends it for this destination. */
  epoch(name: string, agent: string, mark: string | undefined): Epoch {
    const key = `${mark ?? ''}\n${name}\n${agent}`; // neither a mark nor an epoch has a newline
    let epoch = this.#epochs.get(key);
    if (epoch !== undefined) this.#epochs.delete(key);
    else if (this.#epochs.size >= this.#options.maxEpochs) this.#forgetOldest();
    epoch ??= new Epoch(name, this.#bounds, this.#options.events);
    this.#epochs.set(key, epoch);
    return epoch;
  }

  /** Claims new numbers; undefined where they cannot be remembered. */
  claim(epoch: Epoch, first: number, last: number, carrier: Carrier): Claim | undefined {
    if (this.#claims >= MAX_CLAIMS || epoch.claims >= MAX_CLAIMS_OF_EPOCH) return undefined;
    if (!epoch.numbers.add(first, last)) return undefined;
    const claim = { epoch, first, last, carrier };
    epoch.add(claim);
    this.#claims += 1;
    return claim;
  }

  /** Ends a claim, once. */
  settle(claim: Claim, isStored: boolean): void {
    const { epoch, first, last } = claim;
    this.#claims -= 1;
    epoch.delete(claim);
    if (!isStored) epoch.numbers.remove(first, last);
  }

  #forgetOldest(): void {
    const oldest = this.#byAge.next();
    if (oldest.done === true) return; // never: there is one, and what comes later stands behind it
    this.#epochs.delete(oldest.value);
    this.#options.events.epochForgotten();
  }
}

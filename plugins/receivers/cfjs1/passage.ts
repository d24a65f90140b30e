/** A batch of lines on its way from the peer to the store: which of its records are copies, and what waits for its end. */
import type { Outcome } from '../../../src/core/ack.ts';
import { NO_SEQUENCE, RecordIds } from './record_ids.ts';
import type { Carrier, Claim, Epoch, SeenRecords } from './seen_records.ts';

export class Passage implements Carrier {
  /** Whose end decides, too, whether this batch may be acked: they carry the first copies of records that were left out here. */
  readonly awaited = new Set<Carrier>();
  /** Undefined where copies are not told apart. */
  readonly #seen: SeenRecords | undefined;
  readonly #agent: string;
  readonly #ids: RecordIds;
  readonly #claims: Claim[] = [];
  readonly #followers: ((outcome: Outcome) => void)[] = [];
  #outcome: Outcome | undefined;
  /** What the last record with an id belonged to. */
  #epoch: Epoch | undefined;
  #mark: string | undefined;
  /** New numbers that are not claimed yet, end exclusive, and where the next one is that is not new. */
  #first = 0;
  #end = 0;
  #nextKnown = 0;

  /** `lines` are what `agent` sent. */
  constructor(lines: Buffer, agent: string, seen: SeenRecords | undefined) {
    this.#ids = new RecordIds(lines);
    this.#agent = agent;
    this.#seen = seen;
  }

  /**
   * Whether the record that begins at offset `at` is a copy, to be left out. To be asked for each record in turn, and followed by `claim`.
   */
  isCopy(at: number, mark: string | undefined): boolean {
    const seen = this.#seen;
    if (seen === undefined) return false;
    const known = this.#epoch;
    const sequence = known === undefined || mark !== this.#mark ? NO_SEQUENCE : this.#ids.sequence(at, known.opening);
    if (sequence === this.#end && sequence < this.#nextKnown) {
      this.#end += 1;
      return false;
    }
    this.claim();
    if (known !== undefined && sequence !== NO_SEQUENCE) return this.#begin(known, sequence);
    const name = this.#ids.epoch(at);
    if (name === undefined) return false;
    const epoch = seen.epoch(name, this.#agent, mark);
    this.#epoch = epoch;
    this.#mark = mark;
    const first = this.#ids.sequence(at, epoch.opening);
    return first !== NO_SEQUENCE && this.#begin(epoch, first);
  }

  /** Claims what was found to be new. */
  claim(): void {
    if (this.#first === this.#end || this.#epoch === undefined) return;
    const claim = this.#seen?.claim(this.#epoch, this.#first, this.#end - 1, this);
    if (claim !== undefined) this.#claims.push(claim);
    this.#first = this.#end = this.#nextKnown = 0;
  }

  /** Tells what became of what it carries; only the first time counts. */
  settle(outcome: Outcome): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    for (const claim of this.#claims) this.#seen?.settle(claim, outcome.kind !== 'failed');
    for (const settled of this.#followers.splice(0)) settled(outcome);
  }

  follow(settled: (outcome: Outcome) => void): void {
    if (this.#outcome === undefined) this.#followers.push(settled);
    else settled(this.#outcome);
  }

  /** A record that does not go on where the one before it ended. */
  #begin(epoch: Epoch, sequence: number): boolean {
    const nextKnown = epoch.numbers.nextFrom(sequence);
    if (nextKnown === sequence) {
      const carrier = epoch.carrierOf(sequence);
      if (carrier !== undefined) this.awaited.add(carrier);
      return true;
    }
    this.#first = sequence;
    this.#end = sequence + 1;
    this.#nextKnown = nextKnown;
    return false;
  }
}

/** Holds what receivers deliver, and the positions that they save, against what was written. Throws where a promise is broken. */
import type { EmittedBatch } from '../../../../test/helpers/contexts.ts';
import type { Positions } from '../position/positions.ts';
import type { Written } from './made_up_messages.ts';
import type { ReceiverLife } from './receiver_life.ts';

const EXPECTED = /^a batch was not delivered|its journal is gone/;

const TOKEN = /\[\d+\]/g;

export class DeliveryJudge {
  readonly #written: readonly Written[];
  readonly #delivered = new Set<Written>();
  /** What was delivered and is passed by a position that was saved at an end. */
  readonly #settled = new Set<Written>();
  /** Of the life that is judged: batches that were looked at, and where it began. */
  #looked = 0;
  #begun: Positions | undefined;
  /** How often what had been delivered was delivered again. */
  repeated = 0;
  /** Records of more than one entry. */
  joined = 0;

  /** `written` is all that is in the journals; it grows. */
  constructor(written: readonly Written[]) {
    this.#written = written;
  }

  get isComplete(): boolean {
    return this.#written.every((entry) => !entry.isChosen || this.#delivered.has(entry));
  }

  /** The first tokens of those that are not delivered yet. */
  get missing(): string[] {
    const missing = this.#written.filter((entry) => entry.isChosen && !this.#delivered.has(entry));
    return missing.slice(0, 10).map(({ token, places }) => `${token} ${JSON.stringify(places)}`);
  }

  begins({ begun }: ReceiverLife): void {
    this.#looked = 0;
    this.#begun = begun;
  }

  /** Each record has the id of the entry that it ends with, and nothing is read again that need not be. */
  looksAt({ context }: ReceiverLife): void {
    for (const { batch, records } of context.emitted.slice(this.#looked)) {
      for (const { body, sequence } of records) {
        const entries = this.#entriesOf(body);
        const last = entries.at(-1);
        const place = last?.places.find(({ epoch, seqnum }) => epoch === batch.epoch && seqnum === sequence);
        if (last === undefined || place === undefined)
          throw new Error(`${batch.epoch} ${sequence} is not the id of ${last?.token}`);
        const left = entries.find(({ isChosen }) => !isChosen);
        if (left !== undefined) throw new Error(`${left.token} was not to be chosen`);
        if (this.#begun !== undefined && isPassed(last, this.#begun))
          throw new Error(`${last.token} is read again, and was passed`);
        if (this.#settled.has(last)) throw new Error(`${last.token} is read again, and was settled`);
        if (entries.length > 1) this.joined += 1;
      }
    }
    this.#looked = context.emitted.length;
  }

  delivers({ records }: EmittedBatch): void {
    for (const entry of records.flatMap(({ body }) => this.#entriesOf(body))) {
      if (this.#delivered.has(entry)) this.repeated += 1;
      this.#delivered.add(entry);
    }
  }

  /** No position is behind an entry that was not delivered. */
  looksAtPositions(saved: Positions): void {
    for (const entry of this.#written) {
      if (!entry.isChosen || this.#delivered.has(entry) || !isPassed(entry, saved)) continue;
      throw new Error(`${entry.token} was not delivered, and ${JSON.stringify(entry.places)} is passed by\n${saved.toText()}`);
    }
  }

  /** The agent was stopped, not killed: what was settled without a gap is not delivered again. `settled` are its batches up to that gap. */
  stops(settled: readonly EmittedBatch[]): void {
    for (const { records } of settled) {
      for (const { body } of records) {
        const last = this.#entriesOf(body).at(-1);
        if (last?.isBetweenLines === true) this.#settled.add(last);
      }
    }
  }

  /**
   * Nothing is told of that did not happen: neither losses nor damage. That a journal is gone is true where its runtime files were
   * flushed; where clocks were set or nothing of it was read, that goes unnoticed.
   */
  judgesLog({ context }: ReceiverLife): void {
    const lost = context.metrics.sum('sluice_journald_lost_entries_total');
    if (lost > 0) throw new Error(`${lost} entries are said to be lost`);
    for (const { level, message, fields } of context.log.lines) {
      if (level !== 'info' && level !== 'debug' && !EXPECTED.test(message))
        throw new Error(`${message} ${JSON.stringify(fields)}`);
    }
  }

  #entriesOf(body: string): Written[] {
    return (body.match(TOKEN) ?? []).map((token) => this.#written[Number(token.slice(1, -1))]!); // only what was written is in a body
  }
}

function isPassed({ places }: Written, positions: Positions): boolean {
  return places.some(({ seqnumId, seqnum }) => seqnum <= (positions.of(seqnumId).seqnum ?? 0));
}

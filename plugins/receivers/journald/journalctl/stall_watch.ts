/** Notices that journalctl is silent although there is something to read. */
import type { Clock } from '../../../../src/core/clock.ts';
import type { Tail } from './tails.ts';

/** How long it may be silent: finding a place in a large journal on a slow disk takes seconds. */
export const STALL_MS = 30_000;

export class StallWatch {
  readonly #clock: Clock;
  #heardMs = 0;
  /** By seqnum id, up to which entry a silence has been told. */
  readonly #told = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something was read, or nobody was reading: the silence begins anew. */
  heard(): void {
    this.#heardMs = this.#clock.monotonicMs();
  }

  /**
   * Whether the silence has become too long, given the files that have entries which were not read. Told once for the same
   * entries: those that journalctl does not show the second time either are not for it to be read.
   */
  isStalled(ahead: readonly Tail[]): boolean {
    if (ahead.length === 0) this.heard();
    if (this.#clock.monotonicMs() - this.#heardMs < STALL_MS) return false;
    const isNew = ahead.some(({ seqnumId, seqnum }) => seqnum > (this.#told.get(seqnumId) ?? 0));
    for (const { seqnumId, seqnum } of ahead) this.#told.set(seqnumId, Math.max(seqnum, this.#told.get(seqnumId) ?? 0));
    return isNew;
  }
}

/** What is under way of one file, and what was found in it. */
import type { Outcome } from '../core/ack.ts';
import type { Batch } from '../core/batch.ts';

export class Flight {
  /** Records that were emitted. */
  records = 0;
  /** Lines that cannot be sent, by what is wrong with them. */
  readonly problems = new Map<string, number>();
  /** Whether the letters of every batch that has settled were delivered, or are in the store again. */
  isGood = true;
  #bytes = 0;
  #landed: PromiseWithResolvers<void> | undefined;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  met(problems: ReadonlyMap<string, number>): void {
    for (const [problem, lines] of problems) this.problems.set(problem, (this.problems.get(problem) ?? 0) + lines);
  }

  took(batch: Batch): void {
    this.records += batch.count;
    this.#bytes += batch.memoryBytes;
  }

  /** A letter that was refused again is in the store again; one that was dropped, or is still to be sent, is nowhere but in its file. */
  settled(batch: Batch, { kind }: Outcome): void {
    this.#bytes -= batch.memoryBytes;
    if (kind === 'dropped' || kind === 'failed') this.isGood = false;
    this.#landed?.resolve();
    this.#landed = undefined;
  }

  /** Resolves once no more than `bytes` are under way. */
  async downTo(bytes: number): Promise<void> {
    while (this.#bytes > bytes) {
      this.#landed ??= Promise.withResolvers<void>();
      await this.#landed.promise;
    }
  }
}

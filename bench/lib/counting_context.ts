/** The engine as a receiver sees it, where all room is there and every batch is delivered at once. */
import { DELIVERED } from '../../src/core/ack.ts';
import type { Batch } from '../../src/core/batch.ts';
import { systemClock } from '../../src/core/clock.ts';
import { FakeReceiverContext } from '../../test/helpers/contexts.ts';

export class CountingContext extends FakeReceiverContext {
  readonly #wanted: number;
  readonly #reached = Promise.withResolvers<void>();
  count = 0;

  constructor(wanted: number, stateDirectory: string) {
    super({ id: 'receiver', clock: systemClock, stateDirectory });
    this.#wanted = wanted;
  }

  /** Resolves when so many records have been emitted. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  override emit(batch: Batch): void {
    this.count += batch.count;
    batch.settle(DELIVERED);
    if (this.count >= this.#wanted) this.#reached.resolve();
  }
}

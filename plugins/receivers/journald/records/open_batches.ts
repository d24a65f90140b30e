/**
 * The batches that are being built, one for each epoch. A host whose users log has a sequence of entries for the system and one for
 * each of them, and the next entry is now of one and then of the other; a batch has records of one epoch only.
 */
import { BatchBuilder } from '../../../../src/core/batch_builder.ts';

export interface OpenBatch {
  readonly builder: BatchBuilder;
  /** Grows with each batch. */
  readonly number: number;
  readonly epoch: string;
  readonly seqnumId: string;
  /** False once its builder is another's; whoever remembers the batch has to ask for one again. */
  isOpen: boolean;
}

/**
 * How many there can be, as far as their arenas fit in that. A journal that is gathered from hundreds of hosts has a sequence for each.
 * What is not written to of an arena takes no memory, and the builder that was used last is the first to be used again.
 */
const MAX_OPEN = 512;
const MAX_ARENAS_BYTES = 256 * 1024 * 1024;

/** Records of a batch where more than a few are open. */
const FEW = 8;
const MAX_RECORDS_OF_MANY = 512;

export class OpenBatches {
  readonly #arenaBytes: number;
  readonly #maxOpen: number;
  #builders = 0;
  readonly #spare: BatchBuilder[] = [];
  /** By epoch, in the order in which they were begun. */
  readonly #open = new Map<string, OpenBatch>();
  #count = 0;

  constructor(arenaBytes: number) {
    this.#arenaBytes = arenaBytes;
    this.#maxOpen = Math.min(MAX_OPEN, Math.floor(MAX_ARENAS_BYTES / arenaBytes));
  }

  /**
   * The batch for records of that epoch, which is of the sequence `seqnumId`. Undefined where others must be handed out first: there
   * are too many, or one is of the same sequence, whose ack would speak for this one too.
   */
  of(epoch: string, seqnumId: string): OpenBatch | undefined {
    const known = this.#open.get(epoch);
    if (known !== undefined) return known;
    for (const open of this.#open.values()) {
      if (open.builder.count === 0) this.close(open);
      else if (open.seqnumId === seqnumId) return undefined;
    }
    if (this.#open.size >= this.#maxOpen) return undefined;
    const builder = this.#spare.pop() ?? this.#createBuilder();
    const begun = { builder, number: this.#count++, epoch, seqnumId, isOpen: true };
    this.#open.set(epoch, begun);
    return begun;
  }

  #createBuilder(): BatchBuilder {
    const limits = this.#builders++ < FEW ? {} : { maxRecords: MAX_RECORDS_OF_MANY };
    return new BatchBuilder({ arenaBytes: this.#arenaBytes, ...limits });
  }

  /** The batch with records that was begun first; undefined where none has any. */
  get first(): OpenBatch | undefined {
    for (const open of this.#open.values()) if (open.builder.count > 0) return open;
    return undefined;
  }

  /** Whether there are records of the sequence. */
  hasRecordsOf(seqnumId: string): boolean {
    for (const open of this.#open.values()) if (open.seqnumId === seqnumId && open.builder.count > 0) return true;
    return false;
  }

  /** Forgets the batch, whose builder is empty, or has built it. */
  close(open: OpenBatch): void {
    open.isOpen = false;
    this.#open.delete(open.epoch);
    this.#spare.push(open.builder);
  }
}

/** Reads the entries of a journal into batches. */
import type { Ack } from '../../../../src/core/ack.ts';
import type { Batch } from '../../../../src/core/batch.ts';
import { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import { JsonObjectFinder } from '../../../../src/kit/json_object.ts';
import { settleBodyKinds } from './bodies.ts';
import { type Cursor, seqnumCursor } from '../file/cursor.ts';
import { EntryDecoder } from './entry_decoder.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalFile } from '../file/journal_file.ts';
import type { DecoderOptions } from './object_decoder.ts';

export interface BatchReaderOptions extends DecoderOptions {
  readonly receiver: string;
  readonly format: string;
  /** Whether a MESSAGE that is a JSON object becomes a body of that kind. */
  readonly parseJson: boolean;
}

/** Files whose caches are kept at a time; more are read at once only where very many users log. */
const MAX_DECODERS = 16;

const MIN_ARENA_BYTES = 512 * 1024;

export class BatchReader {
  readonly #journal: Journal;
  readonly #options: BatchReaderOptions;
  readonly #builder: BatchBuilder;
  readonly #objects: JsonObjectFinder | undefined;
  /** The one used last at the end. */
  readonly #decoders = new Map<JournalFile, EntryDecoder>();
  #decoder: EntryDecoder | undefined;
  #batch = 0;
  /** The entry that was appended last: its file, and what a cursor is made of. */
  #file: JournalFile | undefined;
  #offset = 0;
  #seqnum = 0;
  /** Microseconds; 0 before the first entry. */
  lastRealtime = 0;

  constructor(journal: Journal, options: BatchReaderOptions) {
    this.#journal = journal;
    this.#options = options;
    this.#builder = new BatchBuilder({ arenaBytes: Math.max(MIN_ARENA_BYTES, 2 * options.maxValueBytes) });
    this.#objects = options.parseJson ? new JsonObjectFinder() : undefined;
  }

  /**
   * Reads entries, in order and of one sequence, until there is no further one or a batch is full. Returns the batch, or undefined
   * where there was no entry; `makeAck` gives its ack, knowing the cursor of its last entry.
   */
  read(makeAck: (cursor: Cursor) => Ack): Batch | undefined {
    const builder = this.#builder;
    for (;;) {
      const file = this.#journal.current();
      if (file === undefined || builder.isFull) break;
      if (file !== this.#file) {
        if (builder.count > 0 && file.header.seqnumId !== this.#file?.header.seqnumId) break;
        this.#file = file;
        this.#decoder = this.#decoderOf(file);
      }
      if (this.#decoder?.append(builder, this.#batch) !== true) break;
      this.#offset = file.entryOffset;
      this.#seqnum = file.seqnum;
      this.lastRealtime = file.realtime;
      this.#journal.advance();
    }
    return builder.count === 0 ? undefined : this.#build(makeAck);
  }

  #build(makeAck: (cursor: Cursor) => Ack): Batch {
    const used = this.#builder.used;
    const file = this.#file!; // a record was appended, and so there is the file it came from
    const epoch = file.header.seqnumId;
    const cursor = file.cursorAt(this.#offset) ?? seqnumCursor(epoch, this.#seqnum, this.lastRealtime);
    const { receiver, format } = this.#options;
    const batch = this.#builder.build({ receiver, format, epoch, ack: makeAck(cursor) });
    this.#batch += 1;
    settleBodyKinds(batch, used, this.#objects);
    return batch;
  }

  #decoderOf(file: JournalFile): EntryDecoder {
    const decoder = this.#decoders.get(file) ?? new EntryDecoder(file, this.#options);
    this.#decoders.delete(file);
    this.#decoders.set(file, decoder);
    if (this.#decoders.size > MAX_DECODERS) {
      const [oldest] = this.#decoders.keys();
      if (oldest !== undefined) this.#decoders.delete(oldest);
    }
    return decoder;
  }
}

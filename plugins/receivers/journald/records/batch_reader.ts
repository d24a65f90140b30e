/** Reads the entries of a journal into batches. */
import type { Ack } from '../../../../src/core/ack.ts';
import type { Batch } from '../../../../src/core/batch.ts';
import { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import { JsonObjectFinder } from '../../../../src/kit/json_object.ts';
import { settleBodyKinds } from './bodies.ts';
import { type Cursor, epochOf, seqnumCursor } from '../file/cursor.ts';
import { EntryDecoder, type EntryOptions } from './entry_decoder.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalFile } from '../file/journal_file.ts';
import { Joins } from './joins.ts';

export interface BatchReaderOptions extends Omit<EntryOptions, 'joins'> {
  readonly receiver: string;
  readonly format: string;
  /** Whether a MESSAGE that is a JSON object becomes a body of that kind. */
  readonly parseJson: boolean;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** Called with the number of entries that were not chosen, once for each read with any. */
  readonly onLeftOut: (count: number) => void;
}

/** Who is told how far was read. */
export interface Progress {
  /** The ack of the next batch, behind which reading goes on after `cursor`; undefined where that is where it began. */
  ackFor(cursor: Cursor | undefined): Ack;
  /** Entries up to `cursor`, behind those of the last batch, that no record was made of. */
  passed(cursor: Cursor): void;
}

/** Files whose caches are kept at a time; more are read at once only where very many users log. */
const MAX_DECODERS = 16;

const MIN_ARENA_BYTES = 512 * 1024;

/** Sequences whose ends are kept; positions of others do not move until they are read again. */
const MAX_ENDS = 1024;

/** Entries that are looked at in one read, so that others get their turn where few of very many entries are chosen. */
const MAX_ENTRIES = 8192;

/** What an entry may take to decompress before it counts as a further one that was looked at. */
const BYTES_OF_ENTRY = 4096;

export class BatchReader {
  readonly #journal: Journal;
  readonly #options: EntryOptions & BatchReaderOptions;
  readonly #builder: BatchBuilder;
  readonly #objects: JsonObjectFinder | undefined;
  readonly #joins: Joins;
  /** The one used last at the end. */
  readonly #decoders = new Map<JournalFile, EntryDecoder>();
  #decoder: EntryDecoder | undefined;
  /** The number of the batch that is being built, and what its records are numbered in. */
  #batch = 0;
  #epoch = '';
  #seqnumId = '';
  /** The file that is being read, and the last entry of it that was: 0 where it was only turned to. */
  #file: JournalFile | undefined;
  #fileEpoch = '';
  #bootId = '';
  #offset = 0;
  #seqnum = 0;
  /** By seqnum id, the last entry of each file that was turned away from. */
  readonly #ends = new Map<string, Cursor>();
  /** Whether entries of the file were read since it was turned to, or since the last read. */
  #hasRead = false;
  /** Seqnum ids of the sequences with entries that were read and not told of yet. */
  readonly #untold = new Set<string>();
  /** Microseconds; 0 before the first entry. */
  lastRealtime = 0;

  constructor(journal: Journal, options: BatchReaderOptions) {
    const cursorBefore = (): Cursor | undefined => this.#endOf(this.#file?.header.seqnumId ?? '');
    this.#journal = journal;
    this.#joins = new Joins({ ...options, cursorBefore });
    this.#options = { ...options, joins: this.#joins };
    this.#builder = new BatchBuilder({ arenaBytes: Math.max(MIN_ARENA_BYTES, 2 * options.maxValueBytes) });
    this.#objects = options.parseJson ? new JsonObjectFinder() : undefined;
  }

  /** In how many milliseconds there may be something to read although the journal has not grown; Infinity where there will not. */
  get dueMs(): number {
    return this.#joins.dueMs;
  }

  /**
   * Reads entries, in order and of one epoch, until there is no further one or a batch is full. Returns the batch; or `passed` where
   * none of the entries that it looked at became a record, and there are more; or undefined where there is nothing more to be read.
   */
  read(progress: Progress): Batch | 'passed' | undefined {
    const builder = this.#builder;
    const joins = this.#joins;
    let leftOut = 0;
    let looked = 0;
    joins.giveUpLate();
    for (; looked < MAX_ENTRIES && !builder.isFull; looked++) {
      const file = this.#journal.current();
      if (file !== undefined && joins.pendingCount > 0) joins.giveUpBefore(file.header.seqnumId, file.realtime);
      if (joins.ready !== undefined) {
        if (this.#mustWait(joins.ready.epoch, joins.ready.seqnumId) || !joins.write(builder)) break;
        continue;
      }
      if (file === undefined) break;
      if (file !== this.#file || file.bootId !== this.#bootId) this.#turnTo(file);
      if (this.#mustWait(this.#fileEpoch, file.header.seqnumId)) break;
      const outcome = this.#decoder!.append(builder, this.#batch); // there is a file, and so its decoder
      if (outcome === 'full') break;
      if (outcome === 'left_out') leftOut += 1;
      looked += Math.floor(this.#decoder!.decompressedBytes / BYTES_OF_ENTRY);
      this.#offset = file.entryOffset;
      this.#seqnum = file.seqnum;
      this.#hasRead = true;
      this.lastRealtime = file.realtime;
      this.#journal.advance();
    }
    if (leftOut > 0) this.#options.onLeftOut(leftOut);
    const batch = builder.count > 0 ? this.#build(progress) : undefined;
    this.#tellPassed(progress);
    if (batch !== undefined) return batch;
    return looked >= MAX_ENTRIES ? 'passed' : undefined;
  }

  /**
   * As `read`, without a look at further entries: lines that are pending are given up, so that nothing is held back any more once
   * there is no further batch.
   */
  finish(progress: Progress): Batch | undefined {
    const joins = this.#joins;
    joins.giveUpAll();
    for (let line = joins.ready; line !== undefined && !this.#builder.isFull; line = joins.ready) {
      if (this.#mustWait(line.epoch, line.seqnumId) || !joins.write(this.#builder)) break;
    }
    const batch = this.#builder.count > 0 ? this.#build(progress) : undefined;
    this.#tellPassed(progress);
    return batch;
  }

  /** Whether a record of that epoch belongs to the next batch. To an empty one it does not, which then is of that epoch. */
  #mustWait(epoch: string, seqnumId: string): boolean {
    if (this.#builder.count > 0) return epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#seqnumId = seqnumId;
    return false;
  }

  #turnTo(file: JournalFile): void {
    this.#noteRead();
    const seqnumId = this.#file?.header.seqnumId ?? '';
    const end = this.#endOf(seqnumId);
    if (this.#ends.size >= MAX_ENDS) this.#ends.clear();
    if (end !== undefined) this.#ends.set(seqnumId, end);
    if (file !== this.#file) this.#decoder = this.#decoderOf(file);
    this.#file = file;
    this.#bootId = file.bootId;
    this.#fileEpoch = epochOf(file.header.seqnumId, file.bootId);
    this.#seqnum = 0;
  }

  #build(progress: Progress): Batch {
    const used = this.#builder.used;
    const { receiver, format } = this.#options;
    this.#noteRead();
    this.#untold.delete(this.#seqnumId);
    const ack = progress.ackFor(this.#positionOf(this.#seqnumId));
    const batch = this.#builder.build({ receiver, format, epoch: this.#epoch, ack });
    this.#batch += 1;
    settleBodyKinds(batch, used, this.#objects);
    return batch;
  }

  #tellPassed(progress: Progress): void {
    this.#noteRead();
    for (const seqnumId of this.#untold) {
      const cursor = this.#positionOf(seqnumId);
      if (cursor !== undefined) progress.passed(cursor);
    }
    this.#untold.clear();
  }

  #noteRead(): void {
    if (this.#hasRead && this.#file !== undefined) this.#untold.add(this.#file.header.seqnumId);
    this.#hasRead = false;
  }

  /** Behind what reading of the sequence can go on after a restart: before a line that is no record yet, or its last entry. */
  #positionOf(seqnumId: string): Cursor | undefined {
    const held = this.#joins.heldBack(seqnumId);
    return held === undefined ? this.#endOf(seqnumId) : held.before;
  }

  /** The entry of the sequence that was read last. */
  #endOf(seqnumId: string): Cursor | undefined {
    const file = this.#file;
    if (file === undefined || this.#seqnum === 0 || file.header.seqnumId !== seqnumId) return this.#ends.get(seqnumId);
    return file.cursorAt(this.#offset) ?? seqnumCursor(seqnumId, this.#seqnum, this.lastRealtime);
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

/** Reads the entries of a journal into batches, one for each sequence of entries that it comes by. */
import type { Ack } from '../../../../src/core/ack.ts';
import type { Batch } from '../../../../src/core/batch.ts';
import { JsonObjectFinder } from '../../../../src/kit/json_object.ts';
import { settleBodyKinds } from './bodies.ts';
import { type Cursor, epochOf } from '../file/cursor.ts';
import { type End, Ends } from './ends.ts';
import { EntryDecoder, type EntryOptions } from './entry_decoder.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalFile } from '../file/journal_file.ts';
import { Joins } from './joins.ts';
import { type OpenBatch, OpenBatches } from './open_batches.ts';

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

/** What the caches of all files may take, in bytes; beyond it those of the file that was read longest ago are dropped. */
const MAX_CACHE_BYTES = 40 * 1024 * 1024;

const MIN_ARENA_BYTES = 512 * 1024;

/** Entries that are looked at in one read, so that others get their turn where few of very many entries are chosen. */
const MAX_ENTRIES = 8192;

/** What an entry may take to decompress before it counts as a further one that was looked at. */
const BYTES_OF_ENTRY = 4096;

/** A file that entries are read from, and what goes with those of the boot that is read now. */
interface Source {
  readonly file: JournalFile;
  readonly decoder: EntryDecoder;
  end: End;
  bootId: string;
  epoch: string;
  /** Where records of the epoch go; undefined where that is not known yet. */
  batch: OpenBatch | undefined;
}

export class BatchReader {
  readonly #journal: Journal;
  readonly #options: EntryOptions & BatchReaderOptions;
  readonly #objects: JsonObjectFinder | undefined;
  readonly #joins: Joins;
  readonly #batches: OpenBatches;
  readonly #ends = new Ends();
  /** Sequences that were read and have no records among those that are to be handed out. */
  #passed: readonly string[] = [];
  /** The one used last at the end. */
  readonly #sources = new Map<JournalFile, Source>();
  #source: Source | undefined;
  /** Microseconds; 0 before the first entry. */
  lastRealtime = 0;

  constructor(journal: Journal, options: BatchReaderOptions) {
    const cursorBefore = (): Cursor | undefined => this.#ends.cursorOf(this.#source?.file.header.seqnumId ?? '');
    this.#journal = journal;
    this.#joins = new Joins({ ...options, cursorBefore });
    this.#options = { ...options, joins: this.#joins };
    this.#batches = new OpenBatches(Math.max(MIN_ARENA_BYTES, 2 * options.maxValueBytes));
    this.#objects = options.parseJson ? new JsonObjectFinder() : undefined;
  }

  /** In how many milliseconds there may be something to read although the journal has not grown; Infinity where there will not. */
  get dueMs(): number {
    return this.#joins.dueMs;
  }

  /** Memory that the caches of all files take, in bytes. */
  get cacheBytes(): number {
    let bytes = 0;
    for (const { decoder } of this.#sources.values()) bytes += decoder.memoryBytes;
    return bytes;
  }

  /**
   * Reads entries in order until there is no further one or a batch is full, and returns the batch that was begun first; the others
   * come with the next reads, before anything else is read. Returns `passed` where none of the entries that it looked at became a
   * record, and there are more; and undefined where there is nothing more to be read.
   */
  read(progress: Progress): Batch | 'passed' | undefined {
    let isAtEnd = false;
    if (this.#batches.first === undefined) {
      isAtEnd = this.#fill();
      this.#notePassed();
    }
    return this.#handOut(progress) ?? (isAtEnd ? undefined : 'passed');
  }

  /**
   * As `read`, without a look at further entries: lines that are pending are given up, so that nothing is held back any more once
   * there is no further batch.
   */
  finish(progress: Progress): Batch | undefined {
    if (this.#batches.first === undefined) {
      this.#joins.giveUpAll();
      while (this.#joins.ready !== undefined && this.#writeLine());
      this.#notePassed();
    }
    return this.#handOut(progress);
  }

  /** Reads entries into batches; returns whether there is no further one. */
  #fill(): boolean {
    const joins = this.#joins;
    let leftOut = 0;
    let isAtEnd = false;
    joins.giveUpLate();
    for (let looked = 0; looked < MAX_ENTRIES; looked++) {
      const file = this.#journal.current();
      if (file !== undefined && joins.pendingCount > 0) joins.giveUpBefore(file.header.seqnumId, file.realtime);
      if (joins.ready !== undefined) {
        if (!this.#writeLine()) break;
        continue;
      }
      isAtEnd = file === undefined;
      if (file === undefined) break;
      const source = this.#turnTo(file);
      if (source.batch?.isOpen !== true) source.batch = this.#batches.of(source.epoch, file.header.seqnumId);
      const { batch } = source;
      if (batch === undefined || batch.builder.isFull) break;
      const outcome = source.decoder.append(batch.builder, batch.number);
      if (outcome === 'full') break;
      if (outcome === 'left_out') leftOut += 1;
      looked += Math.floor(source.decoder.decompressedBytes / BYTES_OF_ENTRY);
      const { end } = source;
      end.file = file;
      end.offset = file.entryOffset;
      end.seqnum = file.seqnum;
      end.realtime = file.realtime;
      end.isTold = false;
      this.lastRealtime = file.realtime;
      this.#journal.advance();
    }
    if (leftOut > 0) this.#options.onLeftOut(leftOut);
    for (const source of this.#sources.values()) source.batch = undefined;
    this.#boundCaches();
    return isAtEnd;
  }

  /** Writes the line that is ready; false where batches must be handed out first. */
  #writeLine(): boolean {
    const { ready } = this.#joins;
    const batch = ready === undefined ? undefined : this.#batches.of(ready.epoch, ready.seqnumId);
    return batch !== undefined && !batch.builder.isFull && this.#joins.write(batch.builder);
  }

  #turnTo(file: JournalFile): Source {
    const source = this.#source?.file === file ? this.#source : this.#sourceOf(file);
    this.#source = source;
    if (source.bootId === file.bootId) return source;
    source.bootId = file.bootId;
    source.epoch = epochOf(file.header.seqnumId, file.bootId);
    source.batch = undefined;
    return source;
  }

  #sourceOf(file: JournalFile): Source {
    const source = this.#sources.get(file) ?? this.#createSource(file);
    // The one that it had may have been forgotten.
    source.end = this.#ends.of(file.header.seqnumId);
    this.#sources.delete(file);
    this.#sources.set(file, source);
    return source;
  }

  #createSource(file: JournalFile): Source {
    for (const { file: other } of this.#sources.values()) if (other.isFinal && other.isExhausted) this.#sources.delete(other);
    const decoder = new EntryDecoder(file, this.#options);
    return { file, decoder, end: this.#ends.of(file.header.seqnumId), bootId: '', epoch: '', batch: undefined };
  }

  /** Drops caches until the others take no more than they may. */
  #boundCaches(): void {
    let bytes = this.cacheBytes;
    for (const { file, decoder } of this.#sources.values()) {
      if (bytes <= MAX_CACHE_BYTES || file === this.#source?.file) return;
      this.#sources.delete(file);
      bytes -= decoder.memoryBytes;
    }
  }

  #notePassed(): void {
    this.#passed = this.#ends.untold.filter((seqnumId) => !this.#batches.hasRecordsOf(seqnumId));
  }

  /**
   * The next batch. Of sequences without records is told behind the last one: what was passed in them may be copies of entries that were
   * read in a runtime file and are in one of the batches.
   */
  #handOut(progress: Progress): Batch | undefined {
    const batch = this.#build(progress);
    if (this.#batches.first !== undefined) return batch;
    for (const seqnumId of this.#passed) {
      const cursor = this.#tell(seqnumId);
      if (cursor !== undefined) progress.passed(cursor);
    }
    this.#passed = [];
    return batch;
  }

  #build(progress: Progress): Batch | undefined {
    const open = this.#batches.first;
    if (open === undefined) return undefined;
    const { builder, epoch, seqnumId } = open;
    const { used } = builder;
    const { receiver, format } = this.#options;
    const ack = progress.ackFor(this.#tell(seqnumId));
    const batch = builder.build({ receiver, format, epoch, ack });
    this.#batches.close(open);
    settleBodyKinds(batch, used, this.#objects);
    return batch;
  }

  /** Behind what reading of the sequence can go on after a restart: before a line that is no record yet, or its last entry. */
  #tell(seqnumId: string): Cursor | undefined {
    const held = this.#joins.heldBack(seqnumId);
    this.#ends.of(seqnumId).isTold = held === undefined;
    return held === undefined ? this.#ends.cursorOf(seqnumId) : held.before;
  }
}

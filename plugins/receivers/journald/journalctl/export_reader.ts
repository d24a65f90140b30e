/** Reads what journalctl writes into batches, over all its runs. */
import type { Batch } from '../../../../src/core/batch.ts';
import { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import { JsonObjectFinder } from '../../../../src/kit/json_object.ts';
import { type Cursor, epochOf, parseCursor } from '../file/cursor.ts';
import type { Positions } from '../position/positions.ts';
import type { BatchReaderOptions, Progress } from '../records/batch_reader.ts';
import { settleBodyKinds } from '../records/bodies.ts';
import { Joins } from '../records/joins.ts';
import { type EntryPlace, EntryWriter } from './entry_writer.ts';
import { ExportParser } from './export_parser.ts';
import { isPassed } from './places.ts';

/** Why `read` has returned: what was read must be taken, more chunks are needed, or the stream is not the format. */
export type ReadState = 'full' | 'hungry' | 'broken';

/** Entries that are read before they must be taken, however few of them are records. */
const MAX_ENTRIES = 8192;

const MIN_ARENA_BYTES = 512 * 1024;

const CURSOR = Buffer.from('__CURSOR=');

/** Names that begin with two of them are of what is around the entry, and not of its fields. */
const UNDERSCORE = 0x5f;

export class ExportReader {
  readonly #options: BatchReaderOptions;
  readonly #reached: Positions;
  readonly #builder: BatchBuilder;
  readonly #objects: JsonObjectFinder | undefined;
  readonly #joins: Joins;
  readonly #writer: EntryWriter;
  #parser: ExportParser;
  /** Whether fields of an entry have come, and its cursor, once it has. */
  #isBegun = false;
  #cursor: Cursor | undefined;
  /** True where all of an entry has come, and what was read before it must be taken first. */
  #isWaiting = false;
  /** What the records that are being collected are numbered in. */
  #epoch = '';
  #seqnumId = '';
  /** The sequences of the entries that were read since the last `take`, and how many these are. */
  readonly #touched = new Set<string>();
  #count = 0;
  #leftOut = 0;
  /** Microseconds; 0 before the first entry. */
  lastRealtime = 0;

  /** Entries up to `reached` are left out; it moves as entries are read. */
  constructor(options: BatchReaderOptions, reached: Positions) {
    this.#options = options;
    this.#reached = reached;
    this.#builder = new BatchBuilder({ arenaBytes: Math.max(MIN_ARENA_BYTES, 2 * options.maxValueBytes) });
    this.#objects = options.parseJson ? new JsonObjectFinder() : undefined;
    this.#joins = new Joins({ ...options, cursorBefore: () => this.#endOf(this.#cursor?.seqnumId ?? '') });
    this.#writer = new EntryWriter({ ...options, joins: this.#joins });
    this.#parser = new ExportParser(options.maxValueBytes);
  }

  /** What is wrong with a stream that is broken. */
  get problem(): string {
    return this.#parser.problem;
  }

  /** True where there is something to take. */
  get hasRead(): boolean {
    return this.#builder.count > 0 || this.#touched.size > 0;
  }

  /** The cursor of an entry of which the end has not come. */
  get unfinished(): Cursor | undefined {
    return this.#cursor;
  }

  /** In how many milliseconds there may be something to take although no chunk has come; Infinity where there will not. */
  get dueMs(): number {
    return this.#joins.dueMs;
  }

  /** Forgets an entry of which the end has not come: the next chunk is the first one of another run. */
  begin(): void {
    this.#parser = new ExportParser(this.#options.maxValueBytes);
    this.#endEntry();
  }

  /** Goes on with a chunk, which must stay as it is until `read` is hungry. */
  push(chunk: Buffer): void {
    this.#parser.push(chunk);
  }

  /** Reads as far as it can. */
  read(): ReadState {
    this.#joins.giveUpLate();
    if (!this.#writeLines() || (this.#isWaiting && !this.#addEntry())) return 'full';
    while (!this.#builder.isFull && this.#count < MAX_ENTRIES) {
      const found = this.#parser.next();
      if (found === 'field') this.#takeField();
      else if (found !== 'entry') return found === 'nothing' ? 'hungry' : 'broken';
      else if (this.#isBegun && !this.#addEntry()) return 'full';
    }
    return 'full';
  }

  /** The records that were read since the last time; undefined where there are none, and then `progress` knows what was passed. */
  take(progress: Progress): Batch | undefined {
    const batch = this.#builder.count > 0 ? this.#build(progress) : undefined;
    for (const seqnumId of this.#touched) {
      const cursor = this.#positionOf(seqnumId);
      if (cursor !== undefined) progress.passed(cursor);
    }
    this.#touched.clear();
    this.#count = 0;
    if (this.#leftOut > 0) this.#options.onLeftOut(this.#leftOut);
    this.#leftOut = 0;
    return batch;
  }

  #build(progress: Progress): Batch {
    const { used } = this.#builder;
    const { receiver, format } = this.#options;
    const ack = progress.ackFor(this.#positionOf(this.#seqnumId));
    const batch = this.#builder.build({ receiver, format, epoch: this.#epoch, ack });
    this.#touched.delete(this.#seqnumId);
    settleBodyKinds(batch, used, this.#objects);
    return batch;
  }

  #takeField(): void {
    const { bytes, start, end, length } = this.#parser;
    if (!this.#isBegun) this.#writer.begin();
    this.#isBegun = true;
    if (bytes[start] !== UNDERSCORE || bytes[start + 1] !== UNDERSCORE) return this.#writer.take(this.#parser);
    const isCursor = end - start === length && bytes.subarray(start, start + CURSOR.length).equals(CURSOR);
    if (isCursor) this.#cursor = parseCursor(bytes.toString('latin1', start + CURSOR.length, end));
  }

  #endEntry(): void {
    this.#isBegun = false;
    this.#isWaiting = false;
    this.#cursor = undefined;
  }

  /** Does what is to be done with an entry that is complete. False, and nothing done, where something must be taken first. */
  #addEntry(): boolean {
    const cursor = this.#cursor;
    const place = placeOf(cursor);
    if (cursor === undefined || place === undefined) this.#options.onDamage('entry');
    else if (!isPassed(cursor, this.#reached)) {
      this.#isWaiting = !this.#append(place);
      if (this.#isWaiting) return false;
      this.#reached.set(cursor);
      this.#touched.add(place.seqnumId);
      this.#count += 1;
      this.lastRealtime = place.realtime;
    }
    this.#endEntry();
    return true;
  }

  #append(place: EntryPlace): boolean {
    if (this.#writer.areTooMany) {
      this.#options.onDamage('entry');
      return true;
    }
    if (this.#joins.pendingCount > 0) this.#joins.giveUpBefore(place.seqnumId, place.realtime);
    if (!this.#writeLines() || this.#mustWait(place)) return false;
    const outcome = this.#writer.append(this.#builder, place);
    if (outcome === 'full') return false;
    if (outcome === 'left_out') this.#leftOut += 1;
    // A line that it ends; where that does not fit, it is next.
    this.#writeLines();
    return true;
  }

  /** Makes records of the lines that are ready; false where something must be taken first. */
  #writeLines(): boolean {
    for (let line = this.#joins.ready; line !== undefined; line = this.#joins.ready) {
      if (this.#builder.isFull || this.#mustWait(line) || !this.#joins.write(this.#builder)) return false;
    }
    return true;
  }

  /** Whether a record of that epoch belongs to the next batch. To an empty one it does not, which then is of that epoch. */
  #mustWait({ epoch, seqnumId }: { readonly epoch: string; readonly seqnumId: string }): boolean {
    if (this.#builder.count > 0) return this.#builder.isFull || epoch !== this.#epoch;
    this.#epoch = epoch;
    this.#seqnumId = seqnumId;
    return false;
  }

  /** Behind what reading of the sequence can go on after a restart: before a line that is no record yet, or its last entry. */
  #positionOf(seqnumId: string): Cursor | undefined {
    const held = this.#joins.heldBack(seqnumId);
    return held === undefined ? this.#endOf(seqnumId) : held.before;
  }

  /** The entry of the sequence that was read last. */
  #endOf(seqnumId: string): Cursor | undefined {
    const cursor = this.#reached.of(seqnumId);
    return cursor.seqnum === undefined ? undefined : cursor;
  }
}

/** Undefined where the cursor lacks something that every entry has. */
function placeOf(cursor: Cursor | undefined): EntryPlace | undefined {
  if (cursor?.seqnumId === undefined || cursor.bootId === undefined) return undefined;
  const { seqnumId, bootId, seqnum, realtime } = cursor;
  if (seqnum === undefined || seqnum === 0 || realtime === 0) return undefined;
  return { seqnumId, epoch: epochOf(seqnumId, bootId), seqnum, realtime };
}

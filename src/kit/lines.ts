/**
 * Newline-delimited input, from bytes to records: what the pipe and the unix receiver share. One `LineBatcher` a receiver gathers
 * records into batches; one `LineSplitter` a stream (a pipe, a connection) remembers its unfinished line.
 *
 *   chunk ──> LineSplitter: unfinished line + chunk, up to the last newline ──> LineBatcher: arena, columns ──> emit(batch)
 *
 * Complete lines are scanned, copied into the arena in one piece, and checked for UTF-8 in one call.
 */
import { isUtf8 } from 'node:buffer';
import { type Batch, BodyKind, RecordFlag } from '../core/batch.ts';
import { BatchBuilder } from '../core/batch_builder.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import { type JsonKeys, JsonMembers, scannerKeys } from './json_members.ts';
import { LineScanner } from './line_scanner/line_scanner.ts';
import { utf8Floor } from './utf8.ts';

export type LineFormat = 'json' | 'text' | 'auto';

export interface LineOptions {
  readonly receiver: string;
  /** cfjs1 format of the records. */
  readonly logFormat: string;
  readonly format: LineFormat;
  /** Service of records that name none; empty for none. */
  readonly service: string;
  readonly jsonKeys: JsonKeys;
  /** Longer lines are cut to this many bytes. */
  readonly maxLineBytes: number;
  /** The longest that a record waits for others to share its batch. */
  readonly batchAgeMs: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  emit(batch: Batch): void;
}

/** Chunks of at most this size are pushed, so an arena has room for a longest line and a chunk. */
export const MAX_CHUNK_BYTES = 128 * 1024;

const MIN_ARENA_BYTES = 512 * 1024;
const MAX_RECORDS = 2048;

export class LineBatcher {
  readonly options: LineOptions;
  readonly #builder: BatchBuilder;
  readonly #scanner: LineScanner;
  readonly #members: JsonMembers;
  readonly #malformed: Counter;
  readonly #binary: Counter;
  readonly #truncated: Counter;
  readonly #partial: Counter;
  #ageTimer: Timer | undefined;
  #nowMicros = 0;

  constructor(options: LineOptions) {
    const { metrics } = options;
    this.options = options;
    const textBytes = options.maxLineBytes + MAX_CHUNK_BYTES + 1;
    this.#builder = new BatchBuilder({ arenaBytes: Math.max(MIN_ARENA_BYTES, textBytes), maxRecords: MAX_RECORDS });
    this.#scanner = new LineScanner({ keys: scannerKeys(options.jsonKeys), textBytes, maxRows: MAX_RECORDS });
    this.#members = new JsonMembers(this.#scanner);
    this.#malformed = metrics.counter(
      'sluice_receiver_malformed_records_total',
      'Lines that were meant to be JSON and are not; they ship as text.',
    );
    this.#binary = metrics.counter(
      'sluice_receiver_binary_records_total',
      'Lines that are not UTF-8; they ship as message_base64.',
    );
    this.#truncated = metrics.counter(
      'sluice_receiver_truncated_records_total',
      'Lines that were cut because they are longer than max_line_bytes.',
    );
    this.#partial = metrics.counter(
      'sluice_receiver_partial_records_total',
      'Lines whose writer stopped in the middle; what there was of them ships.',
    );
  }

  /** Adds the complete lines of `head` followed by `chunk` up to `end`, the offset behind the last newline in it. */
  addLines(head: Buffer, chunk: Buffer, end: number): void {
    const { text } = this.#scanner;
    const headBytes = head.copy(text);
    const bytes = headBytes + chunk.copy(text, headBytes, 0, end);
    this.#nowMicros = this.options.clock.wallMicros();
    for (let from = 0; from < bytes; from = this.#scanner.next) {
      const rows = this.#scanner.scan(from, bytes, this.options.format !== 'text');
      this.#addRows(rows, from);
    }
    this.#scheduleFlush();
  }

  /** Adds one line without its newline, marked with `flag`: the start of one that is too long, or of one that was not finished. */
  addFragment(line: Buffer, flag: number): void {
    if (line.length > this.#builder.room || this.#builder.isFull) this.flush();
    const builder = this.#builder;
    const start = builder.used;
    builder.used += line.copy(builder.arena, start);
    // Only a cut may have gone through a character; what a writer left unfinished keeps all of its bytes.
    const end = flag === RecordFlag.truncated ? utf8Floor(builder.arena, start, builder.used) : builder.used;
    const isText = isUtf8(builder.arena.subarray(start, end));
    this.#nowMicros = this.options.clock.wallMicros();
    this.#addText(start, isText ? end : builder.used, isText, flag);
    (flag === RecordFlag.truncated ? this.#truncated : this.#partial).add();
    this.#scheduleFlush();
  }

  /** Emits what there is. */
  flush(): void {
    this.#ageTimer?.cancel();
    this.#ageTimer = undefined;
    if (this.#builder.count > 0) this.options.emit(this.#build());
  }

  #build(): Batch {
    return this.#builder.build({ receiver: this.options.receiver, format: this.options.logFormat });
  }

  #scheduleFlush(): void {
    if (this.#builder.count === 0) return;
    this.#ageTimer ??= this.options.clock.after(this.options.batchAgeMs, () => this.flush());
  }

  /** Copies what was scanned from `from` on into the arena, in one piece, and adds its lines. */
  #addRows(rows: number, from: number): void {
    const { text, next, starts, ends, isJson } = this.#scanner;
    if (next - from > this.#builder.room || rows > this.#builder.roomForRecords) this.flush();
    const builder = this.#builder;
    const shift = builder.used - from;
    builder.used += text.copy(builder.arena, builder.used, from, next);
    this.#members.read(rows, builder.services);
    const isValid = isUtf8(text.subarray(from, next));
    const { maxLineBytes } = this.options;
    for (let row = 0; row < rows; row++) {
      const start = starts[row]!; // rows are below the count, here and below
      const end = ends[row]!;
      const isText = isValid || isUtf8(text.subarray(start, end));
      if (isJson[row] === 1 && isText && end - start <= maxLineBytes) this.#addJson(row, start + shift, end + shift);
      else this.#addLine(start + shift, end + shift, isText);
    }
  }

  #addJson(row: number, start: number, end: number): void {
    const members = this.#members;
    const time = members.time(row);
    const service = members.service(row) || this.#defaultService();
    this.#builder.add(time < 0 ? this.#nowMicros : time, members.severity(row), service, BodyKind.json, 0, start, end);
  }

  #addLine(start: number, lineEnd: number, isText: boolean): void {
    const { format, maxLineBytes } = this.options;
    if (lineEnd - start <= maxLineBytes) {
      if (format === 'json') this.#malformed.add();
      this.#addText(start, lineEnd, isText, 0);
      return;
    }
    const end = start + maxLineBytes;
    this.#truncated.add();
    this.#addText(start, isText ? utf8Floor(this.#builder.arena, start, end) : end, isText, RecordFlag.truncated);
  }

  #addText(start: number, end: number, isText: boolean, flags: number): void {
    if (!isText) this.#binary.add();
    const kind = isText ? BodyKind.text : BodyKind.binary;
    this.#builder.add(this.#nowMicros, 0, this.#defaultService(), kind, flags, start, end);
  }

  #defaultService(): number {
    return this.#builder.services.intern(this.options.service);
  }
}

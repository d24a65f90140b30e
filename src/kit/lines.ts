/**
 * Newline-delimited input, from bytes to records: what the pipe and the unix receiver share. One `LineBatcher` a receiver gathers
 * records into batches; one `LineSplitter` a stream (a pipe, a connection) remembers its unfinished line.
 *
 *   chunk ──> LineSplitter: unfinished line + chunk, up to the last newline ──> LineBatcher: arena, columns ──> emit(batch)
 *
 * Complete lines are copied into the arena in one piece, checked for UTF-8 in one call, and only then taken apart.
 */
import { isUtf8 } from 'node:buffer';
import { type Batch, BodyKind, RecordFlag } from '../core/batch.ts';
import { BatchBuilder } from '../core/batch_builder.ts';
import type { Clock, Timer } from '../core/clock.ts';
import type { Counter, Metrics } from '../core/metrics.ts';
import { type JsonKeys, JsonRecordReader, utf8Floor } from './json_record.ts';

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
export const MAX_CHUNK_BYTES = 256 * 1024;

const TAB = 0x09;
const NEWLINE = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const OPEN_BRACE = 0x7b;

export class LineBatcher {
  readonly options: LineOptions;
  readonly #builder: BatchBuilder;
  readonly #json: JsonRecordReader;
  readonly #malformed: Counter;
  readonly #binary: Counter;
  readonly #truncated: Counter;
  readonly #partial: Counter;
  #ageTimer: Timer | undefined;
  #nowMicros = 0;

  constructor(options: LineOptions) {
    const { metrics } = options;
    this.options = options;
    this.#json = new JsonRecordReader(options.jsonKeys);
    this.#builder = new BatchBuilder({ arenaBytes: Math.max(512 * 1024, options.maxLineBytes + MAX_CHUNK_BYTES + 1) });
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
    const builder = this.#builder;
    const bytes = head.length + end;
    if (bytes > builder.room) this.flush();
    const start = builder.used;
    builder.used += head.copy(builder.arena, builder.used);
    builder.used += chunk.copy(builder.arena, builder.used, 0, end);
    this.#nowMicros = this.options.clock.wallMicros();
    this.#split(start, builder.used);
    this.#scheduleFlush();
  }

  /** Adds one line without its newline, marked with `flag`: the start of one that is too long, or of one that was not finished. */
  addFragment(line: Buffer, flag: number): void {
    if (line.length > this.#builder.room) this.flush();
    const builder = this.#builder;
    const start = builder.used;
    builder.used += line.copy(builder.arena, start);
    const end = utf8Floor(builder.arena, start, builder.used);
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

  /** Takes the lines in `from` to `end` of the arena apart; the byte before `end` is a newline. */
  #split(from: number, end: number): void {
    const { format } = this.options;
    let { arena } = this.#builder;
    let stop = end;
    let start = from;
    const isValid = isUtf8(arena.subarray(from, end));
    while (start < stop) {
      if (this.#builder.isFull) {
        stop = this.#startOver(start, stop);
        start = 0;
        ({ arena } = this.#builder);
      }
      if (arena[start] === OPEN_BRACE && format !== 'text' && isValid) {
        const next = this.#addJson(arena, start);
        if (next > 0) {
          start = next;
          continue;
        }
      }
      const newline = arena.indexOf(NEWLINE, start);
      this.#addLine(arena, start, newline, isValid);
      start = newline + 1;
    }
  }

  /** Emits the full batch and moves the lines that are left, `start` to `end`, to the front of the next arena. */
  #startOver(start: number, end: number): number {
    const { arena } = this.#builder;
    const batch = this.#build();
    arena.copy(this.#builder.arena, 0, start, end);
    this.#builder.used = end - start;
    this.options.emit(batch);
    return end - start;
  }

  /** Adds the JSON object at `start` and returns the offset of the next line; 0 where the line is something else. */
  #addJson(arena: Buffer, start: number): number {
    const json = this.#json;
    const end = json.scan(arena, start);
    if (end < 0 || end - start > this.options.maxLineBytes) return 0;
    let next = end;
    while (arena[next] === SPACE || arena[next] === TAB || arena[next] === CARRIAGE_RETURN) next++;
    if (arena[next] !== NEWLINE) return 0;
    const builder = this.#builder;
    const time = json.time(arena);
    const service = json.service(arena, builder.services) || this.#defaultService();
    builder.add(time < 0 ? this.#nowMicros : time, json.severity(arena), service, BodyKind.json, 0, start, end);
    return next + 1;
  }

  #addLine(arena: Buffer, start: number, newline: number, isValid: boolean): void {
    let end = newline > start && arena[newline - 1] === CARRIAGE_RETURN ? newline - 1 : newline;
    if (end === start) return;
    const isLong = end - start > this.options.maxLineBytes;
    if (isLong) end = start + this.options.maxLineBytes;
    const isText = isValid || isUtf8(arena.subarray(start, end));
    if (isLong) {
      this.#truncated.add();
      if (isText) end = utf8Floor(arena, start, end);
    } else if (this.options.format !== 'text' && isText && !isValid && this.#addJson(arena, start) > 0) {
      return;
    } else if (this.options.format === 'json') {
      this.#malformed.add();
    }
    this.#addText(start, end, isText, isLong ? RecordFlag.truncated : 0);
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

/**
 * Lines that were longer than `LineMax=` of journald.conf(5), 48 KiB by default: journald cuts them into an entry for each part, all
 * but the last of them with `_LINE_BREAK=line-max`. Here they become one message again, per stream that they came by
 * (`_STREAM_ID`), since the parts of different streams are mixed.
 *
 *                  part             part             last part
 *   (none) ──────────▶ pending ─────────▶ pending ──────────────▶ ready ─────▶ record
 *                          │ no further part in time, too many others,     ▲
 *                          └ or the line is too long ──────────────────────┘
 *
 * Of a line that is too long nothing is kept but that its further parts belong to it. A stream may write one line for ever, and the
 * position must not wait for its end.
 *
 * A line ends with the next entry of its stream, which journald does not say to be a part of it. Only where a line has exactly a
 * multiple of `LineMax` bytes is that another line, which is then taken for its end.
 */
import { BodyKind, RecordFlag } from '../../../../src/core/batch.ts';
import type { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import { utf8Floor } from '../../../../src/kit/utf8.ts';
import type { Cursor } from '../file/cursor.ts';
import { writeBody } from './object_decoder.ts';

const EMPTY = Buffer.alloc(0);

/** How long a line may take altogether by the clock, as far as it is read while it is written. */
const MAX_LINE_MS = 10_000;

/** How long the next part may take; by the clock, or by the times of entries. */
const MAX_WAIT_MS = 1000;

/** Lines that are pending at a time, and what they may take together; beyond it the one that waits longest is given up. */
const MAX_PENDING = 64;
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/** One part of a line, and what else its entry amounts to. */
export interface LinePart {
  readonly stream: string;
  /** Of the sequence of entries that it is in, and what its number is counted in. */
  readonly seqnumId: string;
  readonly epoch: string;
  readonly seqnum: number;
  /** Microseconds. */
  readonly realtime: number;
  readonly severity: number;
  readonly service: string;
  /** Encoded members without the last comma. Theirs, and the next, are the bytes. */
  readonly fields: Buffer;
  readonly body: Buffer;
  /** Whether a value was cut. */
  readonly isCut: boolean;
}

interface Line {
  /** Number, time and members of the record are those of its last part. */
  last: LinePart;
  /** That of the first part, whose entry alone has the level that the line begins with (`<3>`, sd-daemon(3)). */
  readonly severity: number;
  readonly body: Buffer[];
  bytes: number;
  /** Whether a part was cut, or the line has become too long. */
  isCut: boolean;
  /** Whether the line is a record already, and its further parts are only to be passed. */
  readonly isOver: boolean;
  /** Whether the first part was chosen; the others are not asked. */
  readonly isWanted: boolean;
  /** The last entry before the first part: a reader that starts anew must begin behind it as long as there is no record. */
  readonly before: Cursor | undefined;
  readonly beganAtMs: number;
  partAtMs: number;
  isPartial: boolean;
  /** Lines are numbered as they begin. */
  readonly number: number;
}

export interface JoinsOptions {
  /** Lines are cut behind so many bytes. */
  readonly maxValueBytes: number;
  /** Milliseconds of a monotonic clock. */
  readonly now: () => number;
  /** The cursor of the entry before the one that is being read, in the same sequence; undefined where none was read. */
  readonly cursorBefore: () => Cursor | undefined;
  /** Called for each line that was cut. */
  readonly onCut: () => void;
}

export class Joins {
  readonly #options: JoinsOptions;
  /** By stream, the one that waits longest first. */
  readonly #pending = new Map<string, Line>();
  /** Lines that have become records but for an arena to write them to; the reader takes them before it goes on. */
  readonly #ready: Line[] = [];
  #pendingBytes = 0;
  #lines = 0;

  constructor(options: JoinsOptions) {
    this.#options = options;
  }

  /** Lines of which the next part is awaited. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** The last part of the line that is to be written next; undefined where there is none. */
  get ready(): LinePart | undefined {
    return this.#ready[0]?.last;
  }

  /** In how many milliseconds the first line is to be given up; Infinity where none is pending. */
  get dueMs(): number {
    const [first] = this.#pending.values();
    return first === undefined ? Infinity : Math.max(0, first.partAtMs + MAX_WAIT_MS - this.#options.now());
  }

  /** Whether the stream's next entry goes on with a line. */
  isOpen(stream: string): boolean {
    return this.#pending.has(stream);
  }

  /**
   * Takes a part of a line; with `isContinued` there are more. `isWanted` tells of a first part whether it was chosen. Returns
   * whether the line is wanted.
   */
  add(part: LinePart, isContinued: boolean, isWanted: boolean): boolean {
    const line = this.#lineOf(part, isWanted);
    this.#remove(line);
    line.last = part;
    line.partAtMs = this.#options.now();
    if (!line.isOver) {
      if (line.isWanted) line.body.push(part.body);
      line.bytes += part.body.length;
      line.isCut = part.isCut || line.bytes > this.#options.maxValueBytes;
    }
    const isEnd = line.isCut || !isContinued;
    if (isEnd) this.#end(line);
    if (isContinued) this.#await(isEnd ? { ...line, body: [], bytes: 0, isOver: true } : line);
    return line.isWanted;
  }

  /** Gives up all lines that are pending. */
  giveUpAll(): void {
    for (const line of this.#pending.values()) this.#giveUp(line);
  }

  /** Gives up the lines whose next part has not come in time. */
  giveUpLate(): void {
    for (let [first] = this.#pending.values(); first !== undefined; [first] = this.#pending.values()) {
      if (first.partAtMs + MAX_WAIT_MS > this.#options.now()) return;
      this.#giveUp(first);
    }
  }

  /** The same by the time of an entry of the sequence that is read now, in microseconds: what is stored does not come any faster. */
  giveUpBefore(seqnumId: string, realtime: number): void {
    for (let [first] = this.#pending.values(); first !== undefined; [first] = this.#pending.values()) {
      if (first.last.seqnumId !== seqnumId || first.last.realtime + MAX_WAIT_MS * 1000 >= realtime) return;
      this.#giveUp(first);
    }
  }

  /**
   * Where a reader that starts anew must begin, as long as a line of the sequence is no record: behind the entry `before`, which is
   * undefined where it was the first one. Undefined where there is no such line.
   */
  heldBack(seqnumId: string): { readonly before: Cursor | undefined } | undefined {
    const lines = [...this.#pending.values(), ...this.#ready].filter(({ last, isOver }) => !isOver && last.seqnumId === seqnumId);
    return lines.reduce<Line | undefined>(
      (first, line) => (first === undefined || line.number < first.number ? line : first),
      undefined,
    );
  }

  /** Appends the line that is ready to `builder`, which is not full. False, and nothing appended, where the arena lacks room. */
  write(builder: BatchBuilder): boolean {
    const line = this.#ready[0];
    if (line === undefined) throw new Error('no line is ready');
    const { last, severity } = line;
    const { maxValueBytes } = this.#options;
    const whole = Buffer.concat(line.body);
    const body = whole.length > maxValueBytes ? whole.subarray(0, utf8Floor(whole, 0, maxValueBytes)) : whole;
    const hasRoom = body.length + 1 + last.fields.length <= builder.room;
    // Where not even an empty arena has the room, the members stay behind, as those of any other entry.
    if (!hasRoom && builder.count > 0) return false;
    const fields = hasRoom ? last.fields : EMPTY;
    const isCut = line.isCut || last.isCut || !hasRoom;
    if (isCut) this.#options.onCut();
    const flags = (isCut ? RecordFlag.truncated : 0) | (line.isPartial ? RecordFlag.partial : 0);
    const start = builder.used;
    const fieldsStart = writeBody(builder.arena, start, body, 0, body.length);
    const end = fieldsStart + fields.copy(builder.arena, fieldsStart);
    const service = builder.services.intern(last.service);
    const record = builder.add(last.realtime, severity, service, BodyKind.text, flags, start, start + body.length);
    builder.setFields(record, fieldsStart, end);
    builder.setSequence(record, last.seqnum);
    builder.used = end;
    this.#ready.shift();
    return true;
  }

  /** The line that the part belongs to. */
  #lineOf(part: LinePart, isWanted: boolean): Line {
    const line = this.#pending.get(part.stream);
    if (line === undefined) return this.#begin(part, isWanted, part.severity);
    if (line.isOver || line.beganAtMs + MAX_LINE_MS >= this.#options.now()) return line;
    this.#giveUp(line);
    return this.#begin(part, line.isWanted, line.severity);
  }

  #begin(part: LinePart, isWanted: boolean, severity: number): Line {
    const now = this.#options.now();
    const before = this.#options.cursorBefore();
    const number = this.#lines++;
    const state = { isCut: false, isOver: false, isWanted, isPartial: false };
    return { last: part, severity, body: [], bytes: 0, ...state, before, beganAtMs: now, partAtMs: now, number };
  }

  /** Makes the line the one that waits shortest. */
  #await(line: Line): void {
    this.#pending.set(line.last.stream, line);
    this.#pendingBytes += memoryOf(line);
    for (const longest of this.#pending.values()) {
      if (this.#pending.size <= MAX_PENDING && this.#pendingBytes <= MAX_PENDING_BYTES) return;
      this.#giveUp(longest);
    }
  }

  #giveUp(line: Line): void {
    this.#remove(line);
    line.isPartial = true;
    this.#end(line);
  }

  #remove(line: Line): void {
    if (this.#pending.delete(line.last.stream)) this.#pendingBytes -= memoryOf(line);
  }

  #end(line: Line): void {
    if (line.isWanted && !line.isOver) this.#ready.push(line);
  }
}

function memoryOf({ bytes, last }: Line): number {
  return bytes + last.fields.length;
}

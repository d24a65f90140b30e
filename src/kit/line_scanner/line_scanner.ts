/**
 * Takes newline-delimited text apart at the speed of memory: which lines there are, which of them are JSON objects, and where in
 * these the members stand that were asked for. The loops over bytes are WebAssembly (assembly/index.ts, compiled by
 * `npm run build:scanner`); what they find comes back as columns of offsets into `text`.
 *
 * A line counts as JSON where it holds exactly one object that is valid after RFC 8259, nested no deeper than is asked for. A member whose name
 * is written with escapes is valid but never found; of repeated members the last one counts. Whether the text is UTF-8 is for the
 * caller to check.
 */
import { readFileSync } from 'node:fs';

/** What `readNames` gives for a value that it does not know as a name; see there. */
export const NOT_A_NAME = 0xffff;

/** Names that are kept; the table is emptied between scans once it is nearly full. */
const MAX_NAMES = 1024;
const MAX_NAME_BYTES = 128;
const NAME_SLOTS = 4096;

/** The nesting that a body may have. */
export const MAX_BODY_DEPTH = 126;

const MAX_KEYS = 7;
/** Longest name of a member that can be looked for, in UTF-8. */
export const MAX_KEY_BYTES = 31;
const KEY_ROOM = 32;

/** The loops read whole blocks of 16 or 32 bytes, also where a text ends. */
const PADDING = 64;

const PAGE = 64 * 1024;
const FIXED_COLUMNS = 3;
const OTHER_COLUMNS = 4;

interface Scanner {
  setKeys(at: number, count: number): void;
  setStack(at: number, depth: number): void;
  setColumns(at: number, entries: number): void;
  setNames(slots: number, slotCount: number, lengths: number, names: number, max: number): void;
  names(): number;
  forgetNames(): void;
  scanLines(from: number, end: number, base: number, isJson: boolean): number;
  next(): number;
  readNames(column: number, rows: number, base: number, to: number): void;
  readTimes(column: number, rows: number, base: number, to: number): void;
}

let compiled: WebAssembly.Module | undefined;

export interface LineScannerOptions {
  /** Names of the top-level members that are looked for; at most 7, of at most 31 bytes. */
  readonly keys: readonly string[];
  /** Room for text at the start; grows with `reserve`. */
  readonly textBytes: number;
  /** Most lines of one scan. */
  readonly maxRows: number;
  /** How deep containers may nest below the object; at most 256, default that of bodies. */
  readonly maxDepth?: number;
}

/** A column of offsets, one a row of the last scan. */
export type Offsets = Uint32Array;

export class LineScanner {
  readonly #memory: WebAssembly.Memory;
  readonly #scanner: Scanner;
  readonly #keys: number;
  readonly #maxRows: number;
  readonly #columnsAt: number;
  readonly #namesAt: number;
  readonly #nameLengthsAt: number;
  readonly #outAt: number;
  readonly #textAt: number;
  #text: Buffer;
  #columns: readonly Offsets[];
  /** Offset behind the last line of the last scan. */
  next = 0;
  /** Another number whenever the ids of names have lost their meaning. */
  generation = 0;

  constructor({ keys, textBytes, maxRows, maxDepth = MAX_BODY_DEPTH }: LineScannerOptions) {
    const layout = new Layout();
    layout.skip(PAGE); // the compiler's own
    const keysAt = layout.take(KEY_ROOM + MAX_KEYS * KEY_ROOM);
    const stackAt = layout.take(256);
    const slotsAt = layout.take(NAME_SLOTS * 2);
    this.#nameLengthsAt = layout.take(MAX_NAMES * 4);
    this.#namesAt = layout.take(MAX_NAMES * MAX_NAME_BYTES + PADDING);
    this.#columnsAt = layout.take(maxRows * 4 * (FIXED_COLUMNS + keys.length * 2 + OTHER_COLUMNS));
    this.#outAt = layout.take(maxRows * 8 * (keys.length + 1));
    this.#textAt = layout.take(0);
    this.#keys = keys.length;
    this.#maxRows = maxRows;

    this.#memory = new WebAssembly.Memory({ initial: Math.ceil((this.#textAt + textBytes + PADDING) / PAGE) });
    this.#scanner = instantiate(this.#memory);
    this.#text = this.#viewText();
    this.#columns = this.#viewColumns();
    this.#writeKeys(keys, keysAt);
    this.#scanner.setKeys(keysAt, keys.length);
    this.#scanner.setStack(stackAt, maxDepth);
    this.#scanner.setColumns(this.#columnsAt, maxRows);
    this.#scanner.setNames(slotsAt, NAME_SLOTS, this.#nameLengthsAt, this.#namesAt, MAX_NAMES);
    this.#scanner.forgetNames();
  }

  /** Where the text to be scanned is put. Another buffer after `reserve`. */
  get text(): Buffer {
    return this.#text;
  }

  /** Makes room for a text of that many bytes. */
  reserve(bytes: number): void {
    const missing = this.#textAt + bytes + PADDING - this.#memory.buffer.byteLength;
    if (missing <= 0) return;
    this.#memory.grow(Math.ceil(missing / PAGE));
    this.#text = this.#viewText();
    this.#columns = this.#viewColumns();
  }

  /**
   * Scans the lines from `from` up to `end`, which is behind a newline, of `text`, at most `maxRows` of them. Empty lines are left
   * out. Returns the number of rows found; `next` tells where it stopped.
   */
  scan(from: number, end: number, isJson: boolean): number {
    if (this.#scanner.names() > MAX_NAMES / 2) this.#forgetNames();
    const rows = this.#scanner.scanLines(this.#textAt + from, this.#textAt + end, this.#textAt, isJson);
    this.next = this.#scanner.next() - this.#textAt;
    return rows;
  }

  get starts(): Offsets {
    return this.#column(0);
  }

  /** Behind the line, without its newline; for an object, behind its closing brace. */
  get ends(): Offsets {
    return this.#column(1);
  }

  /** 1 for a row that is a JSON object. */
  get isJson(): Offsets {
    return this.#column(2);
  }

  /** Where the value of a key starts, with its quote where it is a string. */
  valueStarts(key: number): Offsets {
    return this.#column(FIXED_COLUMNS + key * 2);
  }

  /** Where the value of a key ends; 0 where the object has no such member. */
  valueEnds(key: number): Offsets {
    return this.#column(FIXED_COLUMNS + key * 2 + 1);
  }

  /** How many members an object has that were not asked for. */
  get otherCounts(): Offsets {
    return this.#column(this.#otherColumn);
  }

  /** Where the name of the first of them starts, behind its quote. */
  get otherNameStarts(): Offsets {
    return this.#column(this.#otherColumn + 1);
  }

  get otherNameEnds(): Offsets {
    return this.#column(this.#otherColumn + 2);
  }

  /** Where the value of the first of them starts. */
  get otherStarts(): Offsets {
    return this.#column(this.#otherColumn + 3);
  }

  /**
   * Ids of the values of a key, one a row: the inside of a string, or the text of anything else. NOT_A_NAME where the value is
   * absent, has escapes or more than 128 bytes, or where the table has no room. An id is good for as long as `generation` stays the same.
   */
  readNames(key: number, rows: number): Uint16Array {
    return this.#readNames(FIXED_COLUMNS + key * 2, rows, key);
  }

  /** The same for the names of the first members that were not asked for. */
  readOtherNames(rows: number): Uint16Array {
    return this.#readNames(this.#otherColumn + 1, rows, this.#keys);
  }

  /**
   * The values of a key as times, in microseconds since 1970: strings of RFC 3339 that end in `Z`. -1 where there is none, -2 where it
   * is something else.
   */
  readTimes(key: number, rows: number): Float64Array {
    const to = this.#outAt + key * this.#maxRows * 8;
    this.#scanner.readTimes(FIXED_COLUMNS + key * 2, rows, this.#textAt, to);
    return new Float64Array(this.#memory.buffer, to, rows);
  }

  name(id: number): string {
    const bytes = Buffer.from(this.#memory.buffer);
    const start = this.#namesAt + id * MAX_NAME_BYTES;
    return bytes.toString('utf8', start, start + bytes.readUInt32LE(this.#nameLengthsAt + id * 4));
  }

  get #otherColumn(): number {
    return FIXED_COLUMNS + this.#keys * 2;
  }

  #readNames(column: number, rows: number, slot: number): Uint16Array {
    const to = this.#outAt + slot * this.#maxRows * 8;
    this.#scanner.readNames(column, rows, this.#textAt, to);
    return new Uint16Array(this.#memory.buffer, to, rows);
  }

  #column(index: number): Offsets {
    return this.#columns[index]!; // callers name columns that there are
  }

  #forgetNames(): void {
    this.#scanner.forgetNames();
    this.generation += 1;
  }

  #viewColumns(): Offsets[] {
    const count = FIXED_COLUMNS + this.#keys * 2 + OTHER_COLUMNS;
    const at = (index: number): number => this.#columnsAt + index * this.#maxRows * 4;
    return Array.from({ length: count }, (_, index) => new Uint32Array(this.#memory.buffer, at(index), this.#maxRows));
  }

  #viewText(): Buffer {
    const { buffer } = this.#memory;
    return Buffer.from(buffer, this.#textAt, buffer.byteLength - this.#textAt - PADDING);
  }

  #writeKeys(keys: readonly string[], at: number): void {
    if (keys.length > MAX_KEYS) throw new RangeError(`at most ${MAX_KEYS} members can be looked for`);
    const memory = Buffer.from(this.#memory.buffer);
    keys.forEach((key, index) => {
      const bytes = Buffer.from(key);
      if (bytes.length > MAX_KEY_BYTES)
        throw new RangeError(`the name of a member that is looked for has at most ${MAX_KEY_BYTES} bytes`);
      memory.writeUInt32LE(bytes.length, at + index * 4);
      bytes.copy(memory, at + KEY_ROOM + index * KEY_ROOM);
    });
  }
}

/** Hands out addresses, each at a multiple of 64. */
class Layout {
  #at = 0;

  take(bytes: number): number {
    const at = this.#at;
    this.skip(bytes);
    return at;
  }

  skip(bytes: number): void {
    this.#at = Math.ceil((this.#at + bytes) / 64) * 64;
  }
}

function instantiate(memory: WebAssembly.Memory): Scanner {
  compiled ??= new WebAssembly.Module(readFileSync(new URL('scanner.wasm', import.meta.url)));
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory } });
  // oxlint-disable-next-line no-unsafe-type-assertion -- these are the functions that assembly/index.ts exports
  return exports as unknown as Scanner;
}

/**
 * Reads the envelopes of cfjs1 lines (docs/CFJS1.md): `format`, the wrapper that bears its name, and the optional `destination`. Each
 * line is validated as a whole; what is inside the wrapper stays bytes.
 */
import { isUtf8 } from 'node:buffer';
import { LineScanner, MAX_BODY_DEPTH, NOT_A_NAME } from './line_scanner/line_scanner.ts';
import { isFormatName } from './options.ts';

export interface Cfjs1Visitor {
  /**
   * A line that is cfjs1: its object in `bytes`, its format, the destination it was meant for where it came by another route, and
   * where the record in it begins.
   */
  line(start: number, end: number, format: string, destination: string | undefined, recordStart: number): void;
  /** A line that is not, and why. */
  refused(problem: string): void;
}

const NEWLINE = 0x0a;
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;

const FORMAT = 0;
const DESTINATION = 1;

/** Lines are scanned in portions of this size; a longer line makes one of its own. */
const PORTION_BYTES = 128 * 1024;
const MAX_ROWS = 2048;

/** A line nests its body in the wrapper, and that in itself. */
const MAX_LINE_DEPTH = MAX_BODY_DEPTH + 2;

export class Cfjs1Lines {
  readonly #scanner = new LineScanner({
    keys: ['format', 'destination'],
    textBytes: PORTION_BYTES,
    maxRows: MAX_ROWS,
    maxDepth: MAX_LINE_DEPTH,
  });
  #generation = 0;
  /** By the scanner's ids of names: the name, or undefined for one that can be neither format nor destination. */
  #names: (string | undefined)[] = [];

  /** Visits the lines of `bytes` in order. The last one must end with a newline; empty ones are not visited. */
  read(bytes: Buffer, visitor: Cfjs1Visitor): void {
    for (let start = 0; start < bytes.length;) {
      const end = portionEnd(bytes, start);
      this.#readPortion(bytes, start, end, visitor);
      start = end;
    }
  }

  #readPortion(bytes: Buffer, start: number, end: number, visitor: Cfjs1Visitor): void {
    const scanner = this.#scanner;
    scanner.reserve(end - start);
    bytes.copy(scanner.text, 0, start, end);
    const isValid = isUtf8(bytes.subarray(start, end));
    for (let from = 0; from < end - start; from = scanner.next) {
      const rows = scanner.scan(from, end - start, true);
      if (scanner.generation !== this.#generation) this.#names = [];
      this.#generation = scanner.generation;
      const formats = scanner.readNames(FORMAT, rows);
      const destinations = scanner.readNames(DESTINATION, rows);
      const wrappers = scanner.readOtherNames(rows);
      const { starts, ends, otherStarts } = scanner;
      for (let row = 0; row < rows; row++) {
        const lineStart = starts[row]! + start; // rows are below the count, here and below
        const lineEnd = ends[row]! + start;
        if (!isValid && !isUtf8(bytes.subarray(lineStart, lineEnd))) {
          visitor.refused('not UTF-8');
          continue;
        }
        const format = this.#name(formats[row]!, FORMAT, row);
        const destination = this.#name(destinations[row]!, DESTINATION, row);
        const hasWrapper = wrappers[row] === formats[row] && wrappers[row] !== NOT_A_NAME ? true : this.#isWrapper(row, format);
        const problem = this.#problemOf(row, format, destination, hasWrapper);
        if (problem === '') visitor.line(lineStart, lineEnd, format ?? '', destination, otherStarts[row]! + start);
        else visitor.refused(problem);
      }
    }
  }

  /** Why a row is not cfjs1; empty where it is. */
  #problemOf(row: number, format: string | undefined, destination: string | undefined, hasWrapper: boolean): string {
    const scanner = this.#scanner;
    if (scanner.isJson[row] !== 1) return 'not a JSON object';
    if (!this.#isString(FORMAT, row)) return 'no member "format" that is a string';
    if (format === undefined) return 'the format is not a name of letters, digits, dot, underscore and dash';
    if (scanner.otherCounts[row] !== 1 || !hasWrapper) return 'no wrapper named by the format, or other members beside it';
    if (scanner.text[scanner.otherStarts[row]!] !== OPEN_BRACE) return 'the wrapper is not an object'; // row is below the count
    if (scanner.valueEnds(DESTINATION)[row] === 0) return '';
    if (!this.#isString(DESTINATION, row)) return 'the destination is not a string';
    return destination === undefined ? 'the destination is not a name of letters, digits, dot, underscore and dash' : '';
  }

  #isString(key: number, row: number): boolean {
    const scanner = this.#scanner;
    return scanner.valueEnds(key)[row] !== 0 && scanner.text[scanner.valueStarts(key)[row]!] === QUOTE; // row is below the count
  }

  /** The value of a key where it may be a format's name; looked up by its id, or read where the scanner gave it none. */
  #name(id: number, key: number, row: number): string | undefined {
    const scanner = this.#scanner;
    if (id === NOT_A_NAME) {
      if (scanner.isJson[row] !== 1 || !this.#isString(key, row)) return undefined;
      return validName(scanner.text.toString('latin1', scanner.valueStarts(key)[row]! + 1, scanner.valueEnds(key)[row]! - 1)); // as above
    }
    if (!(id in this.#names)) this.#names[id] = validName(scanner.name(id));
    return this.#names[id];
  }

  #isWrapper(row: number, format: string | undefined): boolean {
    const { text, otherNameStarts, otherNameEnds } = this.#scanner;
    return format !== undefined && text.toString('latin1', otherNameStarts[row], otherNameEnds[row]) === format;
  }
}

function validName(name: string): string | undefined {
  return isFormatName(name) ? name : undefined;
}

/** Behind the last newline of the portion that starts at `start`; behind the first one where a line is longer than a portion. */
function portionEnd(bytes: Buffer, start: number): number {
  const last = bytes.subarray(start, start + PORTION_BYTES).lastIndexOf(NEWLINE);
  return (last >= 0 ? start + last : bytes.indexOf(NEWLINE, start + PORTION_BYTES)) + 1;
}

/**
 * Reads letters back. A line that a hand has edited, or that is none of ours, is told apart here and nowhere else: the members may stand in
 * any order, and the record is taken as the bytes that stand there, so that it is sent again as it was sent first.
 */
import { isUtf8 } from 'node:buffer';
import { LineScanner, MAX_BODY_DEPTH } from '../kit/line_scanner/line_scanner.ts';
import type { LetterHead } from './letter.ts';

/** A letter in the text that it was read from. */
export interface ReadLetter {
  /** Range of the letter, without its newline. */
  readonly start: number;
  readonly end: number;
  readonly head: LetterHead;
  /** Range of the record, a JSON object. */
  readonly lineStart: number;
  readonly lineEnd: number;
}

export interface LetterVisitor {
  letter(letter: ReadLetter): void;
  /** A line that is not a letter, and why. */
  unreadable(start: number, end: number, problem: string): void;
}

/** The members of a letter; the last one is the record. */
const TEXTS = ['time', 'reason', 'destination', 'detail', 'receiver'] as const;
const ATTEMPTS = TEXTS.length;
const LINE = TEXTS.length + 1;

/** A letter holds a line, that the wrapper, and that the body. */
const MAX_LETTER_DEPTH = MAX_BODY_DEPTH + 3;
const MAX_ROWS = 1024;
const TEXT_BYTES = 256 * 1024;

const OPEN_BRACE = 0x7b;

export class LetterReader {
  readonly #scanner = new LineScanner({
    keys: [...TEXTS, 'attempts', 'line'],
    textBytes: TEXT_BYTES,
    maxRows: MAX_ROWS,
    maxDepth: MAX_LETTER_DEPTH,
  });

  /** Visits the lines of `bytes`, which end with a newline each, in order; empty ones are passed over. */
  read(bytes: Buffer, visitor: LetterVisitor): void {
    const scanner = this.#scanner;
    scanner.reserve(bytes.length);
    bytes.copy(scanner.text);
    for (let from = 0; from < bytes.length; from = scanner.next) {
      const rows = scanner.scan(from, bytes.length, true);
      for (let row = 0; row < rows; row++) this.#visit(bytes, row, visitor);
    }
  }

  #visit(bytes: Buffer, row: number, visitor: LetterVisitor): void {
    const scanner = this.#scanner;
    const start = scanner.starts[row]!; // rows are below the count, here and below
    const end = scanner.ends[row]!;
    if (scanner.isJson[row] !== 1) return visitor.unreadable(start, end, 'not a JSON object');
    if (!isUtf8(bytes.subarray(start, end))) return visitor.unreadable(start, end, 'not UTF-8');
    const head: Record<string, unknown> = {};
    for (const [key, name] of TEXTS.entries()) head[name] = this.#value(bytes, key, row);
    head['attempts'] = this.#value(bytes, ATTEMPTS, row);
    const lineStart = scanner.valueStarts(LINE)[row]!;
    const lineEnd = scanner.valueEnds(LINE)[row]!;
    const problem = problemOf(head, lineEnd === 0 ? undefined : bytes[lineStart]);
    if (problem !== undefined) return visitor.unreadable(start, end, problem);
    // oxlint-disable-next-line no-unsafe-type-assertion -- problemOf has looked at every member
    visitor.letter({ start, end, head: head as unknown as LetterHead, lineStart, lineEnd });
  }

  #value(bytes: Buffer, key: number, row: number): unknown {
    const end = this.#scanner.valueEnds(key)[row]!; // as above
    return end === 0 ? undefined : JSON.parse(bytes.toString('utf8', this.#scanner.valueStarts(key)[row], end));
  }
}

function problemOf(head: Readonly<Record<string, unknown>>, firstOfLine: number | undefined): string | undefined {
  const missing = TEXTS.find((name) => typeof head[name] !== 'string');
  if (missing !== undefined) return `no member "${missing}" that is a string`;
  if (!Number.isSafeInteger(head['attempts'])) return 'no member "attempts" that is a whole number';
  if (firstOfLine !== OPEN_BRACE) return 'no member "line" that is an object';
  return undefined;
}

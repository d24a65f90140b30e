import { LineScanner } from './line_scanner/line_scanner.ts';

const NEWLINE = 0x0a;

/** Tells whether a text is one JSON object. For many lines at once, use the line scanner itself. */
export class JsonObjectFinder {
  readonly #scanner = new LineScanner({ keys: [], textBytes: 64 * 1024, maxRows: 2 });
  /** Range of the object found last. */
  start = 0;
  end = 0;

  /**
   * Whether the UTF-8 bytes `start` to `end` are one JSON object on one line, with nothing but blanks around it; its range is then in
   * `start` and `end`.
   */
  find(bytes: Buffer, start: number, end: number): boolean {
    const scanner = this.#scanner;
    const length = end - start;
    scanner.reserve(length + 1);
    bytes.copy(scanner.text, 0, start, end);
    scanner.text[length] = NEWLINE;
    if (scanner.scan(0, length + 1, true) !== 1 || scanner.isJson[0] !== 1) return false;
    this.start = start + scanner.starts[0]!; // there is one row, here and below
    this.end = start + scanner.ends[0]!;
    return true;
  }
}

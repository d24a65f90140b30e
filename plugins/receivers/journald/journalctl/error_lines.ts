/** Splits what a program says on its standard error into lines, with bounded memory. */

/** A longer line is told in its first part only. */
const MAX_LINE_BYTES = 1024;

const NEWLINE = 0x0a;

export class ErrorLines {
  readonly #onLine: (line: string) => void;
  readonly #line = Buffer.alloc(MAX_LINE_BYTES);
  #length = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      this.#keep(chunk, start, end);
      this.end();
      start = end + 1;
    }
    this.#keep(chunk, start, chunk.length);
  }

  /** Tells the last line too, where it has no newline. */
  end(): void {
    if (this.#length > 0) this.#onLine(this.#line.toString('utf8', 0, this.#length));
    this.#length = 0;
  }

  #keep(chunk: Buffer, start: number, end: number): void {
    this.#length += chunk.copy(this.#line, this.#length, start, end);
  }
}

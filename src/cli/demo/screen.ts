/** What the demo shows: lines that stay, and one below them that is redrawn in place on a terminal and printed anew elsewhere. */
import type { Output } from '../../kit/commands.ts';

/** ECMA-48: carriage return, and erase to the end of the line (EL). */
const TO_START_OF_LINE = '\r\u001b[K';
const DEFAULT_COLUMNS = 80;

export class Screen {
  readonly #out: Output;
  #shown = '';

  constructor(out: Output) {
    this.#out = out;
  }

  /** Prints lines that stay. */
  say(text: string): void {
    this.#clear();
    this.#out.write(`${text}\n`);
  }

  /** Shows the line that changes; elsewhere than on a terminal only where it did change. */
  update(line: string): void {
    if (this.#out.isTTY === true) {
      // A line that wraps could not be redrawn in place. Some terminals say that they have no columns at all.
      this.#out.write(TO_START_OF_LINE + line.slice(0, (this.#out.columns || DEFAULT_COLUMNS) - 1));
    } else if (line !== this.#shown) {
      this.#out.write(`${line}\n`);
    }
    this.#shown = line;
  }

  #clear(): void {
    if (this.#shown !== '' && this.#out.isTTY === true) this.#out.write(TO_START_OF_LINE);
    if (this.#out.isTTY === true) this.#shown = '';
  }
}

/**
 * Values as the configuration names them: `*` stands for any text and `?` for one character, everything else for itself. There is
 * neither an escape character nor a regular expression behind this: unit names have backslashes, and the time that a value takes
 * must not depend on who wrote it beyond its length times the pattern's.
 */
import { isUtf8 } from 'node:buffer';

const STAR = 0x2a;
const QUESTION_MARK = 0x3f;

/** Whether the text is a pattern and not a plain value. */
export function isGlob(text: string): boolean {
  return text.includes('*') || text.includes('?');
}

export class Patterns {
  /** Plain values, each byte a character, so that what is looked up need not be UTF-8. */
  readonly #plain: ReadonlySet<string>;
  readonly #longestPlain: number;
  readonly #globs: readonly Glob[];

  constructor(texts: readonly string[]) {
    const [globs, plain] = [texts.filter(isGlob), texts.filter((text) => !isGlob(text)).map(toLatin1)];
    this.#plain = new Set(plain);
    this.#longestPlain = Math.max(-1, ...plain.map(({ length }) => length));
    this.#globs = globs.map((text) => new Glob(text));
  }

  /** Whether the value from `start` to `end` of `bytes` fits one of the patterns, as a whole and in this case. */
  fits(bytes: Buffer, start: number, end: number): boolean {
    if (end - start <= this.#longestPlain && this.#plain.has(bytes.toString('latin1', start, end))) return true;
    return this.#globs.some((glob) => glob.fits(bytes, start, end));
  }
}

class Glob {
  readonly #pattern: Buffer;
  readonly #hasQuestionMark: boolean;

  constructor(text: string) {
    this.#pattern = Buffer.from(text);
    this.#hasQuestionMark = text.includes('?');
  }

  fits(bytes: Buffer, start: number, end: number): boolean {
    const pattern = this.#pattern;
    // In what is not UTF-8, each byte is a character.
    const isText = this.#hasQuestionMark && isUtf8(bytes.subarray(start, end));
    let at = start;
    let index = 0;
    // Behind the last star that was passed, and the end of what it stands for: at first nothing, then one character more each time.
    let afterStar = -1;
    let starEnd = start;
    while (at < end) {
      const wanted = pattern[index];
      if (wanted === STAR) {
        afterStar = index += 1;
        starEnd = at;
      } else if (wanted === QUESTION_MARK) {
        index += 1;
        at = behindCharacter(bytes, at, end, isText);
      } else if (wanted === bytes[at]) {
        index += 1;
        at += 1;
      } else if (afterStar >= 0) {
        index = afterStar;
        at = starEnd = behindCharacter(bytes, starEnd, end, isText);
      } else return false;
    }
    while (pattern[index] === STAR) index++;
    return index === pattern.length;
  }
}

function behindCharacter(bytes: Buffer, start: number, end: number, isText: boolean): number {
  let at = start + 1;
  if (isText) while (at < end && (bytes[at]! & 0xc0) === 0x80) at++; // at is below the end
  return at;
}

function toLatin1(text: string): string {
  return Buffer.from(text).toString('latin1');
}

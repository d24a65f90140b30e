/**
 * Record ids as an encoder writes them that wants copies to be told apart here (docs/CFJS1.md, "Ids"): the record begins, byte for byte,
 * with `{"id":"<epoch>-<sequence>"`. Whatever else stands there is no id in this sense.
 */

/** No number of a sequence. */
export const NO_SEQUENCE = -1;

/** Longer epochs are not looked at. */
export const MAX_EPOCH_BYTES = 64;

const OPENING = '{"id":"';
const QUOTE = 0x22;
const DASH = 0x2d;
const ZERO = 0x30;
const BACKSLASH = 0x5c;

/** Digits that a number needs at most. */
const MAX_DIGITS = 16;

/**
 * What every record of an epoch begins with, up to its number: its length in bytes, and its bytes in words of eight, the last of which
 * may overlap with the one before. Words are compared as doubles, a quarter of the time that bytes take: as long as one of the two is
 * ASCII, and so neither zero nor NaN, that compares all of their bits.
 */
export interface Opening {
  readonly length: number;
  readonly words: readonly number[];
  readonly lastWord: number;
}

/** The opening of an epoch as `RecordIds` finds it. */
export function openingOf(epoch: string): Opening {
  const bytes = Buffer.from(`${OPENING}${epoch}-`, 'latin1');
  const words = Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) => bytes.readDoubleLE(index * 8));
  return { length: bytes.length, words, lastWord: bytes.readDoubleLE(bytes.length - 8) };
}

/** Reads the ids in a buffer of lines, which ends with a newline. */
export class RecordIds {
  readonly #text: Buffer;
  readonly #view: DataView;
  readonly #bytes: number;

  constructor(text: Buffer) {
    this.#text = text;
    this.#view = new DataView(text.buffer, text.byteOffset, text.length);
    this.#bytes = text.length;
  }

  /** The number of the record at offset `at`, where the record begins with `opening` and a number; `NO_SEQUENCE` otherwise. */
  sequence(at: number, { length, words, lastWord }: Opening): number {
    const view = this.#view;
    const from = at + length;
    if (from >= this.#bytes) return NO_SEQUENCE;
    for (let index = 0; index < words.length; index++) {
      if (view.getFloat64(at + index * 8, true) !== words[index]) return NO_SEQUENCE;
    }
    if (length % 8 !== 0 && view.getFloat64(from - 8, true) !== lastWord) return NO_SEQUENCE;
    let value = 0;
    let end = from;
    for (; end < from + MAX_DIGITS; end++) {
      const digit = view.getUint8(end) - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const hasOneForm = end === from + 1 || (end > from && view.getUint8(from) !== ZERO);
    return hasOneForm && view.getUint8(end) === QUOTE && value <= Number.MAX_SAFE_INTEGER ? value : NO_SEQUENCE;
  }

  /** The epoch of the id with which the record at offset `at` begins; undefined where there is none that is looked at. */
  epoch(at: number): string | undefined {
    const text = this.#text;
    const from = at + OPENING.length;
    if (text.toString('latin1', at, from) !== OPENING) return undefined;
    const maxEnd = Math.min(from + MAX_EPOCH_BYTES + 1 + MAX_DIGITS, this.#bytes - 1);
    let dash = from;
    for (let end = from; end <= maxEnd; end++) {
      const byte = text[end]!; // end is below the length
      if (byte === DASH) dash = end;
      else if (byte === QUOTE) break;
      else if (byte < 0x21 || byte > 0x7e || byte === BACKSLASH) return undefined;
    }
    return dash > from && dash - from <= MAX_EPOCH_BYTES ? text.toString('latin1', from, dash) : undefined;
  }
}

/**
 * Timestamps as whole microseconds since 1970-01-01 UTC, read from and written as RFC 3339 without making a string a record:
 * neighbouring records nearly always share their second, so its value (or text) is remembered.
 */

/** Length of `2026-11-20T07:00:00.123456Z`. */
export const TIMESTAMP_BYTES = 27;

/** Length of the part up to the second, `2026-11-20T07:00:00`. */
const SECOND_BYTES = 19;

const ZERO = 0x30;
const MICROS_PER_SECOND = 1_000_000;

/** The digits of 0 to 99, as the 16-bit number that is written for them, little-endian. */
const TWO_DIGITS = Uint16Array.from(
  { length: 100 },
  (_, value) => (ZERO + Math.floor(value / 10)) | ((ZERO + (value % 10)) << 8),
);

export class TimestampWriter {
  /** The text of the second written last, and the dot behind it. */
  readonly #second = new DataView(new ArrayBuffer(SECOND_BYTES + 1));
  #secondValue = -1;

  /** Writes the RFC 3339 text of `micros` (27 bytes, UTC, six digits) at `at`; times before 1970 or after 2255 as the nearest. */
  write(target: DataView, at: number, micros: number): void {
    const clamped = micros >= 0 ? Math.min(micros, MAX_MICROS) : 0;
    const second = Math.floor(clamped / MICROS_PER_SECOND);
    if (second !== this.#secondValue) this.#setSecond(second);
    const text = this.#second;
    target.setUint32(at, text.getUint32(0));
    target.setUint32(at + 4, text.getUint32(4));
    target.setUint32(at + 8, text.getUint32(8));
    target.setUint32(at + 12, text.getUint32(12));
    target.setUint32(at + 16, text.getUint32(16));
    const fraction = (clamped - second * MICROS_PER_SECOND) | 0;
    const high = (fraction / 10_000) | 0;
    const low = fraction - high * 10_000;
    const middle = (low / 100) | 0;
    target.setUint16(at + 20, TWO_DIGITS[high]!, true); // six digits are three indexes below 100, here and below
    target.setUint16(at + 22, TWO_DIGITS[middle]!, true);
    target.setUint16(at + 24, TWO_DIGITS[low - middle * 100]!, true);
    target.setUint8(at + 26, 0x5a);
  }

  /** Remembers the text of a second, with the dot behind it. */
  #setSecond(second: number): void {
    this.#secondValue = second;
    const text = `${new Date(second * 1000).toISOString().slice(0, SECOND_BYTES)}.`;
    for (let index = 0; index < text.length; index++) this.#second.setUint8(index, text.charCodeAt(index));
  }
}

/** 2255-06-05T23:47:34.740991Z, behind which whole microseconds are not exact any more. */
const MAX_MICROS = Number.MAX_SAFE_INTEGER;

export class TimestampReader {
  readonly #second = Buffer.alloc(SECOND_BYTES);
  #secondMicros = 0;

  /**
   * Reads a JSON value, the bytes `start` to `end`: a string in RFC 3339 (any fraction, `Z` or an offset), or a number of seconds,
   * milliseconds, microseconds or nanoseconds since 1970, told apart by its size. Returns -1 for anything else.
   */
  readJson(bytes: Buffer, start: number, end: number): number {
    if (bytes[start] !== 0x22) return readNumber(bytes.toString('latin1', start, end));
    const from = start + 1;
    const to = end - 1;
    if (to - from <= SECOND_BYTES) return readSlowly(bytes.toString('latin1', from, to));
    if (!this.#sameSecond(bytes, from)) {
      const micros = readSlowly(`${bytes.toString('latin1', from, from + SECOND_BYTES)}Z`);
      if (micros < 0) return readSlowly(bytes.toString('latin1', from, to));
      bytes.copy(this.#second, 0, from, from + SECOND_BYTES);
      this.#secondMicros = micros;
    }
    let at = from + SECOND_BYTES;
    let fraction = 0;
    if (bytes[at] === 0x2e) {
      let scale = MICROS_PER_SECOND / 10;
      for (at += 1; at < to; at++, scale /= 10) {
        const digit = bytes[at]! - ZERO; // at is below the caller's end
        if (digit < 0 || digit > 9) break;
        if (scale >= 1) fraction += digit * scale;
      }
    }
    if (at === to - 1 && (bytes[at] === 0x5a || bytes[at] === 0x7a)) return this.#secondMicros + fraction;
    return readSlowly(bytes.toString('latin1', from, to));
  }

  #sameSecond(bytes: Uint8Array, from: number): boolean {
    const second = this.#second;
    // The last digits differ first.
    for (let index = SECOND_BYTES - 1; index >= 0; index--) if (second[index] !== bytes[from + index]) return false;
    return true;
  }
}

const RFC3339 = /^(\d{4}-\d\d-\d\d)[Tt ]([01]\d|2[0-3]):\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)$/;

function readSlowly(text: string): number {
  const match = RFC3339.exec(text);
  if (match === null) return -1;
  const [, date = '', , fraction = ''] = match;
  // Date.parse takes the 30th of February for the 2nd of March.
  const midnight = Date.parse(`${date}T00:00:00Z`);
  if (Number.isNaN(midnight) || !new Date(midnight).toISOString().startsWith(date)) return -1;
  const millis = Date.parse(text.replace(fraction, '').replace(' ', 'T').toUpperCase());
  if (Number.isNaN(millis) || millis < 0) return -1;
  return millis * 1000 + Math.round(Number(`0${fraction.slice(0, 7)}`) * MICROS_PER_SECOND);
}

/** Upper bounds, in the year 5138, of a number that counts seconds, milliseconds or microseconds; larger ones are nanoseconds. */
const SECONDS_BELOW = 1e11;

function readNumber(text: string): number {
  const value = Number(text);
  if (!(value >= 0)) return -1;
  if (value < SECONDS_BELOW) return Math.round(value * 1e6);
  if (value < SECONDS_BELOW * 1e3) return Math.round(value * 1e3);
  if (value < SECONDS_BELOW * 1e6) return Math.round(value);
  return value < SECONDS_BELOW * 1e9 ? Math.round(value / 1e3) : -1;
}

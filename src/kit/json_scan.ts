/**
 * Validates one JSON object (RFC 8259, full grammar, depth bounded) and picks out the members of its top level that it was asked
 * for, in one pass over the bytes and without making a string.
 *
 *   object = "{" [ member *( "," member ) ] "}"       member = string ":" value
 *   value  = object / array / string / number / "true" / "false" / "null"
 *
 * Two deliberate differences from `JSON.parse`: a newline ends the text (the input is lines), and a member name that is
 * written with escapes is valid but never picked. The caller checks that the bytes are UTF-8, for many lines at once.
 */
const SPACE = 0x20;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

const MAX_DEPTH = 128;

/** 1 for bytes that a string may hold as they are. */
const PLAIN = new Uint8Array(256).fill(1, 0x20);
PLAIN[QUOTE] = 0;
PLAIN[BACKSLASH] = 0;

/** 1 for the bytes that may follow a backslash, `u` aside. */
const ESCAPED = new Uint8Array(256);
for (const char of '"\\/bfnrt') ESCAPED[char.charCodeAt(0)] = 1;

const HEX = new Uint8Array(256);
for (const char of '0123456789abcdefABCDEF') HEX[char.charCodeAt(0)] = 1;

/** Space, tab and carriage return; a newline is a terminator here. */
const BLANK = new Uint8Array(256);
for (const char of ' \t\r') BLANK[char.charCodeAt(0)] = 1;

/** Where a picked member's value is: strings with their quotes. `start` 0 and `end` 0 where the member is absent. */
export interface Pick {
  start: number;
  end: number;
}

export class JsonObjectScanner {
  /** One entry a name, in the order of the names given; valid until the next scan. Of repeated members the last one counts. */
  readonly picks: readonly Pick[];
  /** The first top-level member that was not asked for: range of its name without quotes, and of its value. */
  readonly other = { nameStart: 0, nameEnd: 0, start: 0, end: 0 };
  /** How many members were not asked for. */
  otherCount = 0;

  readonly #names: readonly Buffer[];
  /** Bit n is set where a name of n bytes is asked for (n up to 31). */
  readonly #lengths: number;
  readonly #stack = new Uint8Array(MAX_DEPTH);

  constructor(names: readonly string[]) {
    this.#names = names.map((name) => Buffer.from(name));
    this.picks = names.map(() => ({ start: 0, end: 0 }));
    this.#lengths = this.#names.reduce((bits, name) => bits | (1 << name.length), 0);
    if (this.#names.some((name) => name.length > 31)) throw new RangeError('names to be picked are at most 31 bytes long');
  }

  /**
   * Scans the object that starts at `start` (blanks before it are skipped). Returns the offset behind its closing brace, or -1
   * where it is not valid JSON. `bytes` must hold a newline or other control character at or behind the end of the object.
   */
  scan(bytes: Uint8Array, start: number): number {
    const { picks } = this;
    for (let index = 0; index < picks.length; index++) {
      const pick = picks[index]!; // index is below the length
      pick.start = 0;
      pick.end = 0;
    }
    this.otherCount = 0;
    let at = start;
    if (bytes[at] !== OPEN_BRACE) {
      at = skipBlanks(bytes, at);
      if (bytes[at] !== OPEN_BRACE) return -1;
    }
    at += 1;
    if (bytes[at] !== QUOTE) {
      at = skipBlanks(bytes, at);
      if (bytes[at] === CLOSE_BRACE) return at + 1;
    }
    // The hot loop: what is usual (no blanks, strings without escapes) is tried in place, the rest is left to the functions below.
    for (;;) {
      if (bytes[at] !== QUOTE) return -1;
      const nameStart = ++at;
      while (PLAIN[bytes[at]!] === 1) at++; // behind the end the look-up gives undefined, which ends the loop
      if (bytes[at] === QUOTE) at += 1;
      else if ((at = skipString(bytes, at)) < 0) return -1;
      const nameEnd = at - 1;
      if (bytes[at] !== COLON) {
        at = skipBlanks(bytes, at);
        if (bytes[at] !== COLON) return -1;
      }
      at += 1;
      if (bytes[at]! <= SPACE) at = skipBlanks(bytes, at); // a comparison with undefined is false
      const valueStart = at;
      if (bytes[at] === QUOTE) {
        at += 1;
        while (PLAIN[bytes[at]!] === 1) at++; // see above
        if (bytes[at] === QUOTE) at += 1;
        else if ((at = skipString(bytes, at)) < 0) return -1;
      } else if ((at = this.#skipValue(bytes, at)) < 0) return -1;
      this.#note(bytes, nameStart, nameEnd, valueStart, at);
      if (bytes[at]! <= SPACE) at = skipBlanks(bytes, at); // see above
      const next = bytes[at];
      at += 1;
      if (next === CLOSE_BRACE) return at;
      if (next !== COMMA) return -1;
      if (bytes[at] !== QUOTE) at = skipBlanks(bytes, at);
    }
  }

  #note(bytes: Uint8Array, nameStart: number, nameEnd: number, start: number, end: number): void {
    const length = nameEnd - nameStart;
    if (length < 32 && (this.#lengths & (1 << length)) !== 0) {
      for (let index = 0; index < this.#names.length; index++) {
        if (!equals(this.#names[index]!, bytes, nameStart, length)) continue; // index is below the length, here and below
        const pick = this.picks[index]!;
        pick.start = start;
        pick.end = end;
        return;
      }
    }
    if (this.otherCount++ > 0) return;
    this.other.nameStart = nameStart;
    this.other.nameEnd = nameEnd;
    this.other.start = start;
    this.other.end = end;
  }

  #skipValue(bytes: Uint8Array, at: number): number {
    const first = bytes[at]!; // undefined behind the end falls through to the number scanner, which refuses it
    if (first === QUOTE) return skipString(bytes, at + 1);
    if (first === OPEN_BRACE || first === OPEN_BRACKET) return this.#skipContainer(bytes, at);
    return skipScalar(bytes, at, first);
  }

  /** Skips a whole object or array without recursion: the stack holds the closing byte that each open container waits for. */
  #skipContainer(bytes: Uint8Array, start: number): number {
    const stack = this.#stack;
    let depth = 0;
    let at = start;
    for (;;) {
      // At a value.
      const first = bytes[at]!; // see #skipValue
      if (first === OPEN_BRACE || first === OPEN_BRACKET) {
        if (depth === MAX_DEPTH) return -1;
        const close = first === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
        at = skipBlanks(bytes, at + 1);
        if (bytes[at] !== close) {
          stack[depth++] = close;
          if (close === CLOSE_BRACKET) continue;
          at = skipName(bytes, at);
          if (at < 0) return -1;
          continue;
        }
        at += 1;
      } else {
        at = first === QUOTE ? skipString(bytes, at + 1) : skipScalar(bytes, at, first);
        if (at < 0) return -1;
      }
      // Behind a value: close what ends here, then go on to the next value.
      for (;;) {
        if (depth === 0) return at;
        at = skipBlanks(bytes, at);
        const next = bytes[at];
        at += 1;
        if (next === COMMA) break;
        if (next !== stack[depth - 1]) return -1;
        depth -= 1;
      }
      at = skipBlanks(bytes, at);
      if (stack[depth - 1] === CLOSE_BRACE) {
        at = skipName(bytes, at);
        if (at < 0) return -1;
      }
    }
  }
}

function skipBlanks(bytes: Uint8Array, at: number): number {
  while (BLANK[bytes[at]!] === 1) at++; // behind the end the look-up gives undefined, which ends the loop
  return at;
}

/** From behind the opening quote to behind the closing one, or -1. */
function skipString(bytes: Uint8Array, at: number): number {
  for (;;) {
    while (PLAIN[bytes[at]!] === 1) at++; // behind the end the look-up gives undefined, which ends the loop
    const stop = bytes[at];
    if (stop === QUOTE) return at + 1;
    if (stop !== BACKSLASH) return -1;
    const escape = bytes[at + 1]!; // undefined is in neither table
    if (ESCAPED[escape] === 1) at += 2;
    else if (escape === 0x75 && isHex4(bytes, at + 2)) at += 6;
    else return -1;
  }
}

function isHex4(bytes: Uint8Array, at: number): boolean {
  return HEX[bytes[at]!] === 1 && HEX[bytes[at + 1]!] === 1 && HEX[bytes[at + 2]!] === 1 && HEX[bytes[at + 3]!] === 1; // undefined is not in the table
}

/** From the opening quote of a member's name to its value, or -1. */
function skipName(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1;
  at = skipString(bytes, at + 1);
  if (at < 0) return -1;
  at = skipBlanks(bytes, at);
  return bytes[at] === COLON ? skipBlanks(bytes, at + 1) : -1;
}

/** Number or literal; returns the offset behind it, or -1. */
function skipScalar(bytes: Uint8Array, at: number, first: number): number {
  if (first === 0x74) return matches(bytes, at, 'true') ? at + 4 : -1;
  if (first === 0x66) return matches(bytes, at, 'false') ? at + 5 : -1;
  if (first === 0x6e) return matches(bytes, at, 'null') ? at + 4 : -1;
  return skipNumber(bytes, at);
}

function skipNumber(bytes: Uint8Array, at: number): number {
  if (bytes[at] === MINUS) at++;
  if (bytes[at] === ZERO) at++;
  else {
    at = skipDigits(bytes, at);
    if (at < 0) return -1;
  }
  if (bytes[at] === DOT) {
    at = skipDigits(bytes, at + 1);
    if (at < 0) return -1;
  }
  if (bytes[at] === 0x65 || bytes[at] === 0x45) {
    at += 1;
    if (bytes[at] === PLUS || bytes[at] === MINUS) at++;
    at = skipDigits(bytes, at);
  }
  return at;
}

/** One digit or more; -1 where there is none. */
function skipDigits(bytes: Uint8Array, start: number): number {
  let at = start;
  while (bytes[at]! >= ZERO && bytes[at]! <= NINE) at++; // comparisons with undefined are false
  return at === start ? -1 : at;
}

function matches(bytes: Uint8Array, at: number, literal: string): boolean {
  for (let index = 0; index < literal.length; index++) if (bytes[at + index] !== literal.charCodeAt(index)) return false;
  return true;
}

function equals(name: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (name.length !== length) return false;
  for (let index = 0; index < length; index++) if (name[index] !== bytes[at + index]) return false;
  return true;
}

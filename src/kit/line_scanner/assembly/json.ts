/**
 * The grammar of JSON (RFC 8259), as far as it takes to know where a valid value ends; 0 stands for one that is not valid.
 *
 *   object = "{" [ member *( "," member ) ] "}"       member = string ":" value
 *   value  = object / array / string / number / "true" / "false" / "null"
 *
 * A newline between tokens is not a blank here but the end of the line, and so of anything that is not complete.
 */

let stackAt: usize = 0;
let maxDepth: i32 = 0;

/** Where the stack of open containers lies, one byte each, and how many there may be below the object: the deepest nesting that counts as JSON. */
export function setStack(at: usize, depth: i32): void {
  stackAt = at;
  maxDepth = depth;
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == 0x20 || byte == 0x09 || byte == 0x0d;
}

// @ts-ignore: decorator
@inline
export function skipBlanks(at: usize): usize {
  while (isBlank(load<u8>(at))) at++;
  return at;
}

/** Address of the first quote, backslash or control character from `at` on. */
// @ts-ignore: decorator
@inline
export function plainEnd(at: usize): usize {
  while (true) {
    const bytes = v128.load(at);
    const stops = v128.or(
      v128.or(i8x16.eq(bytes, i8x16.splat(0x22)), i8x16.eq(bytes, i8x16.splat(0x5c))),
      i8x16.lt_u(bytes, i8x16.splat(0x20)),
    );
    const mask = i8x16.bitmask(stops);
    if (mask != 0) return at + ctz(mask);
    at += 16;
  }
}

/** From behind the opening quote to behind the closing one; 0 where the string is not valid. */
export function skipString(from: usize): usize {
  let at = from;
  while (true) {
    at = plainEnd(at);
    const stop = <u32>load<u8>(at);
    if (stop == 0x22) return at + 1;
    if (stop != 0x5c) return 0;
    const escape = <u32>load<u8>(at + 1);
    if (escape == 0x75) {
      if (!isHex(at + 2) || !isHex(at + 3) || !isHex(at + 4) || !isHex(at + 5)) return 0;
      at += 6;
    } else if (
      escape == 0x22 ||
      escape == 0x5c ||
      escape == 0x2f ||
      escape == 0x62 ||
      escape == 0x66 ||
      escape == 0x6e ||
      escape == 0x72 ||
      escape == 0x74
    ) {
      at += 2;
    } else return 0;
  }
}

function isHex(at: usize): bool {
  const byte = <u32>load<u8>(at);
  return byte - 0x30 < 10 || (byte | 0x20) - 0x61 < 6;
}

// @ts-ignore: decorator
@inline
export function isDigit(byte: u32): bool {
  return byte - 0x30 < 10;
}

function skipDigits(from: usize): usize {
  let at = from;
  while (isDigit(load<u8>(at))) at++;
  return at == from ? 0 : at;
}

function skipNumber(from: usize): usize {
  let at = from;
  if (load<u8>(at) == 0x2d) at++;
  if (load<u8>(at) == 0x30) at++;
  else {
    at = skipDigits(at);
    if (at == 0) return 0;
  }
  if (load<u8>(at) == 0x2e) {
    at = skipDigits(at + 1);
    if (at == 0) return 0;
  }
  if ((load<u8>(at) | 0x20) == 0x65) {
    at++;
    const sign = load<u8>(at);
    if (sign == 0x2b || sign == 0x2d) at++;
    at = skipDigits(at);
  }
  return at;
}

/** Number or literal. */
export function skipScalar(at: usize): usize {
  const word = load<u32>(at);
  if (word == 0x65757274) return at + 4; // true
  if (word == 0x6c6c756e) return at + 4; // null
  if (word == 0x736c6166 && load<u8>(at + 4) == 0x65) return at + 5; // false
  return skipNumber(at);
}

/** From a member's opening quote to its value. */
function skipName(from: usize): usize {
  if (load<u8>(from) != 0x22) return 0;
  let at = skipString(from + 1);
  if (at == 0) return 0;
  at = skipBlanks(at);
  return load<u8>(at) == 0x3a ? skipBlanks(at + 1) : 0;
}

/** A whole object or array, without recursion: the stack holds the closing byte that each open container waits for. */
export function skipContainer(from: usize): usize {
  let depth: i32 = 0;
  let at = from;
  while (true) {
    const first = <u32>load<u8>(at);
    if (first == 0x7b || first == 0x5b) {
      if (depth == maxDepth) return 0;
      const close = first + 2;
      at = skipBlanks(at + 1);
      if (<u32>load<u8>(at) != close) {
        store<u8>(stackAt + depth, <u8>close);
        depth++;
        if (close == 0x7d) {
          at = skipName(at);
          if (at == 0) return 0;
        }
        continue;
      }
      at++;
    } else {
      at = first == 0x22 ? skipString(at + 1) : skipScalar(at);
      if (at == 0) return 0;
    }
    // Behind a value: close what ends here, then go on to the next value.
    while (true) {
      if (depth == 0) return at;
      at = skipBlanks(at);
      const next = load<u8>(at);
      at++;
      if (next == 0x2c) break;
      if (next != load<u8>(stackAt + depth - 1)) return 0;
      depth--;
    }
    at = skipBlanks(at);
    if (load<u8>(stackAt + depth - 1) == 0x7d) {
      at = skipName(at);
      if (at == 0) return 0;
    }
  }
}

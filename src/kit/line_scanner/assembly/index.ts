/**
 * The inner loops over bytes, in AssemblyScript: finding lines, validating JSON, reading times and names. Sixteen bytes are looked at
 * in one step, which is what makes a line of 240 bytes cost about a third of what the same loops cost in JavaScript.
 *
 * Nothing here allocates. The caller lays out the memory (see ../line_scanner.ts) and passes addresses; every text is followed by at
 * least 32 readable bytes, and ends with a newline, which no valid JSON holds except between tokens, where it ends the line here.
 *
 *   object = "{" [ member *( "," member ) ] "}"       member = string ":" value           (RFC 8259)
 *   value  = object / array / string / number / "true" / "false" / "null"
 */

/** Deepest nesting that counts as JSON; one byte of stack each. */
const MAX_DEPTH: i32 = 128;

/** Longest name that is interned, and its room in the table. */
const MAX_NAME: i32 = 128;

const NOT_SIMPLE: i32 = 0xffff;

/** Columns before it: start, end, whether it is JSON. */
const FIRST_PICK: i32 = 3;

/** Names that are picked: 32 bytes each, padded with zeros; lengths before them. */
let keysAt: usize = 0;
let keyCount: i32 = 0;
/** Bit n is set where a key of n bytes is asked for. */
let keyLengths: u32 = 0;
let stackAt: usize = 0;
/** Columns of the result, `capacity` entries of 32 bits each. */
let columnsAt: usize = 0;
let capacity: i32 = 0;
/** Table of names: slots of 16 bits, then lengths of 32 bits, then bytes. */
let slotsAt: usize = 0;
let slotMask: u32 = 0;
let nameLengthsAt: usize = 0;
let namesAt: usize = 0;
let maxNames: i32 = 0;
let nameCount: i32 = 0;
let nextAt: usize = 0;

export function setKeys(at: usize, count: i32, stack: usize): void {
  keysAt = at;
  keyCount = count;
  stackAt = stack;
  keyLengths = 0;
  for (let key = 0; key < count; key++) keyLengths |= 1 << load<u32>(at + <usize>key * 4);
}

export function setColumns(at: usize, entries: i32): void {
  columnsAt = at;
  capacity = entries;
}

export function setNames(slots: usize, slotCount: u32, lengths: usize, names: usize, max: i32): void {
  slotsAt = slots;
  slotMask = slotCount - 1;
  nameLengthsAt = lengths;
  namesAt = names;
  maxNames = max;
}

/** How many names the table holds; ids are below it. */
export function names(): i32 {
  return nameCount;
}

export function forgetNames(): void {
  memory.fill(slotsAt, 0xff, (<usize>slotMask + 1) * 2);
  nameCount = 0;
}

// @ts-ignore: decorator
@inline
function put(column: i32, row: i32, value: i32): void {
  store<i32>(columnsAt + (<usize>(column * capacity + row) << 2), value);
}

// @ts-ignore: decorator
@inline
function isBlank(byte: u32): bool {
  return byte == 0x20 || byte == 0x09 || byte == 0x0d;
}

// @ts-ignore: decorator
@inline
function skipBlanks(at: usize): usize {
  while (isBlank(load<u8>(at))) at++;
  return at;
}

/** Address of the first quote, backslash or control character from `at` on. */
// @ts-ignore: decorator
@inline
function plainEnd(at: usize): usize {
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
function skipString(from: usize): usize {
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
function isDigit(byte: u32): bool {
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
function skipScalar(at: usize): usize {
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
function skipContainer(from: usize): usize {
  let depth: i32 = 0;
  let at = from;
  while (true) {
    const first = <u32>load<u8>(at);
    if (first == 0x7b || first == 0x5b) {
      if (depth == MAX_DEPTH) return 0;
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

/** Index of the key with these bytes; -1 where it is none of them. */
// @ts-ignore: decorator
@inline
function keyOf(start: usize, length: u32): i32 {
  if (length > 31 || (keyLengths & (1 << length)) == 0) return -1;
  const low = v128.load(start);
  const high = v128.load(start + 16);
  const wanted: u32 = (1 << length) - 1;
  for (let key = 0; key < keyCount; key++) {
    if (load<u32>(keysAt + <usize>key * 4) != length) continue;
    const bytes = keysAt + 32 + <usize>key * 32;
    const equal = i8x16.bitmask(i8x16.eq(low, v128.load(bytes))) | (i8x16.bitmask(i8x16.eq(high, v128.load(bytes + 16))) << 16);
    if ((<u32>equal & wanted) == wanted) return key;
  }
  return -1;
}

/** The object at `from`, noting what was asked for in `row`; the address behind it, or 0 where it is not valid. */
function scanObject(from: usize, row: i32, base: usize): usize {
  const other = FIRST_PICK + keyCount * 2;
  let otherCount: i32 = 0;
  for (let column = FIRST_PICK; column <= other; column++) put(column, row, 0);
  let at = skipBlanks(from + 1);
  if (load<u8>(at) == 0x7d) return at + 1;
  while (true) {
    if (load<u8>(at) != 0x22) return 0;
    const nameStart = at + 1;
    at = plainEnd(nameStart);
    if (load<u8>(at) == 0x22) at++;
    else {
      at = skipString(at);
      if (at == 0) return 0;
    }
    const nameEnd = at - 1;
    if (load<u8>(at) != 0x3a) {
      at = skipBlanks(at);
      if (load<u8>(at) != 0x3a) return 0;
    }
    at = skipBlanks(at + 1);
    const valueStart = at;
    const first = load<u8>(at);
    if (first == 0x22) {
      at = plainEnd(at + 1);
      if (load<u8>(at) == 0x22) at++;
      else {
        at = skipString(at);
        if (at == 0) return 0;
      }
    } else {
      at = first == 0x7b || first == 0x5b ? skipContainer(at) : skipScalar(at);
      if (at == 0) return 0;
    }
    const key = keyOf(nameStart, <u32>(nameEnd - nameStart));
    if (key >= 0) {
      put(FIRST_PICK + key * 2, row, <i32>(valueStart - base));
      put(FIRST_PICK + key * 2 + 1, row, <i32>(at - base));
    } else {
      put(other, row, ++otherCount);
      if (otherCount == 1) {
        put(other + 1, row, <i32>(nameStart - base));
        put(other + 2, row, <i32>(nameEnd - base));
        put(other + 3, row, <i32>(valueStart - base));
      }
    }
    at = skipBlanks(at);
    const next = load<u8>(at);
    at++;
    if (next == 0x7d) return at;
    if (next != 0x2c) return 0;
    at = skipBlanks(at);
  }
}

// @ts-ignore: decorator
@inline
function newlineFrom(from: usize): usize {
  let at = from;
  while (true) {
    const mask = i8x16.bitmask(i8x16.eq(v128.load(at), i8x16.splat(0x0a)));
    if (mask != 0) return at + ctz(mask);
    at += 16;
  }
}

/**
 * Takes the lines from `from` up to `end` (behind a newline) apart, at most as many as the columns have rows; empty ones are left
 * out. Columns, with offsets relative to `base`: start, end, whether it is a JSON object; then for an object start and end of each
 * key's value (0 and 0 where it is not there), how many other members it has, start and end of the first other's name, and start of
 * its value. Returns the number of rows; `next()` tells where it stopped.
 */
export function scanLines(from: usize, end: usize, base: usize, isJson: bool): i32 {
  let at = from;
  let row: i32 = 0;
  while (at < end && row < capacity) {
    const start = at;
    const first = isJson ? skipBlanks(at) : at;
    if (isJson && load<u8>(first) == 0x7b) {
      const objectEnd = scanObject(first, row, base);
      if (objectEnd != 0) {
        const behind = skipBlanks(objectEnd);
        if (load<u8>(behind) == 0x0a) {
          put(0, row, <i32>(first - base));
          put(1, row, <i32>(objectEnd - base));
          put(2, row, 1);
          row++;
          at = behind + 1;
          continue;
        }
      }
    }
    const newline = newlineFrom(at);
    at = newline + 1;
    const lineEnd = newline > start && load<u8>(newline - 1) == 0x0d ? newline - 1 : newline;
    if (lineEnd == start) continue;
    put(0, row, <i32>(start - base));
    put(1, row, <i32>(lineEnd - base));
    put(2, row, 0);
    row++;
  }
  nextAt = at;
  return row;
}

/** Address behind the last line that `scanLines` took. */
export function next(): usize {
  return nextAt;
}

/**
 * Ids of the names that the ranges of `column` and the one behind it hold, one of 16 bits a row at `to`: a string's inside, or other
 * text as it is. 0xffff stands for what the caller must look at: an absent, escaped or long one, or one that the table has no room
 * for.
 */
export function readNames(column: i32, rows: i32, base: usize, to: usize): void {
  for (let row = 0; row < rows; row++) store<u16>(to + (<usize>row << 1), <u16>nameId(base, column, row));
}

// @ts-ignore: decorator
@inline
function get(column: i32, row: i32): u32 {
  return load<u32>(columnsAt + (<usize>(column * capacity + row) << 2));
}

function nameId(base: usize, column: i32, row: i32): i32 {
  if (get(2, row) == 0) return NOT_SIMPLE;
  let start = base + get(column, row);
  let end = base + get(column + 1, row);
  if (end == base) return NOT_SIMPLE;
  if (load<u8>(start) == 0x22) {
    start++;
    end--;
  }
  const length = <i32>(end - start);
  if (length <= 0 || length > MAX_NAME) return NOT_SIMPLE;
  let hash: u32 = 0x811c9dc5;
  for (let at = start; at < end; at++) {
    const byte = <u32>load<u8>(at);
    if (byte == 0x5c) return NOT_SIMPLE;
    hash = (hash ^ byte) * 0x01000193;
  }
  let slot = (hash ^ (hash >> 15)) & slotMask;
  while (true) {
    const id = <i32>load<u16>(slotsAt + (<usize>slot << 1));
    if (id == NOT_SIMPLE) break;
    if (load<i32>(nameLengthsAt + (<usize>id << 2)) == length && isEqual(namesAt + <usize>id * MAX_NAME, start, length)) return id;
    slot = (slot + 1) & slotMask;
  }
  if (nameCount == maxNames) return NOT_SIMPLE;
  const id = nameCount++;
  store<u16>(slotsAt + (<usize>slot << 1), <u16>id);
  store<i32>(nameLengthsAt + (<usize>id << 2), length);
  memory.copy(namesAt + <usize>id * MAX_NAME, start, length);
  return id;
}

function isEqual(name: usize, text: usize, length: i32): bool {
  for (let at: i32 = 0; at < length; at += 16) {
    const equal = <u32>i8x16.bitmask(i8x16.eq(v128.load(name + at), v128.load(text + at)));
    const wanted: u32 = length - at >= 16 ? 0xffff : (1 << (length - at)) - 1;
    if ((equal & wanted) != wanted) return false;
  }
  return true;
}

/**
 * Times that the ranges of `column` hold, in microseconds since 1970 as one double a row at `to`: strings of RFC 3339 that end in Z.
 * -1 where there is none, -2 where the caller must look at it.
 */
export function readTimes(column: i32, rows: i32, base: usize, to: usize): void {
  for (let row = 0; row < rows; row++) store<f64>(to + (<usize>row << 3), timeOf(base, column, row));
}

function timeOf(base: usize, column: i32, row: i32): f64 {
  if (get(2, row) == 0) return -1;
  const start = base + get(column, row) + 1;
  const end = base + get(column + 1, row) - 1;
  if (end + 1 == base) return -1;
  if (end < start + 20 || load<u8>(start - 1) != 0x22 || load<u8>(end - 1) != 0x5a) return -2;
  if (load<u8>(start + 4) != 0x2d || load<u8>(start + 7) != 0x2d || load<u8>(start + 10) != 0x54) return -2;
  if (load<u8>(start + 13) != 0x3a || load<u8>(start + 16) != 0x3a) return -2;
  const year = two(start) * 100 + two(start + 2);
  const month = two(start + 5);
  const day = two(start + 8);
  const hour = two(start + 11);
  const minute = two(start + 14);
  const second = two(start + 17);
  // Each is negative where it is not two digits.
  if (year < 1970 || year > 2200 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23) return -2;
  if (day > daysOf(year, month)) return -2;
  if (minute < 0 || minute > 59 || second < 0 || second > 59) return -2;
  let fraction: i32 = 0;
  let scale: i32 = 100000;
  if (end > start + 20) {
    if (load<u8>(start + 19) != 0x2e) return -2;
    for (let at = start + 20; at < end - 1; at++) {
      const byte = <u32>load<u8>(at);
      if (!isDigit(byte)) return -2;
      fraction += <i32>(byte - 0x30) * scale;
      scale /= 10;
    }
  }
  const seconds = <i64>daysSince1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
  return <f64>seconds * 1000000 + <f64>fraction;
}

// @ts-ignore: decorator
@inline
function two(at: usize): i32 {
  const tens = <u32>load<u8>(at) - 0x30;
  const ones = <u32>load<u8>(at + 1) - 0x30;
  return tens > 9 || ones > 9 ? -100000 : <i32>(tens * 10 + ones);
}

function daysOf(year: i32, month: i32): i32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/** Days of the proleptic Gregorian calendar, counted in years that begin in March so that the leap day comes last. */
function daysSince1970(year: i32, month: i32, day: i32): i32 {
  const y = month <= 2 ? year - 1 : year;
  const shifted = (month + 9) % 12;
  const dayOfYear = (153 * shifted + 2) / 5 + day - 1;
  return y * 365 + y / 4 - y / 100 + y / 400 + dayOfYear - 719468;
}

/** One JSON object of a line: whether it is valid, and where its members stand. */
import { FIRST_PICK, put } from './columns';
import { plainEnd, skipBlanks, skipContainer, skipScalar, skipString } from './json';

/** Members that are looked for: up to 8 lengths of 32 bits, then the names, 32 bytes each, padded with zeros. */
let keysAt: usize = 0;
let keyCount: i32 = 0;
/** Bit n is set where a key of n bytes is looked for. */
let keyLengths: u32 = 0;

export function setKeys(at: usize, count: i32): void {
  keysAt = at;
  keyCount = count;
  keyLengths = 0;
  for (let key = 0; key < count; key++) keyLengths |= 1 << load<u32>(at + <usize>key * 4);
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
export function scanObject(from: usize, row: i32, base: usize): usize {
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

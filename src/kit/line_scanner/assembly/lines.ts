/** Lines, and which of them are JSON objects. */
import { capacity, IS_JSON, put } from './columns';
import { skipBlanks } from './json';
import { scanObject } from './object';

let nextAt: usize = 0;

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
 * out. Results are relative to `base`, in the columns. Returns the number of rows; `next()` tells where it stopped.
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
          put(IS_JSON, row, 1);
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
    put(IS_JSON, row, 0);
    row++;
  }
  nextAt = at;
  return row;
}

/** Address behind the last line that `scanLines` took. */
export function next(): usize {
  return nextAt;
}

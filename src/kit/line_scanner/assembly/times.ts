/** Times, as microseconds since 1970. */
import { get, IS_JSON } from './columns';
import { isDigit } from './json';

/**
 * Times that the ranges of `column` hold, in microseconds since 1970 as one double a row at `to`: strings of RFC 3339 that end in Z.
 * -1 where there is none, -2 where the caller must look at it.
 */
export function readTimes(column: i32, rows: i32, base: usize, to: usize): void {
  for (let row = 0; row < rows; row++) store<f64>(to + (<usize>row << 3), timeOf(base, column, row));
}

function timeOf(base: usize, column: i32, row: i32): f64 {
  if (get(IS_JSON, row) == 0) return -1;
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

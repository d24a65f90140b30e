/** 64-bit numbers as digits, without a string for each. A number comes in two halves of 32 bits, the higher one first. */

const HEX = Buffer.from('0123456789abcdef');
const ZERO = 0x30;

/** How many hexadecimal digits a number has, without zeros in front. */
export function hexDigits(high: number, low: number): number {
  return high === 0 ? Math.max(1, (35 - Math.clz32(low)) >> 2) : 8 + ((35 - Math.clz32(high)) >> 2);
}

/** Writes a number of so many hexadecimal digits at `at`. */
export function writeHex(target: Buffer, at: number, digits: number, high: number, low: number): void {
  let rest = low;
  for (let place = digits - 1; place >= 0; place--) {
    target[at + place] = HEX[rest & 15]!; // four bits are below 16
    rest = digits - place === 8 ? high : rest >>> 4;
  }
}

/** Halves of numbers below this make one that a double holds exactly. */
const EXACT_HIGH = 2 ** 21;

/** How many decimal digits a number has, without zeros in front. */
export function decimalDigits(high: number, low: number): number {
  if (high >= EXACT_HIGH) return whole(high, low).length;
  const value = high * 2 ** 32 + low;
  // Microseconds of our time have 16.
  let digits = value >= 1e15 ? 16 : 1;
  for (let bound = 10 ** digits; value >= bound; bound *= 10) digits += 1;
  return digits;
}

/** Writes a number of so many decimal digits at `at`. */
export function writeDecimal(target: Buffer, at: number, digits: number, high: number, low: number): void {
  if (high >= EXACT_HIGH) {
    target.write(whole(high, low), at, 'latin1');
    return;
  }
  // Halves of eight digits are small integers, which are divided faster; 16 digits are the most of a double that is exact.
  const value = high * 2 ** 32 + low;
  const upper = Math.floor(value / 1e8);
  writeDigits(target, at, digits - 8, upper);
  writeDigits(target, at + Math.max(0, digits - 8), Math.min(8, digits), value - upper * 1e8);
}

/** `value` is below 1e8. */
function writeDigits(target: Buffer, at: number, digits: number, value: number): void {
  let rest = value | 0;
  for (let place = digits - 1; place >= 0; place--) {
    const tens = (rest / 10) | 0;
    target[at + place] = ZERO + rest - tens * 10;
    rest = tens;
  }
}

function whole(high: number, low: number): string {
  return String((BigInt(high) << 32n) | BigInt(low));
}

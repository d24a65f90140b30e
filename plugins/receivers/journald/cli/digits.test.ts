import fc from 'fast-check';
import { test } from 'tap';
import { decimalDigits, hexDigits, writeDecimal, writeHex } from './digits.ts';

/** The digits of a number, and what is around them. */
function written(count: typeof hexDigits, write: typeof writeHex, number: bigint): string {
  const high = Number(number >> 32n);
  const low = Number(number & 0xffffffffn);
  const target = Buffer.alloc(24, '.');
  write(target, 2, count(high, low), high, low);
  return target.toString('latin1').replace(/\.+$/, '');
}

void test('64-bit numbers are written as their digits, and nothing around them', async (t) => {
  const edges = [0n, 1n, 9n, 10n, 15n, 16n, 99_999_999n, 100_000_000n, 2n ** 32n - 1n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n];
  for (const number of [...edges, 2n ** 63n, 2n ** 64n - 1n]) {
    t.equal(written(hexDigits, writeHex, number), `..${number.toString(16)}`);
    t.equal(written(decimalDigits, writeDecimal, number), `..${number}`);
  }
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 0, max: 63 }), (bits, shift) => {
      const number = bits >> BigInt(shift);
      return (
        written(hexDigits, writeHex, number) === `..${number.toString(16)}` &&
        written(decimalDigits, writeDecimal, number) === `..${number}`
      );
    }),
  );
});

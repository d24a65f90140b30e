import * as fc from 'fast-check';
import { test } from 'tap';
import { BackOff } from './back_off.ts';

const ALMOST_ONE = 1 - Number.EPSILON;

void test('the longest possible wait doubles with each attempt up to the maximum', async (t) => {
  const backOff = new BackOff({ minMs: 100, maxMs: 1000, random: () => ALMOST_ONE });
  const waits = Array.from({ length: 6 }, () => Math.round(backOff.nextMs()));
  t.same(waits, [200, 400, 800, 1000, 1000, 1000]);
});

void test('a success starts over from the shortest waits', async (t) => {
  const backOff = new BackOff({ minMs: 100, maxMs: 1000, random: () => ALMOST_ONE });
  for (let attempt = 0; attempt < 5; attempt++) backOff.nextMs();
  backOff.reset();
  t.equal(Math.round(backOff.nextMs()), 200);
});

void test('no wait is shorter than the minimum or longer than the maximum', async (t) => {
  const unit = fc.double({ min: 0, max: ALMOST_ONE, noNaN: true });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 0, max: 60_000 }), fc.array(unit), (minMs, more, draws) => {
      const maxMs = minMs + more;
      let draw = 0;
      const backOff = new BackOff({ minMs, maxMs, random: () => draws[draw++] ?? 0 });
      for (const _ of draws) {
        const wait = backOff.nextMs();
        if (wait < minMs || wait > maxMs) return false;
      }
      return true;
    }),
  );
  t.pass();
});

void test('two members of a fleet that fail together do not come back together', async (t) => {
  const first = new BackOff({ minMs: 100, maxMs: 10_000, random: () => 0.1 });
  const second = new BackOff({ minMs: 100, maxMs: 10_000, random: () => 0.9 });
  t.not(first.nextMs(), second.nextMs(), 'already the first wait is spread');
});

void test('bounds that make no sense are refused', async (t) => {
  t.throws(() => new BackOff({ minMs: 0 }), RangeError);
  t.throws(() => new BackOff({ minMs: 10, maxMs: 5 }), RangeError);
});

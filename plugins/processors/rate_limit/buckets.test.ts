import * as fc from 'fast-check';
import { test } from 'tap';
import { type Bucket, Buckets } from './buckets.ts';

const LIMIT = { ratePerMs: 1, burst: 10 };

void test('the buckets kept are those that were used last, whatever the order of use', async () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  fc.assert(
    fc.property(fc.array(key, { maxLength: 100 }), fc.integer({ min: 1, max: 6 }), (uses, maxKeys) => {
      let evicted = 0;
      const buckets = new Buckets(maxKeys, () => LIMIT, { add: (count = 1) => void (evicted += count) });
      const everSeen = new Set<Bucket>();
      let expected: string[] = [];
      let expectedEvictions = 0;
      for (const used of uses) {
        const bucket = buckets.at(used, 0);
        buckets.touch(bucket);
        everSeen.add(bucket);
        if (!expected.includes(used) && expected.length === maxKeys) {
          expected = expected.slice(1);
          expectedEvictions += 1;
        }
        expected = [...expected.filter((one) => one !== used), used];
      }
      const live = [...everSeen].filter(({ isEvicted }) => !isEvicted).map(({ key }) => key);
      return (
        buckets.size === expected.length &&
        evicted === expectedEvictions &&
        JSON.stringify(live.sort()) === JSON.stringify([...expected].sort())
      );
    }),
    { numRuns: 500 },
  );
});

void test('a bucket is full at first, refills with time and never holds more than its burst', async (t) => {
  const bucket = new Buckets(1, () => LIMIT, { add: () => {} }).at('a', 100);
  t.equal(bucket.tokens, 10);
  bucket.tokens = 0;
  bucket.refill(102.5);
  t.equal(bucket.tokens, 2.5);
  bucket.refill(1000);
  t.equal(bucket.tokens, 10);
});

import { test } from 'tap';
import { Ramp } from './ramp.ts';

const KIB = 1024;

void test('what may be under way doubles with each round trip, up to its bound', (t) => {
  const ramp = new Ramp(1024 * KIB);
  const limits: number[] = [];
  for (let trip = 0; trip < 6; trip++) {
    limits.push(ramp.limitBytes / KIB);
    ramp.acked(ramp.limitBytes);
  }
  t.same(limits, [64, 128, 256, 512, 1024, 1024]);
  t.end();
});

void test('it never begins above its bound', (t) => {
  t.equal(new Ramp(1000).limitBytes, 1000);
  t.end();
});

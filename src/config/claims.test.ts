import { test } from 'tap';
import type { Claim } from '../core/component.ts';
import { conflictingClaims, describeClaim } from './claims.ts';

function conflicts(...claims: Claim[]): string[] {
  const found = conflictingClaims(claims.map((claim, at) => ({ path: [at], claim })));
  return found.map(({ first, second }) => `${String(second.path[0])} meets ${String(first.path[0])}`);
}

void test('one path can be claimed once, however it is spelled', async (t) => {
  t.same(conflicts('path:/run/a', 'path:/run/b'), []);
  t.same(conflicts('path:/run/a', 'path:/run/b', 'path:/run/a'), ['2 meets 0']);
  t.same(conflicts('path:/run//x/../a', 'path:/run/a'), ['1 meets 0']);
});

void test('an address can be claimed once', async (t) => {
  t.same(conflicts('address:127.0.0.1:6514', 'address:127.0.0.1:6515', 'address:10.0.0.1:6514'), []);
  t.same(conflicts('address:127.0.0.1:6514', 'address:127.0.0.1:6514'), ['1 meets 0']);
});

void test('an address of all interfaces leaves no other on its port', async (t) => {
  t.same(conflicts('address:0.0.0.0:6514', 'address:127.0.0.1:6514'), ['1 meets 0']);
  t.same(conflicts('address:127.0.0.1:6514', 'address:[::]:6514'), ['1 meets 0']);
  t.same(conflicts('address:0.0.0.0:6514', 'address:127.0.0.1:6515'), []);
});

void test('a port of the system’s choosing meets nothing', async (t) => {
  t.same(conflicts('address:127.0.0.1:0', 'address:127.0.0.1:0'), []);
});

void test('a claim is described in words', async (t) => {
  t.equal(describeClaim('address:127.0.0.1:6514'), 'the address 127.0.0.1:6514');
});

import fc from 'fast-check';
import { test } from 'tap';
import { Patterns } from './patterns.ts';

function fits(pattern: string, value: string | Uint8Array): boolean {
  const bytes = Buffer.concat([Buffer.from('x*'), Buffer.from(value), Buffer.from('?x')]);
  return new Patterns([pattern]).fits(bytes, 2, bytes.length - 2);
}

void test('a plain value fits itself and nothing else', async (t) => {
  t.equal(fits('nginx', 'nginx'), true);
  for (const other of ['ngin', 'nginxx', 'Nginx', '', 'nginx\n']) t.equal(fits('nginx', other), false, other);
  t.equal(fits('dev-disk\\x2d1', 'dev-disk\\x2d1'), true, 'a backslash stands for itself');
  t.equal(fits('[ab]', 'a'), false, 'and so do brackets');
  t.equal(fits('grün', 'grün'), true);
});

void test('a star stands for any text, a question mark for one character', async (t) => {
  for (const value of ['app-.service', 'app-a.service', 'app-a.service.service', 'app-/\n.service'])
    t.equal(fits('app-*.service', value), true, value);
  for (const value of ['app.service', 'app-a.services', 'an app-a.service']) t.equal(fits('app-*.service', value), false, value);
  t.equal(fits('*', ''), true);
  t.equal(fits('a**b*', 'ab'), true);
  t.equal(fits('?', ''), false);
  for (const value of ['a', 'ü', '€', '😀']) t.equal(fits('?', value), true, value);
  for (const value of ['ab', 'üü', '😀x']) t.equal(fits('?', value), false, value);
});

void test('in a value that is not UTF-8 each byte is a character', async (t) => {
  t.equal(fits('?', Uint8Array.of(0xc3)), true);
  t.equal(fits('??', Uint8Array.of(0xa4, 0xa4)), true);
  t.equal(fits('?', Uint8Array.of(0xa4, 0xa4)), false);
  t.equal(fits('a*', Uint8Array.of(0x61, 0xff)), true);
  t.equal(fits('\u00ff', Uint8Array.of(0xff)), false, 'which no pattern names');
});

void test('patterns fit what the regular expressions do that they stand for', async (t) => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', 'ä', '😀', '\n'), maxLength: 12 });
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', 'ä', '😀', '*', '?'), maxLength: 8 });
  const property = fc.property(pattern, text, (glob, value) => {
    const expression = new RegExp(`^${glob.replaceAll('*', '.*').replaceAll('?', '.')}$`, 'su');
    return fits(glob, value) === expression.test(value);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 5000 }));
});

void test('a value takes no longer than its length times that of the pattern', async (t) => {
  const pattern = `${'*a'.repeat(30)}*b`;
  const startedAt = performance.now();
  t.equal(fits(pattern, 'a'.repeat(100_000)), false);
  t.ok(performance.now() - startedAt < 5000, 'and so it ends');
});

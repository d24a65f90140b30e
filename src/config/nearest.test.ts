import fc from 'fast-check';
import { test } from 'tap';
import { editDistance, nearest } from './nearest.ts';

void test('the edit distance counts insertions, deletions, replacements and swaps of neighbours', async (t) => {
  t.equal(editDistance('path', 'path'), 0);
  t.equal(editDistance('pth', 'path'), 1);
  t.equal(editDistance('paths', 'path'), 1);
  t.equal(editDistance('pach', 'path'), 1);
  t.equal(editDistance('ptah', 'path'), 1);
  t.equal(editDistance('', 'path'), 4);
  t.equal(editDistance('kitten', 'sitting'), 3);
});

void test('the edit distance is symmetric, and zero for equal words only', async () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      const distance = editDistance(a, b);
      return distance === editDistance(b, a) && (distance === 0) === (a === b) && distance <= Math.max(a.length, b.length);
    }),
  );
});

void test('the nearest word is the one that was probably meant', async (t) => {
  const known = ['path', 'format', 'service', 'max_line_bytes'];
  t.equal(nearest('pth', known), 'path');
  t.equal(nearest('max-line-bytes', known), 'max_line_bytes');
  t.equal(nearest('FORMAT', known), 'format');
  t.equal(nearest('max_line', known), 'max_line_bytes', 'a word that another one begins with');
});

void test('a word that is like none of the known ones has no nearest', async (t) => {
  t.equal(nearest('colour', ['path', 'format']), undefined);
  t.equal(nearest('xy', ['path', 'ab']), undefined);
  t.equal(nearest('path', []), undefined);
});

import fc from 'fast-check';
import { test } from 'tap';
import { divideLines, selectLines } from './line_parts.ts';

function divide(lines: readonly string[], maxBytes: number) {
  const { parts, tooLong } = divideLines(Buffer.from(lines.map((line) => `${line}\n`).join('')), maxBytes);
  return { parts: parts.map(({ bytes, first, records }) => [bytes.toString(), first, records]), tooLong };
}

void test('lines that fit are one part', (t) => {
  t.same(divide(['a', 'bb'], 5), { parts: [['a\nbb\n', 0, 2]], tooLong: [] });
  t.same(divide([], 5), { parts: [], tooLong: [] });
  t.end();
});

void test('a part is as large as whole lines may make it', (t) => {
  t.same(divide(['aa', 'bb', 'cc'], 6), { parts: [['aa\nbb\n', 0, 2], ['cc\n', 2, 1]], tooLong: [] }); // prettier-ignore
  t.end();
});

void test('a line that is too long is left out, and the lines around it are not', (t) => {
  t.same(divide(['a', 'longer', 'b'], 4), { parts: [['a\n', 0, 1], ['b\n', 2, 1]], tooLong: [1] }); // prettier-ignore
  t.same(divide(['longer', 'longer'], 4), { parts: [], tooLong: [0, 1] });
  t.end();
});

void test('whatever the lines, all that fit are in the parts, once and in order', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 20 })), fc.integer({ min: 1, max: 30 }), (lengths, maxBytes) => {
      const lines = lengths.map((length, at) => String(at % 10).repeat(length));
      const { parts, tooLong } = divide(lines, maxBytes);
      const found = new Map<number, string>();
      for (const [text, first, records] of parts) {
        const contents = String(text).split('\n').slice(0, -1);
        if (String(text).length > maxBytes || contents.length !== records) throw new Error(`a part of ${contents.length} lines`);
        contents.forEach((line, at) => found.set(Number(first) + at, line));
      }
      lines.forEach((line, index) => {
        const expected = line.length < maxBytes ? line : undefined;
        if (found.get(index) !== expected || tooLong.includes(index) === (expected !== undefined))
          throw new Error(`line ${index}`);
      });
    }),
  );
  t.end();
});

void test('lines are selected by their index', (t) => {
  const lines = Buffer.from('a\nbb\n\nccc\n');
  const select = (first: number, count: number): string => selectLines(lines, first, count).toString();
  t.same([select(0, 4), select(1, 2), select(3, 1), select(2, 0)], ['a\nbb\n\nccc\n', 'bb\n\n', 'ccc\n', '']); // prettier-ignore
  t.end();
});

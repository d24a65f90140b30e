import * as fc from 'fast-check';
import { test } from 'tap';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { makeLineBatch } from '../../../test/helpers/line_batch.ts';
import { appendLineRanges, holdsOnlyLines } from './line_ranges.ts';

void test('lines that came one behind the other are written as one range', async (t) => {
  const ranges: Buffer[] = [];
  const bytes = appendLineRanges(makeLineBatch(['one', 'two', 'three']), ranges);
  t.same(ranges.map(String), ['one\ntwo\nthree\n']);
  t.equal(bytes, 14);
});

void test('lines that something else lies between are written as ranges of their own, each with a newline', async (t) => {
  for (const separator of ['', '\r\n', '\0']) {
    const ranges: Buffer[] = [];
    const bytes = appendLineRanges(makeLineBatch(['one', 'two'], {}, separator), ranges);
    t.equal(Buffer.concat(ranges).toString(), 'one\ntwo\n');
    t.equal(bytes, 8);
  }
});

void test('a gap that a dropped record left is not written', async (t) => {
  const batch = makeLineBatch(['one', 'two', 'three', 'four']);
  batch.move(2, 1);
  batch.move(3, 2);
  batch.truncate(3);
  const ranges: Buffer[] = [];
  appendLineRanges(batch, ranges);
  t.same(ranges.map(String), ['one\n', 'three\nfour\n']);
});

void test('whatever is kept of a batch is written line by line, in order, and its length is told', async (t) => {
  const line = fc.string({ unit: 'binary-ascii', maxLength: 20 }).map((text) => text.replaceAll('\n', ' '));
  const row = fc.record({ line, kept: fc.boolean() });
  fc.assert(
    fc.property(fc.array(row), fc.constantFrom('\n', '', '\r\n'), (rows, separator) => {
      const batch = makeLineBatch(
        rows.map((each) => each.line),
        {},
        separator,
      );
      let kept = 0;
      for (const [at, each] of rows.entries()) if (each.kept) batch.move(at, kept++);
      batch.truncate(kept);
      const ranges: Buffer[] = [];
      const bytes = appendLineRanges(batch, ranges);
      const expected = rows.filter((each) => each.kept).map((each) => `${each.line}\n`);
      return Buffer.concat(ranges).toString() === expected.join('') && bytes === Buffer.byteLength(expected.join(''));
    }),
  );
  t.pass();
});

void test('a batch with a record of another kind does not hold only lines', async (t) => {
  t.equal(holdsOnlyLines(makeLineBatch(['one'])), true);
  t.equal(holdsOnlyLines(makeBatch([{ body: 'one', kind: 'cfjs1' }, { body: 'two' }])), false);
});

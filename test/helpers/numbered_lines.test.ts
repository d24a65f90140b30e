import { test } from 'tap';
import { isTailOfLine, numberedLine, NUMBERED_LINE_BYTES, numberOf } from './numbered_lines.ts';

void test('a numbered line has its length and its number, and its parts and changes are told from it', async (t) => {
  for (const number of [0, 7, 12_345_678]) {
    const line = numberedLine(number);
    t.equal(line.length, NUMBERED_LINE_BYTES);
    t.equal(numberOf(line), number);
    for (let from = 1; from < line.length; from++) {
      t.equal(numberOf(line.slice(from)), undefined);
      t.ok(isTailOfLine(line.slice(from)), line.slice(from));
    }
    t.notOk(isTailOfLine(line));
    t.equal(numberOf(line.replace('record', 'recorb')), undefined);
    t.equal(numberOf(`${line.slice(0, -1)}x`), undefined);
    t.equal(numberOf(line.slice(0, 50) + line.slice(51)), undefined);
  }
  for (const text of ['', 'x', 'ecord 1 ... 2', '. 5 .']) t.notOk(isTailOfLine(text), text);
});

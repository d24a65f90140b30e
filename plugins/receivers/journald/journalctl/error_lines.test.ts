import { test } from 'tap';
import { ErrorLines } from './error_lines.ts';

function split(...chunks: readonly string[]): string[] {
  const lines: string[] = [];
  const splitter = new ErrorLines((line) => lines.push(line));
  for (const chunk of chunks) splitter.push(Buffer.from(chunk));
  splitter.end();
  return lines;
}

void test('lines are told one by one, the last without a newline too, and empty ones not', async (t) => {
  t.same(split('one\ntw', 'o\n', '\n\nthree'), ['one', 'two', 'three']);
});

void test('of a long line only the beginning is told', async (t) => {
  const long = 'x'.repeat(3000);
  t.same(split(long, long, '\nnext\n'), ['x'.repeat(1024), 'next']);
});

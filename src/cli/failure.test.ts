import { test } from 'tap';
import { ConfigError } from '../config/problem.ts';
import { formatFailure } from './failure.ts';

function failure(text: string, line: number, column: number, hint = ''): string {
  return formatFailure(new ConfigError('f.yaml', text, [{ line, column, path: 'a.b', message: 'is wrong', hint }]), false);
}

void test('a problem is shown with its line, a caret under its column, and what to do', async (t) => {
  t.equal(
    failure('x: 1\n  b: two\n', 2, 6, 'write 2'),
    `f.yaml:2:6: a.b: is wrong
    2 |   b: two
      |      ^
      = write 2
1 problem in f.yaml
`,
  );
});

void test('problems come in the order of the file, whatever the order in which they were found', async (t) => {
  const problem = { path: '', message: 'is wrong', hint: '' };
  const places = [
    { line: 2, column: 1 },
    { line: 1, column: 4 },
    { line: 1, column: 1 },
  ];
  const text = formatFailure(
    new ConfigError(
      'f',
      'a: b\nc: d\n',
      places.map((place) => ({ ...problem, ...place })),
    ),
    false,
  );
  t.same(text.match(/f:\d:\d/g), ['f:1:1', 'f:1:4', 'f:2:1']);
  t.match(text, /3 problems in f\n$/);
});

void test('the caret stands right behind tabs, and CRLF does not move it', async (t) => {
  t.match(failure('\tb: 1\r\n', 1, 2), '    1 | \tb: 1\n      | \t^\n');
});

void test('of a very long line the part around the column is shown', async (t) => {
  const lines = failure(`${'x'.repeat(5000)}HERE${'y'.repeat(5000)}`, 1, 5001).split('\n');
  t.ok(lines.every((line) => line.length < 200));
  t.equal(lines[1]?.indexOf('HERE'), lines[2]?.indexOf('^'));
});

void test('a problem at the end of the file has no line to show', async (t) => {
  t.match(failure('a: "x', 3, 1), /^f.yaml:3:1: a.b: is wrong\n {4}3 \| \n {6}\| \^\n/);
});

void test('what would move the cursor of a terminal is not printed', async (t) => {
  // oxlint-disable-next-line no-control-regex -- control characters are what this is about
  t.notMatch(failure('a: \u001b[2J\u009b\u0007\n', 1, 4), /[\u001b\u009b\u0007]/);
});

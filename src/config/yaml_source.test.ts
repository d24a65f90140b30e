import { test } from 'tap';
import { formatProblem } from './problem.ts';
import { YamlSource } from './yaml_source.ts';

function read(text: string): { value: unknown; problems: string[] } {
  const source = new YamlSource(text, {});
  return { value: source.value, problems: source.problems.map((problem) => formatProblem('f', problem).slice(2)) };
}

void test('plain YAML becomes plain data', async (t) => {
  const { value, problems } = read('a: 1\nb: [x, "2", true, null, 1.5, 0x10]\nc:\n  d: |\n    two\n    lines\n');
  t.same(problems, []);
  t.same(value, { a: 1, b: ['x', '2', true, null, 1.5, 16], c: { d: 'two\nlines\n' } });
});

void test('words that older YAML took for booleans and dates are texts', async (t) => {
  t.same(read('a: yes\nb: off\nc: 2026-11-20\n').value, { a: 'yes', b: 'off', c: '2026-11-20' });
  t.same(read('%YAML 1.1\n---\na: yes\n').value, { a: 'yes' }, 'also where the file asks for the older YAML');
});

void test('positions are those of the value, or of the key where a block begins below it', async (t) => {
  const source = new YamlSource('a:\n  b:   1\n  c: [x,\n    y]\nd:\n- k: v\n', {});
  t.same(source.position(['a'], 'value'), { line: 1, column: 1 });
  t.same(source.position(['a', 'b'], 'value'), { line: 2, column: 8 });
  t.same(source.position(['a', 'b'], 'key'), { line: 2, column: 3 });
  t.same(source.position(['a', 'c', 1], 'value'), { line: 4, column: 5 });
  t.same(source.position(['d', 0, 'k'], 'value'), { line: 6, column: 6 });
  t.same(source.position(['a', 'none', 'deeper'], 'key'), { line: 1, column: 1 }, 'of the nearest part that is there');
  t.same(source.position([], 'value'), { line: 1, column: 1 });
});

void test('an alias stands for what its anchor marks, and is read at the alias', async (t) => {
  const source = new YamlSource('a: &x { k: 1 }\nb: *x\nc: &x 2\nd: *x\n', {});
  t.same(source.value, { a: { k: 1 }, b: { k: 1 }, c: 2, d: 2 });
  t.same(source.position(['b'], 'value'), { line: 2, column: 4 });
  t.same(source.position(['b', 'k'], 'value'), { line: 1, column: 12 });
});

void test('an alias without an anchor or inside of itself is a problem', async (t) => {
  t.match(read('a: *x\nb: &x 1\n').problems, [/^1:4: a: the alias \*x has no anchor before it/]);
  t.match(read('a: &x\n  b: *x\n').problems, [/^2:6: a.b: the alias \*x is inside of what it stands for/]);
});

void test('a bomb of aliases ends in a bounded error', async (t) => {
  const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x]'];
  for (let at = 1; at < 12; at++) lines.push(`a${at}: &a${at} [${Array.from({ length: 9 }, () => `*a${at - 1}`).join(', ')}]`);
  const start = performance.now();
  const { value, problems } = read(lines.join('\n'));
  t.equal(value, null);
  t.match(problems, [/^1:1: holds more than 100000 values once its aliases are followed/]);
  t.ok(performance.now() - start < 10_000, 'without following them all');
});

void test('a file that is too large or nested too deeply ends in a clear error', async (t) => {
  t.match(read(`a: ${'x'.repeat(1024 * 1024)}`).problems, [/^1:1: is larger than 1048576 characters/]);
  t.match(read('['.repeat(50_000)).problems, [/nested too deeply/]);
});

void test('a key that is written twice is a problem that names the first', async (t) => {
  t.same(read('a: 1\nb: 2\na: 3\n').problems, ['3:1: a: is written twice (the first is on line 1: keep one)']);
  t.match(read('x: { k: 1, "k": 2 }\n').problems, [/^1:12: x.k: is written twice/]);
  t.match(read('1: a\n"1": b\n').problems, [/^2:1: 1: is written twice/]);
});

void test('keys that would change what an object is are refused', async (t) => {
  const { value, problems } = read('__proto__: { polluted: 1 }\nconstructor: 2\n');
  t.match(problems, [/^1:1: __proto__: cannot be used as a key/]);
  t.same(Object.keys(value ?? {}), ['constructor']);
  t.equal(Object.getPrototypeOf(value), Object.prototype);
});

void test('bad YAML is told with its place and what to do', async (t) => {
  t.same(read('a:\n\tb: 1\n').problems, ['2:1: this is not YAML: tabs are not allowed as indentation (indent with spaces)']);
  t.match(read('a: b: c\n').problems, [/^1:4: this is not YAML: nested mappings.*put a value that holds ": " in quotes/]);
  t.match(read('a:\n    b: 1\n  c: 2\n').problems, [/^3:1: this is not YAML: .*same column.*same number of spaces/]);
  t.match(read('a: "x\nb: 1\n').problems, [/^3:1: this is not YAML: missing closing "quote \(close what was opened\)/]);
  t.match(read('a: 1\n---\nb: 2\n').problems, [/^\d+:\d+: .*remove the line "---"/]);
  t.match(read('? [a]\n: 1\n').problems, [/^1:3: .*keys must be strings/]);
  t.match(read('a: !secret x\n').problems, [/^1:4: .*tag.*\(remove the tag/]);
});

void test('one mistake does not become a hundred messages', async (t) => {
  t.ok(read('? '.repeat(3000)).problems.length <= 10);
  t.ok(read(Array.from({ length: 100 }, () => '\tx').join('\n')).problems.length <= 10);
});

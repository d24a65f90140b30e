import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { test } from 'tap';
import packageJson from '../../../package.json' with { type: 'json' };
import { LineScanner, NOT_A_NAME } from './line_scanner.ts';

const scanner = new LineScanner({ keys: ['service', 'level', 'ts'], textBytes: 64 * 1024, maxRows: 64 });
const SERVICE = 0;
const TIME = 2;

/** Puts lines where the scanner reads them, between other text, and scans them. */
function scan(lines: string, isJson = true): number {
  scanner.text.fill('"', 0, 4096);
  const bytes = scanner.text.write(`${lines}\n`, 100);
  return scanner.scan(100, 100 + bytes, isJson);
}

function isObject(line: string): boolean {
  return scan(line) === 1 && scanner.isJson[0] === 1;
}

function rows(count: number): string[] {
  return Array.from({ length: count }, (_, row) => scanner.text.toString('utf8', scanner.starts[row], scanner.ends[row]));
}

function value(key: number, row = 0): unknown {
  const end = scanner.valueEnds(key)[row];
  return end === 0 ? undefined : JSON.parse(scanner.text.toString('utf8', scanner.valueStarts(key)[row], end));
}

void test('finds lines, without what ends them, and leaves empty ones out', (t) => {
  t.same(rows(scan('one\n\n\r\ntwo\r\n{"a":1} \r\n  {"b":2}')), ['one', 'two', '{"a":1}', '{"b":2}']);
  t.same([...scanner.isJson.subarray(0, 4)], [0, 0, 1, 1]);
  t.same(rows(scan('{"a":1}', false)), ['{"a":1}']);
  t.equal(scanner.isJson[0], 0);
  t.end();
});

void test('stops when its rows are full, and goes on where it stopped', (t) => {
  const lines = Array.from({ length: 100 }, (_, index) => `line ${index}`);
  t.equal(scan(lines.join('\n')), 64);
  t.same(rows(64), lines.slice(0, 64));
  t.equal(scanner.scan(scanner.next, 100 + lines.join('\n').length + 1, true), 36);
  t.same(rows(36), lines.slice(64));
  t.end();
});

void test('picks the members it was asked for, wherever they stand, the last of repeated ones', (t) => {
  t.ok(isObject('{"a":1,"service":"nginx","b":{"service":"inner"},"ts":12.5,"level":"info","service":"last"}'));
  t.same([value(0), value(1), value(2)], ['last', 'info', 12.5]);
  t.ok(isObject('{ "level" : null , "x":[1,{"ts":2}] }'));
  t.same([value(0), value(1), value(2)], [undefined, null, undefined]);
  t.end();
});

void test('tells the first member that was not asked for and how many there were', (t) => {
  t.ok(isObject('{"service":"s","x":{"y":1},"z":2}'));
  t.equal(scanner.otherCounts[0], 2);
  const [name] = scanner.readOtherNames(1);
  t.equal(scanner.name(name ?? -1), 'x');
  t.equal(scanner.text.toString('utf8', scanner.otherStarts[0], (scanner.otherStarts[0] ?? 0) + 7), '{"y":1}');
  t.end();
});

void test('does not take for an object what is not one complete JSON object', (t) => {
  const refused = [
    '[]', '1', '"x"', '{', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{"a":01}', '{"a":1.}', '{"a":.5}', '{"a":+1}', '{"a":1e}', '{"a":-}', '{"a":tru}',
    '{"a":nul}', '{"a":falsy}', '{"a":"\\x"}', '{"a":"\\u12g4"}', '{"a":"\t"}', '{"a":[1,]}', '{"a":[}', '{"a":{]}', "{'a':1}", '{"a":1}}', '{"a":NaN}',
    '{"a":{"b"}}', '{"a":1} x', '{"a":"', '{"a":"\\', '{"a":"\\u',
  ]; // prettier-ignore
  for (const line of refused) t.notOk(isObject(line), line);
  t.end();
});

void test('bounds the depth that it follows', (t) => {
  t.ok(isObject(`{"a":${'['.repeat(126)}${']'.repeat(126)}}`));
  t.notOk(isObject(`{"a":${'['.repeat(127)}${']'.repeat(127)}}`));
  t.notOk(isObject(`{"a":${'['.repeat(20_000)}`));
  t.end();
});

function parses(text: string): boolean {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed);
  } catch {
    return false;
  }
}

void test('agrees with JSON.parse on generated objects and on damaged ones', (t) => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })),
      fc.nat(),
      fc.string({ maxLength: 2 }),
      (object, at, junk) => {
        const text = JSON.stringify(object);
        if (!isObject(text)) return false;
        const cut = at % (text.length + 1);
        const damaged = text.slice(0, cut) + junk + text.slice(cut + junk.length);
        return /[\r\n]/.test(damaged) || isObject(damaged) === parses(damaged);
      },
    ),
    { numRuns: 3000 },
  );
  t.end();
});

void test('gives equal names equal ids, and none to what must be looked at', (t) => {
  const names = ['a', 'b', 'a', 'x'.repeat(128), 'x'.repeat(127), 'x'.repeat(128), 'ä€', 'b'];
  scan(names.map((service) => JSON.stringify({ service })).join('\n'));
  const ids = [...scanner.readNames(SERVICE, names.length)];
  t.same(
    ids.map((id) => scanner.name(id)),
    names,
  );
  t.equal(new Set(ids).size, new Set(names).size);
  scan('{"service":"\\u0061"}\n{"service":""}\n{}\ntext\n' + JSON.stringify({ service: 'x'.repeat(129) }));
  t.same([...scanner.readNames(SERVICE, 5)], Array(5).fill(NOT_A_NAME));
  t.end();
});

void test('forgets names before it runs out of room for them, and says so', (t) => {
  const before = scanner.generation;
  for (let turn = 0; turn < 40; turn++) {
    scan(Array.from({ length: 64 }, (_, index) => `{"service":"s${turn}-${index}"}`).join('\n'));
    const ids = scanner.readNames(SERVICE, 64);
    t.equal(scanner.name(ids[63] ?? -1), `s${turn}-63`);
  }
  t.ok(scanner.generation > before);
  t.end();
});

void test('reads the times that Date.parse reads, to the microsecond', (t) => {
  const time = fc.integer({ min: 0, max: Date.UTC(2199, 0) });
  fc.assert(
    fc.property(time, fc.nat({ max: 999 }), (ms, micros) => {
      const text = `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}Z`;
      scan(JSON.stringify({ ts: text }));
      return scanner.readTimes(TIME, 1)[0] === ms * 1000 + micros;
    }),
  );
  scan('{"ts":"2024-02-29T00:00:00Z"}\n{"ts":"2023-02-29T00:00:00Z"}\n{"ts":17}\n{"ts":"2024-01-01T00:00:00+01:00"}\n{}\ntext');
  t.same([...scanner.readTimes(TIME, 6)], [Date.UTC(2024, 1, 29) * 1000, -2, -2, -2, -1, -1]);
  t.end();
});

void test('a text of any size has room once it was reserved', (t) => {
  const small = new LineScanner({ keys: ['a'], textBytes: 100, maxRows: 4 });
  const line = `{"a":"${'x'.repeat(1_000_000)}"}\n`;
  small.reserve(line.length);
  small.text.write(line);
  t.equal(small.scan(0, line.length, true), 1);
  t.equal(small.isJson[0], 1);
  t.equal(small.ends[0], line.length - 1);
  t.end();
});

void test('the compiled scanner is what its source compiles to', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-scanner-'));
  const compiled = join(directory, 'scanner.wasm');
  const command = packageJson.scripts['build:scanner'].split(' ').slice(1);
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const compiler = createRequire(import.meta.url).resolve('assemblyscript/bin/asc.js');
  const args = command.map((word) => (word.endsWith('scanner.wasm') ? compiled : word));
  execFileSync(process.execPath, [compiler, ...args], { cwd: root, stdio: 'ignore' });
  const committed = readFileSync(new URL('scanner.wasm', import.meta.url));
  t.ok(readFileSync(compiled).equals(committed), 'run npm run build:scanner and commit scanner.wasm');
  rmSync(directory, { recursive: true });
  t.end();
});

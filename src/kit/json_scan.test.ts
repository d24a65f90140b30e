import fc from 'fast-check';
import { test } from 'tap';
import { JsonObjectScanner } from './json_scan.ts';

const scanner = new JsonObjectScanner(['service', 'level', 'ts']);

/** Scans `text` as one line; true where a whole object ends exactly at the line's end. */
function accepts(text: string): boolean {
  const bytes = Buffer.from(`${text}\n`);
  const end = scanner.scan(bytes, 0);
  return end >= 0 && bytes.subarray(end).toString().trim() === '';
}

function picked(text: string): unknown[] {
  const bytes = Buffer.from(`${text}\n`);
  if (scanner.scan(bytes, 0) < 0) throw new Error(`refused: ${text}`);
  return scanner.picks.map(({ start, end }) => (start === end ? undefined : JSON.parse(bytes.toString('utf8', start, end))));
}

function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

void test('picks the members it was asked for, wherever they stand', (t) => {
  t.same(picked('{"a":1,"service":"nginx","b":{"service":"inner"},"ts":12.5,"level":"info"}'), ['nginx', 'info', 12.5]);
  t.same(picked('{ "level" : null , "x":[1,{"ts":2}] }'), [undefined, null, undefined]);
  t.same(picked('{}'), [undefined, undefined, undefined]);
  t.end();
});

void test('takes the last of repeated members, as JSON.parse does', (t) => {
  t.same(picked('{"service":"a","service":"b"}')[0], 'b');
  t.end();
});

void test('tells the first member that was not asked for and how many there were', (t) => {
  const bytes = Buffer.from('{"service":"s","x":{"y":1},"z":2}\n');
  scanner.scan(bytes, 0);
  const { nameStart, nameEnd, start, end } = scanner.other;
  t.equal(bytes.toString('utf8', nameStart, nameEnd), 'x');
  t.equal(bytes.toString('utf8', start, end), '{"y":1}');
  t.equal(scanner.otherCount, 2);
  t.end();
});

void test('refuses what is not one complete JSON object', (t) => {
  const refused = [
    '', '[]', '1', '"x"', '{', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{"a":01}', '{"a":1.}', '{"a":.5}', '{"a":+1}', '{"a":1e}', '{"a":-}',
    '{"a":tru}', '{"a":"\\x"}', '{"a":"\\u12g4"}', '{"a":"\t"}', '{"a":[1,]}', '{"a":[}', '{"a":{]}', "{'a':1}", '{"a":1}}', '{"a":NaN}', '{"a":{"b"}}',
  ]; // prettier-ignore
  for (const text of refused) t.notOk(accepts(text), text);
  t.end();
});

void test('bounds the depth that it follows', (t) => {
  t.ok(accepts(`{"a":${'['.repeat(128)}${']'.repeat(128)}}`));
  t.notOk(accepts(`{"a":${'['.repeat(200)}${']'.repeat(200)}}`));
  t.end();
});

void test('agrees with JSON.parse on generated objects and on damaged ones', (t) => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 5 })),
      fc.nat(),
      fc.string({ maxLength: 2 }),
      (object, at, junk) => {
        const text = JSON.stringify(object);
        if (!accepts(text)) return false;
        const cut = at % (text.length + 1);
        const damaged = text.slice(0, cut) + junk + text.slice(cut + junk.length);
        return damaged.includes('\n') || accepts(damaged) === isJsonObject(damaged);
      },
    ),
    { numRuns: 3000 },
  );
  t.end();
});

import { test } from 'tap';
import { JsonObjectFinder } from './json_object.ts';

const finder = new JsonObjectFinder();

function found(text: string): string | undefined {
  const bytes = Buffer.from(`before ${text} after`);
  const isObject = finder.find(bytes, 7, bytes.length - 6);
  return isObject ? bytes.toString('utf8', finder.start, finder.end) : undefined;
}

void test('finds the one object that a text is, whatever stands around the text', (t) => {
  t.equal(found('{"a":[1,{}]}'), '{"a":[1,{}]}');
  t.equal(found('  {"a":"ä"}\t'), '{"a":"ä"}');
  t.equal(found(`{"a":"${'x'.repeat(200_000)}"}`)?.length, 200_008);
  t.end();
});

void test('finds nothing in any other text', (t) => {
  for (const text of ['', ' ', 'text', '[]', '{', '{"a":1} {}', '{"a":1}\n{}', '{"a":\n1}', '"{}"'])
    t.equal(found(text), undefined, text);
  t.end();
});

import { test } from 'tap';
import { z } from 'zod';
import { address, byteSize, duration } from '../kit/options.ts';
import { findOption, joinOr, type Option, optionTree } from './option_tree.ts';

const schema = z.strictObject({
  name: z.string().describe('A name.'),
  size: byteSize({ min: '1KiB' }).prefault('2KiB').describe('A size.'),
  limits: z
    .record(z.string(), z.strictObject({ wait: duration().prefault('1s'), rate: z.number().min(1).max(5) }))
    .default({})
    .meta({ examples: [{ a: { rate: 1 } }] }),
  rules: z.array(z.strictObject({ field: z.string() })).default([]),
  listen: address().meta({ examples: ['127.0.0.1:1'] }),
  either: z.union([z.literal('off'), z.strictObject({ to: z.string() })]).optional(),
  count: z.int().min(0).optional(),
  words: z.array(z.string()).optional(),
  labels: z.record(z.string(), z.string()).optional(),
});

function option(...path: (string | number)[]): Option {
  const found = findOption(optionTree(schema), path);
  if (found === undefined) throw new Error(`no option ${path.join('.')}`);
  return found;
}

void test('an option has the type, default and documentation that its schema declares', async (t) => {
  t.match(option('name'), { shape: 'scalar', type: 'string', doc: 'A name.', required: true, default: undefined });
  t.match(option('size'), { type: 'size, at least 1KiB', required: false, default: '2KiB' });
  t.match(option('count'), { type: 'integer, at least 0', required: false });
  t.match(option('words'), { shape: 'list', type: 'list of string' });
  t.match(option('labels'), { shape: 'map', type: 'map of string' });
  t.match(option('either'), { shape: 'object', type: 'off or map' });
});

void test('a type that converts what is written keeps its example and its empty default', async (t) => {
  t.match(option('listen'), { type: 'host:port', examples: ['127.0.0.1:1'] });
  t.match(option('limits'), { shape: 'map', default: {}, examples: [{ a: { rate: 1 } }] });
});

void test('options are found below any name of a map and any index of a list', async (t) => {
  t.match(option('limits', 'nginx', 'wait'), { type: 'duration', default: '1s' });
  t.match(option('limits', 'nginx', 'rate'), { type: 'number, from 1 to 5', required: true });
  t.match(option('rules', 7, 'field'), { type: 'string', required: true });
  t.match(option('either', 'to'), { type: 'string' });
  t.equal(findOption(optionTree(schema), ['limits', 'nginx', 'none']), undefined);
  t.equal(findOption(optionTree(schema), ['name', 'deeper']), undefined);
});

void test('words are joined as a sentence needs them', async (t) => {
  t.equal(joinOr([]), '');
  t.equal(joinOr(['a']), 'a');
  t.equal(joinOr(['a', 'b', 'c']), 'a, b or c');
});

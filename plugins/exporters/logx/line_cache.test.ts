import { test } from 'tap';
import type { Delivery } from '../../../src/core/component.ts';
import { makeBatch } from '../../../test/helpers/batches.ts';
import type { EncodedLines } from './encoded_lines.ts';
import { LineCache } from './line_cache.ts';
import { markOf, messageOf } from './testdata/fake_receiver.ts';

function delivery(position: number, ...bodies: string[]): Delivery {
  return { position, batch: makeBatch(bodies, { epoch: 'e' }) };
}

function messages({ bytes }: EncodedLines): string[] {
  return bytes.toString('utf8').trimEnd().split('\n').map(messageOf); // prettier-ignore
}

void test('lines are encoded once for all who hold them, and apart for each mark', (t) => {
  const cache = new LineCache();
  const given = delivery(1, 'a', 'b');
  const lines = cache.acquire(given, undefined);
  t.same(messages(lines), ['a', 'b']);
  t.equal(cache.acquire(given, undefined), lines);
  const marked = cache.acquire(given, 'log-a');
  t.not(marked, lines);
  t.equal(markOf(marked.bytes.toString('utf8').split('\n')[0] ?? ''), 'log-a');
  t.equal(cache.size, 2);
  t.end();
});

void test('lines stay as they are until the last holder has released them', (t) => {
  const cache = new LineCache();
  const [first, second] = [delivery(1, 'first'), delivery(2, 'second')];
  const lines = cache.acquire(first, undefined);
  cache.acquire(first, undefined);
  cache.release(first, undefined);
  cache.acquire(second, undefined);
  t.same(messages(lines), ['first']);
  cache.release(first, undefined);
  cache.release(second, undefined);
  t.equal(cache.size, 0);
  t.end();
});

void test('releasing more often than acquiring is a defect that shows', (t) => {
  const cache = new LineCache();
  const given = delivery(1, 'a');
  cache.acquire(given, undefined);
  t.throws(() => cache.release(given, 'log-a'), /more often than acquired/);
  cache.release(given, undefined);
  t.throws(() => cache.release(given, undefined), /more often than acquired/);
  t.end();
});

import { test } from 'tap';
import { z } from 'zod';
import { lineOptions } from './line_options.ts';
import { LineScanner } from './line_scanner/line_scanner.ts';

const schema = z.strictObject(lineOptions);

void test('a key that is taken is one that the scanner can look for, also in UTF-8', (t) => {
  for (const key of ['s'.repeat(31), 'é'.repeat(15)]) {
    const { json_keys: keys } = schema.parse({ json_keys: { service: key } });
    t.doesNotThrow(() => new LineScanner({ keys: [keys.service], textBytes: 64, maxRows: 1 }));
  }
  for (const key of ['', 's'.repeat(32), 'é'.repeat(16)]) t.notOk(schema.safeParse({ json_keys: { service: key } }).success, key);
  t.end();
});

void test('a format may not be named as another member of the line', (t) => {
  for (const name of ['format', 'destination']) t.notOk(schema.safeParse({ log_format: name }).success, name);
  for (const name of ['formats', 'Destination', 'log']) t.ok(schema.safeParse({ log_format: name }).success, name);
  t.end();
});

import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { waitFor } from '../../test/helpers/wait_for.ts';
import { LogWriter } from './log_writer.ts';

function temporaryFile(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  return join(directory, 'log');
}

void test('lines are written in order', async (t) => {
  const path = temporaryFile(t);
  const fd = openSync(path, 'a');
  const writer = new LogWriter(fd);
  const lines = Array.from({ length: 1000 }, (_, index) => `line ${index}\n`);
  for (const line of lines) writer.write(line);
  await waitFor(() => readFileSync(path, 'utf8') === lines.join(''), { what: 'all lines' });
  closeSync(fd);
});

void test('a full disk costs lines and nothing else', async (t) => {
  const fd = openSync('/dev/full', 'a');
  const writer = new LogWriter(fd);
  for (let index = 0; index < 100_000; index++) writer.write(`line ${index} ${'x'.repeat(100)}\n`);
  await new Promise(setImmediate);
  writer.write('the event loop turns\n');
  t.pass('nothing was thrown');
  t.teardown(() => closeSync(fd));
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { DemoPipe } from './pipe.ts';

void test('a writer is not held up by a pipe that nobody reads yet, and finds none afterwards', async (t) => {
  const path = join(t.testdir(), 'demo.pipe');
  const pipe = new DemoPipe(path);
  t.equal(pipe.moveFileAway(), undefined);
  pipe.hold();
  const writer = spawn('sh', ['-c', 'echo hello > "$0"', path], { stdio: 'ignore' });
  const [code]: unknown[] = await once(writer, 'exit', { signal: AbortSignal.timeout(5000) });
  t.equal(code, 0);
  pipe.remove();
  pipe.release();
  t.notOk(existsSync(path));
});

void test('a file that a shell made where the pipe belongs is moved away and not lost', async (t) => {
  const path = join(t.testdir({ 'demo.pipe': 'early\n', 'demo.pipe.1': 'earlier\n' }), 'demo.pipe');
  const pipe = new DemoPipe(path);
  t.equal(pipe.moveFileAway(), `${path}.2`);
  t.equal(readFileSync(`${path}.2`, 'utf8'), 'early\n');
  t.notOk(existsSync(path));
  pipe.remove();
});

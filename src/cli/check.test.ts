import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { GOOD, goodBut } from '../config/testdata/problems.ts';
import { run } from './testdata/run.ts';

void test('a good configuration is one line with its pipelines', async (t) => {
  const file = join(t.testdir({ 'sluice.yaml': GOOD }), 'sluice.yaml');
  t.same(await run(['check', file]), {
    code: 0,
    stdout: `${file} is good: logs: journald, pipe/nginx -> tag -> rate_limit -> logx (log-a, log-b)\n`,
    stderr: '',
  });
});

void test('a bad configuration is every problem with its line', async (t) => {
  const file = join(t.testdir({}), 'sluice.yaml');
  writeFileSync(file, goodBut('format: json', 'format: jsn').replace('mode:', 'mood:'));
  const { code, stdout, stderr } = await run(['check', file]);
  t.equal(code, 1);
  t.equal(stdout, '');
  t.match(
    stderr,
    `${file}:5:13: receivers.pipe/nginx.format: must be json, text or auto, not "jsn"
    5 |     format: jsn
      |             ^
      = did you mean json?
`,
  );
  t.match(stderr, /:18:5: exporters.logx.mood: is not a known option\n/);
  t.match(stderr, /2 problems in .*sluice.yaml\n$/);
});

void test('references are resolved in the environment of the command', async (t) => {
  const file = join(t.testdir({ 'sluice.yaml': goodBut('datacenter: eu-1', 'datacenter: ${env:DC}') }), 'sluice.yaml');
  t.match(await run(['check', file]), { code: 1, stderr: /the environment variable DC is not set/ });
  t.match(await run(['check', file], { DC: 'eu-1' }), { code: 0 });
});

void test('a file that cannot be read is a clear error', async (t) => {
  const directory = t.testdir({});
  t.match(await run(['check', join(directory, 'none.yaml')]), {
    code: 1,
    stderr: /^sluice: cannot read the configuration .*none.yaml: there is no such file\n/,
  });
  t.match(await run(['check', directory]), { code: 1, stderr: /it is a directory\n/ });
});

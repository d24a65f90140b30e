import { join } from 'node:path';
import { test } from 'tap';
import { parse } from 'yaml';
import { run } from './testdata/run.ts';

void test('the default configuration is accepted by the check', async (t) => {
  const { code, stdout } = await run(['config', 'default']);
  t.equal(code, 0);
  const file = join(t.testdir({ 'sluice.yaml': stdout }), 'sluice.yaml');
  t.match(await run(['check', file]), { code: 0, stdout: /is good: logs: journald, pipe -> tag -> rate_limit -> logx/ });
  t.match(parse(stdout), { service: { telemetry: { address: '127.0.0.1:9476', max_series: 1000, log_level: 'info' } } });
});

void test('the schema is JSON', async (t) => {
  const { code, stdout } = await run(['config', 'schema']);
  t.equal(code, 0);
  t.match(JSON.parse(stdout), { $schema: /2020-12/, properties: { receivers: {}, service: {} } });
});

void test('without a word behind it, config says what there is', async (t) => {
  t.match(await run(['config']), { code: 1, stderr: /default +print a complete configuration/ });
});

import { join } from 'node:path';
import { test } from 'tap';
import { parseConfig } from '../config/load.ts';
import { loadRegistry } from '../config/registry.ts';
import { run } from './testdata/run.ts';

void test('the printed configuration is what the flags say, and can be run', async (t) => {
  const args = ['--name', 'log-x', '--listen', '[::1]:7000', '--directory', 'some/where', '--metrics', '127.0.0.1:7001'];
  const { code, stdout } = await run(['logx', ...args, '--print-config']);
  t.equal(code, 0);
  const config = parseConfig(stdout, 'logx', { registry: await loadRegistry(), env: {} });
  t.match(config.receivers, [{ id: 'cfjs1', options: { name: 'log-x', listen: { host: '::1', port: 7000 } } }]);
  t.match(config.exporters, [{ id: 'topics', options: { directory: join(process.cwd(), 'some/where') } }]);
  t.match(config.telemetry.address, { host: '127.0.0.1', port: 7001 });
});

void test('it needs no flags', async (t) => {
  const { stdout } = await run(['logx', '--print-config']);
  const config = parseConfig(stdout, 'logx', { registry: await loadRegistry(), env: {} });
  t.match(config.receivers, [{ options: { name: 'log-a', listen: { host: '127.0.0.1', port: 6514 } } }]);
});

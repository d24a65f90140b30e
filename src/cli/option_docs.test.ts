import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { fakeRegistry } from '../config/testdata/fake_registry.ts';
import { writeOptionTables } from './option_docs.ts';

const README = '# x\n\n<!-- options:start -->\n<!-- options:end -->\n';

/** A README for each component of the test registry. */
const PLUGINS = {
  receivers: { cfjs1: { 'README.md': README }, journald: { 'README.md': README }, pipe: { 'README.md': README } },
  processors: { rate_limit: { 'README.md': README }, tag: { 'README.md': README } },
  exporters: { console: { 'README.md': README }, logx: { 'README.md': README } },
};

void test('every README gets its table, and only what changed is written', async (t) => {
  const directory = t.testdir(PLUGINS);
  const first = await writeOptionTables(fakeRegistry, directory);
  t.match(first, { total: 7, written: { length: 7 } });
  t.match(
    readFileSync(join(directory, 'receivers/pipe/README.md'), 'utf8'),
    '| `path` | path | _required_ | Path of the pipe. |',
  );
  t.same(await writeOptionTables(fakeRegistry, directory), { total: 7, written: [] });
});

void test('a plugin without a README is named', async (t) => {
  const directory = t.testdir({ ...PLUGINS, exporters: { console: {}, logx: {} } });
  await t.rejects(writeOptionTables(fakeRegistry, directory), { code: 'path_missing', message: /exporters\/console\/README.md/ });
});

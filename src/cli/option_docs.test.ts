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

void test('plugins without a README or markers are named, and the others have their table', async (t) => {
  const directory = t.testdir({ ...PLUGINS, exporters: { console: {}, logx: { 'README.md': '# logx\n' } } });
  await t.rejects(writeOptionTables(fakeRegistry, directory), {
    code: 'state_invalid',
    message: /exporters\/console\/README.md.*\n.*exporters\/logx\/README.md does not have the two markers/,
  });
  t.match(readFileSync(join(directory, 'processors/tag/README.md'), 'utf8'), '| `datacenter` |');
});

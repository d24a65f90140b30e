import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test, type Test } from 'tap';
import { loadRegistry } from './registry.ts';

const ZOD = import.meta.resolve('zod');
const COMPONENT = pathToFileURL(join(import.meta.dirname, '../core/component.ts')).href;

function plugin(define: 'defineReceiver' | 'defineProcessor' | 'defineExporter'): string {
  return `import { z } from '${ZOD}';
import { ${define} } from '${COMPONENT}';
export default ${define}({ summary: 'For a test.', replayable: false, options: z.strictObject({}), create() { throw new Error(); } });
`;
}

/** A directory of plugins that is removed after the test. */
async function pluginsOf(t: Test, files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-plugins-'));
  t.teardown(() => rm(root, { recursive: true }));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), text);
  }
  return root;
}

void test('plugins are found by their path, and their folder is their type', async (t) => {
  const root = await pluginsOf(t, {
    'receivers/zeta/index.ts': plugin('defineReceiver'),
    'receivers/alpha/index.ts': plugin('defineReceiver'),
    'processors/tag/index.ts': plugin('defineProcessor'),
    'exporters/out/index.ts': plugin('defineExporter'),
    'receivers/README.md': 'not a plugin',
    'receivers/notes/README.md': 'not a plugin either',
  });
  const registry = await loadRegistry(root);
  t.same([...registry.receivers.keys()], ['alpha', 'zeta'], 'in alphabetical order');
  t.same([...registry.processors.keys()], ['tag']);
  t.equal(registry.exporters.get('out')?.kind, 'exporter');
});

void test('a directory without plugins is an empty registry', async (t) => {
  const registry = await loadRegistry(await pluginsOf(t, {}));
  t.equal(registry.receivers.size + registry.processors.size + registry.exporters.size, 0);
});

void test('a plugin that is none is named, with what a plugin is', async (t) => {
  const cases: [file: string, text: string, why: RegExp][] = [
    ['receivers/a/index.ts', 'export const x = 1;', /default export is not a component definition/],
    ['receivers/a/index.ts', 'export default { kind: "receiver" };', /default export is not a component definition/],
    ['receivers/a/index.ts', plugin('defineExporter'), /of the kind "exporter", which belongs elsewhere/],
    ['exporters/Bad-Name/index.ts', plugin('defineExporter'), /not named in lower case/],
  ];
  for (const [file, text, why] of cases) {
    const root = await pluginsOf(t, { [file]: text });
    await t.rejects(loadRegistry(root), { code: 'unsupported', message: why, hint: /plugins\/.*index.ts/ }, String(why));
  }
});

void test('a plugin that fails while it is loaded is named, with its reason', async (t) => {
  const root = await pluginsOf(t, { 'receivers/a/index.ts': 'throw new Error("no libc");' });
  await t.rejects(loadRegistry(root), { code: 'unsupported', message: /receivers\/a\/index.ts cannot be loaded: no libc/ });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'tap';
import { parse } from 'yaml';
import { z } from 'zod';
import type { AnyDefinition } from '../../src/config/agent_config.ts';
import { annotatedConfig } from '../../src/config/annotate.ts';
import { configJsonSchema } from '../../src/config/json_schema.ts';
import { parseConfig } from '../../src/config/load.ts';
import { type Option, optionTree } from '../../src/config/option_tree.ts';
import { TABLE_END, TABLE_START, withOptionTable } from '../../src/config/option_table.ts';
import { loadRegistry, PLUGINS_DIRECTORY, type Registry, type Section, SECTIONS } from '../../src/config/registry.ts';
import { ROOT } from './sources.ts';

const registry: Registry = await loadRegistry();
const editor = z.fromJSONSchema(configJsonSchema(registry));

interface Plugin {
  readonly section: Section;
  readonly type: string;
  readonly folder: string;
  readonly definition: AnyDefinition;
}

const plugins: Plugin[] = SECTIONS.flatMap((section) =>
  [...registry[section]].map(([type, definition]) => ({
    section,
    type,
    folder: join(PLUGINS_DIRECTORY, section, type),
    definition,
  })),
);

/** The paths of options that nobody has written a word about. */
function undocumented(option: Option, path: string): string[] {
  return option.children.flatMap((child) => {
    const childPath = path === '' ? child.name : `${path}.${child.name}`;
    // The entries of a list or map are described by the option that holds them.
    const isMember = option.shape === 'object';
    return [...(isMember && child.doc === '' ? [childPath] : []), ...undocumented(child, childPath)];
  });
}

void test('every folder below plugins is a plugin', async (t) => {
  const found = SECTIONS.flatMap((section) => {
    const folder = join(PLUGINS_DIRECTORY, section);
    return existsSync(folder) ? readdirSync(folder).map((type) => `${section}/${type}`) : [];
  });
  const loaded = plugins.map(({ section, type }) => `${section}/${type}`);
  t.same(
    found
      .filter((name) => !loaded.includes(name))
      .map((name) => `plugins/${name} has no index.ts with a definition: write it, or remove the folder`),
    [],
  );
  t.not(plugins.length, 0);
});

for (const { section, type, folder, definition } of plugins) {
  const name = relative(ROOT, folder);

  void test(`${name} has the shape of a plugin`, async (t) => {
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    t.equal(`${definition.kind}s`, section, 'its definition is of the kind that its folder says');
    t.match(definition.summary, /^[A-Z][^\n]*\.$/, 'its summary is one sentence, with a full stop');
    t.ok(
      files.some((file) => file.endsWith('.test.ts')),
      `it has tests: write ${name}/${type}.test.ts`,
    );
    t.same(
      undocumented(optionTree(definition.options), '').map(
        (path) => `${name}: the option ${path} has no description: add .describe('…') to its schema`,
      ),
      [],
      'every option is described',
    );
  });

  void test(`${name}/README.md says what the component does, with the table of its options`, async (t) => {
    const file = join(folder, 'README.md');
    if (!existsSync(file)) {
      t.fail(`write ${name}/README.md, with the lines ${TABLE_START} and ${TABLE_END}`);
      return;
    }
    const readme = readFileSync(file, 'utf8');
    t.match(readme, new RegExp(`^# \\S.*\n`), 'it begins with a heading');
    t.equal(
      readme,
      withOptionTable(readme, definition, file),
      'its option table is that of the schema: run "npm run docs:options"',
    );
  });

  void test(`${name} has a default or an example for every option that must be set, and they are good`, async (t) => {
    const selection = {
      receivers: section === 'receivers' ? [type] : [...registry.receivers.keys()].slice(0, 1),
      processors: section === 'processors' ? [type] : [],
      exporters: section === 'exporters' ? [type] : [...registry.exporters.keys()].slice(0, 1),
    };
    const text = annotatedConfig(registry, selection);
    const config = parseConfig(text, `${name}, as annotated`, { registry, env: {} });
    t.ok(config[section].some((component) => component.type === type));
    t.equal(editor.safeParse(parse(text)).error?.message, undefined, 'an editor with the JSON Schema finds nothing wrong either');
  });
}

void test('commands of plugins are declared without loading what they do, since the help lists them', async (t) => {
  const declared = plugins.map(({ folder }) => join(folder, 'cli/index.ts')).filter((file) => existsSync(file));
  t.not(declared.length, 0);
  for (const file of declared) {
    const loaded = [...readFileSync(file, 'utf8').matchAll(/^import (?!type )[^;]*? from '([^']+)';$/gm)].map(([, path]) => path);
    t.same(
      loaded.filter((path) => path !== 'commander' && path !== '../../../../src/kit/commands.ts'),
      [],
      `${relative(ROOT, file)} imports types only, and the rest where a command is run: await import('./…')`,
    );
  }
});

import { test } from 'tap';
import { importsOf, isForTests, programSources, resolveImport } from './sources.ts';

/** Which rooms a room may import from. Every room of `src/` has a line here; plugins have their own. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kit: ['core'],
  config: ['kit', 'core'],
  spool: ['kit', 'core'],
  dead_letters: ['kit', 'core'],
  telemetry: ['kit', 'core'],
  pipeline: ['config', 'spool', 'dead_letters', 'telemetry', 'kit', 'core'],
  cli: ['config', 'spool', 'dead_letters', 'telemetry', 'pipeline', 'kit', 'core'],
};
const ALLOWED_TO_PLUGINS = ['kit', 'core'];

/** Why a file may not import `target` (both from the top of the repository), or undefined where it may. */
function whyNot(path: string, target: string): string | undefined {
  const [top, room = ''] = path.split('/');
  const [targetTop, targetRoom = ''] = target.split('/');
  if (isForTests(target)) return 'what is made for tests is not part of the program';
  if (top === 'plugins') {
    const own = path.split('/').slice(0, 3).join('/');
    if (target.startsWith(`${own}/`)) return undefined;
    if (targetTop === 'plugins') return 'plugins do not import each other: move what they share to src/kit';
    if (targetTop === 'src' && ALLOWED_TO_PLUGINS.includes(targetRoom)) return undefined;
    return `plugins import from ${ALLOWED_TO_PLUGINS.map((name) => `src/${name}`).join(' and ')} only`;
  }
  if (targetTop === 'plugins') return 'src knows no plugin: the registry loads them by their path';
  if (target === 'package.json' && path.startsWith('src/cli/')) return undefined;
  if (targetTop !== 'src') return 'only src and plugins are the program';
  const allowed = ALLOWED[room];
  if (allowed === undefined) return `src/${room} is a new room: say in test/shape/imports.test.ts what it may import`;
  if (room === targetRoom || allowed.includes(targetRoom)) return undefined;
  return `src/${room} imports from ${allowed.length === 0 ? 'nothing of ours' : allowed.map((name) => `src/${name}`).join(', ')} only`;
}

void test('imports point one way', async (t) => {
  const wrong = programSources().flatMap(({ path, text }) =>
    importsOf(text).flatMap((imported) => {
      const target = resolveImport(path, imported);
      const why = target === undefined ? undefined : whyNot(path, target);
      return why === undefined ? [] : [`${path} imports ${imported}: ${why}`];
    }),
  );
  t.same(wrong, []);
});

/** AssemblyScript, which its own compiler reads; that takes file names without .ts only. */
const ASSEMBLY = 'src/kit/line_scanner/assembly/';

void test('imports between our own files say .ts, which is what Node runs', async (t) => {
  const run = programSources().filter(({ path }) => !path.startsWith(ASSEMBLY));
  const wrong = run.flatMap(({ path, text }) =>
    importsOf(text)
      .filter((imported) => imported.startsWith('.') && !/\.(ts|json)$/.test(imported))
      .map((imported) => `${path} imports ${imported}: write the file's whole name, with .ts`),
  );
  t.same(wrong, []);
});

void test('the scan sees every way to import, and no quotation of one', async (t) => {
  const text = `import a from './a.ts';
import { type B, b } from "./b.ts";
import {
  c,
} from './c.ts';
import type { D } from './d.ts';
import './e.ts';
export { f } from './f.ts';
export * from './g.ts';
import h from './h.json' with { type: 'json' };
const i = await import('./i.ts');
type J = import('./j.ts').J;
/** Such as:
 * import x from './comment.ts';
 */
// import y from './comment.ts';
export const text = "import z from './text.ts'";
export function from(): void {}
const k = 'unrelated';
`;
  t.same(
    importsOf(text).sort(),
    ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'i', 'j']
      .map((name) => `./${name}.ts`)
      .concat('./h.json')
      .sort(),
  );
});

void test('the rules let through what they should and nothing else', async (t) => {
  const cases: [path: string, target: string, why: RegExp | undefined][] = [
    ['src/core/a.ts', 'src/core/b.ts', undefined],
    ['src/core/a.ts', 'src/kit/b.ts', /nothing of ours/],
    ['src/kit/a.ts', 'src/config/b.ts', /src\/kit imports from src\/core only/],
    ['src/spool/a.ts', 'src/pipeline/b.ts', /src\/spool imports/],
    ['src/config/a.ts', 'plugins/receivers/pipe/index.ts', /src knows no plugin/],
    ['src/cli/main.ts', 'src/telemetry/server.ts', undefined],
    ['src/cli/main.ts', 'test/helpers/x.ts', /only src and plugins/],
    ['src/attic/a.ts', 'src/core/b.ts', /a new room/],
    ['src/config/a.ts', 'src/config/testdata/b.ts', /made for tests/],
    ['plugins/receivers/pipe/a.ts', 'plugins/receivers/pipe/contract.ts', /made for tests/],
    ['plugins/receivers/pipe/a.ts', 'plugins/receivers/pipe/deep/b.ts', undefined],
    ['plugins/receivers/pipe/a.ts', 'src/kit/b.ts', undefined],
    ['plugins/receivers/pipe/a.ts', 'src/spool/b.ts', /plugins import from src\/kit and src\/core only/],
    ['plugins/receivers/pipe/a.ts', 'plugins/receivers/unix/b.ts', /do not import each other/],
    ['plugins/receivers/pipe/a.ts', 'plugins/receivers/pipe2/b.ts', /do not import each other/],
  ];
  for (const [path, target, why] of cases) {
    const found = whyNot(path, target);
    if (why === undefined) t.equal(found, undefined, `${path} -> ${target}`);
    else t.match(found, why, `${path} -> ${target}`);
  }
});

/** The source files of the house, and what they import. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

export interface Source {
  /** From the top of the repository, such as `src/core/batch.ts`. */
  readonly path: string;
  readonly text: string;
}

/** Every `.ts` file below `src/` and `plugins/` that is part of the program. */
export function programSources(): Source[] {
  return ['src', 'plugins'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => join(folder, name))
      .filter((path) => path.endsWith('.ts') && !isForTests(path))
      .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })),
  );
}

/** A test, what lies in a folder `testdata`, or a plugin's `contract.ts`, through which it is held to the contract tests. */
export function isForTests(path: string): boolean {
  const isContract = path.startsWith('plugins/') && path.endsWith('/contract.ts');
  return isContract || path.endsWith('.test.ts') || path.split('/').includes('testdata');
}

/**
 * `import … from 'x'`, `import 'x'`, `export … from 'x'` and `import('x')`, also of types. A statement begins a line, so that what
 * a comment or a text quotes is not taken for one.
 */
const STATEMENT = /^[ \t]*(?:import|export)\b(?:[^'";]*?\bfrom)?\s*['"]([^'"\n]+)['"]/gm;
const DYNAMIC = /\bimport\s*\(\s*['"`]([^'"`\n]+)['"`]/g;

/** What a file imports, as it is written there. */
export function importsOf(text: string): string[] {
  return [STATEMENT, DYNAMIC].flatMap((pattern) => [...text.matchAll(pattern)].map(([, name = '']) => name));
}

/** The path in the repository that an import of `path` leads to, or undefined for a package. */
export function resolveImport(path: string, imported: string): string | undefined {
  return imported.startsWith('.') ? normalize(join(dirname(path), imported)) : undefined;
}

/** The text with comments blanked out; what stands in quotes is left as it is. */
export function withoutComments(text: string): string {
  const token = /(["'])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\.|[^\\`])*`|\/\/[^\n]*|\/\*[^]*?\*\//g;
  return text.replaceAll(token, (found) => (found.startsWith('/') ? found.replaceAll(/[^\n]/g, ' ') : found));
}

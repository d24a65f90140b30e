/** Keeps the option tables of the plugins' README files the same as their schemas. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { withOptionTable } from '../config/option_table.ts';
import { type Registry, SECTIONS } from '../config/registry.ts';
import { errnoOf, SluiceError } from '../core/errors.ts';

export interface WrittenTables {
  /** Paths of the files that were changed. */
  readonly written: readonly string[];
  readonly total: number;
}

/** Throws a SluiceError where a plugin has no README.md or the README no markers; the ones before it are written then. */
export async function writeOptionTables(registry: Registry, pluginsDirectory: string): Promise<WrittenTables> {
  const written: string[] = [];
  let total = 0;
  for (const section of SECTIONS) {
    for (const [type, definition] of registry[section]) {
      const file = join(pluginsDirectory, section, type, 'README.md');
      const before = await readReadme(file);
      const after = withOptionTable(before, definition, file);
      total += 1;
      if (after === before) continue;
      await writeFile(file, after);
      written.push(file);
    }
  }
  return { written, total };
}

async function readReadme(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    if (errnoOf(cause) !== 'ENOENT') throw cause;
    throw new SluiceError('path_missing', `the plugin has no ${file}`, { hint: 'write one that says what it does', cause });
  }
}

/** Keeps the option tables of the plugins' README files the same as their schemas. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnyDefinition } from '../config/agent_config.ts';
import { withOptionTable } from '../config/option_table.ts';
import { type Registry, SECTIONS } from '../config/registry.ts';
import { describeError, SluiceError } from '../core/errors.ts';

export interface WrittenTables {
  /** Paths of the files that were changed. */
  readonly written: readonly string[];
  readonly total: number;
}

/**
 * Writes every table that is not up to date. Throws a SluiceError (`state_invalid`) that names the plugins without a README.md and
 * those whose README has no markers; the tables of all others have been written by then.
 */
export async function writeOptionTables(registry: Registry, pluginsDirectory: string): Promise<WrittenTables> {
  const written: string[] = [];
  const failures: string[] = [];
  let total = 0;
  for (const section of SECTIONS) {
    for (const [type, definition] of registry[section]) {
      const file = join(pluginsDirectory, section, type, 'README.md');
      total += 1;
      try {
        if (await writeOptionTable(file, definition)) written.push(file);
      } catch (thrown) {
        failures.push(describeError(thrown));
      }
    }
  }
  if (failures.length > 0) throw new SluiceError('state_invalid', failures.join('\n'));
  return { written, total };
}

/** Whether the file had to be changed. */
async function writeOptionTable(file: string, definition: AnyDefinition): Promise<boolean> {
  const before = await readFile(file, 'utf8');
  const after = withOptionTable(before, definition, file);
  if (after !== before) await writeFile(file, after);
  return after !== before;
}

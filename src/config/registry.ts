/**
 * The components that can be configured. They are found by their path, `plugins/<kind>s/<type>/index.ts`, so that adding one
 * touches no file of the engine.
 */
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SluiceError } from '../core/errors.ts';
import type { AnyDefinition, AnyExporter, AnyProcessor, AnyReceiver } from './agent_config.ts';
import { isMap } from './data.ts';

/** Definitions by type (the folder's name), in alphabetical order. */
export interface Registry {
  readonly receivers: ReadonlyMap<string, AnyReceiver>;
  readonly processors: ReadonlyMap<string, AnyProcessor>;
  readonly exporters: ReadonlyMap<string, AnyExporter>;
}

/** The three sections of a configuration that hold components, and the folders of their plugins. */
export type Section = keyof Registry;
export const SECTIONS: readonly Section[] = ['receivers', 'processors', 'exporters'];

export const PLUGINS_DIRECTORY = fileURLToPath(new URL('../../plugins', import.meta.url));

const COMPONENT_TYPE = /^[a-z][a-z0-9_]{0,63}$/;

/**
 * Loads the definition of every plugin folder below `root`, which holds `receivers`, `processors` and `exporters`.
 * Throws a SluiceError (`unsupported`) that names the folder where one does not hold a definition of its kind.
 */
export async function loadRegistry(root: string = PLUGINS_DIRECTORY): Promise<Registry> {
  const [receivers, processors, exporters] = await Promise.all([
    loadKind(join(root, 'receivers'), isReceiver),
    loadKind(join(root, 'processors'), isProcessor),
    loadKind(join(root, 'exporters'), isExporter),
  ]);
  return { receivers, processors, exporters };
}

async function loadKind<D extends AnyDefinition>(
  folder: string,
  isKind: (definition: AnyDefinition) => definition is D,
): Promise<ReadonlyMap<string, D>> {
  const types = await typesIn(folder);
  const definitions = await Promise.all(types.map((type) => loadDefinition(join(folder, type, 'index.ts'), type, isKind)));
  return new Map(definitions);
}

/** Names of the folders that hold an `index.ts`; anything else that lies there is not a plugin. */
async function typesIn(folder: string): Promise<string[]> {
  const entries = existsSync(folder) ? await readdir(folder, { withFileTypes: true }) : [];
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, 'index.ts')))
    .map((entry) => entry.name)
    .sort();
}

async function loadDefinition<D extends AnyDefinition>(
  file: string,
  type: string,
  isKind: (definition: AnyDefinition) => definition is D,
): Promise<[string, D]> {
  if (!COMPONENT_TYPE.test(type)) throw broken(file, 'its folder is not named in lower case letters, digits and underscores');
  const module = await importModule(file);
  const definition = module.default;
  if (!isDefinition(definition)) throw broken(file, 'its default export is not a component definition');
  if (!isKind(definition)) throw broken(file, `it defines a component of the kind "${definition.kind}", which belongs elsewhere`);
  return [type, definition];
}

async function importModule(file: string): Promise<{ readonly default?: unknown }> {
  try {
    const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
    return module;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('unsupported', `the plugin ${file} cannot be loaded: ${why}`, { cause });
  }
}

function isDefinition(value: unknown): value is AnyDefinition {
  if (!isMap(value)) return false;
  const { kind, summary, options, create } = value;
  const isSchema = isMap(options) && 'safeParse' in options;
  return typeof kind === 'string' && typeof summary === 'string' && typeof create === 'function' && isSchema;
}

function isReceiver(definition: AnyDefinition): definition is AnyReceiver {
  return definition.kind === 'receiver';
}

function isProcessor(definition: AnyDefinition): definition is AnyProcessor {
  return definition.kind === 'processor';
}

function isExporter(definition: AnyDefinition): definition is AnyExporter {
  return definition.kind === 'exporter';
}

function broken(file: string, what: string): SluiceError {
  return new SluiceError('unsupported', `the plugin ${file} cannot be used: ${what}`, {
    hint: 'a plugin is plugins/<receivers|processors|exporters>/<type>/index.ts with defineReceiver, defineProcessor or defineExporter as its default export',
  });
}

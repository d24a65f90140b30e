/**
 * Commands that plugins bring along, found by their path: `plugins/<kind>s/<type>/cli/index.ts` (the contract is in
 * `src/kit/commands.ts`). They come behind the built-in ones, and are looked for only when none of those is meant.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadConfig } from '../config/load.ts';
import { PLUGINS_DIRECTORY, type Section, SECTIONS } from '../config/registry.ts';
import { componentDirectory } from '../config/state_paths.ts';
import { SluiceError } from '../core/errors.ts';
import type { ConfiguredComponent, PluginCommands } from '../kit/commands.ts';
import type { Cli, CommandModule } from './cli.ts';

/** The commands of all plugins below `root`, in alphabetical order of their folders. Throws a SluiceError for one that cannot be used. */
export async function loadPluginCommands(root: string = PLUGINS_DIRECTORY): Promise<readonly CommandModule[]> {
  const found = SECTIONS.flatMap((section) =>
    typesIn(join(root, section)).map((type) => ({ section, type, file: join(root, section, type, 'cli/index.ts') })),
  );
  const withCommands = found.filter(({ file }) => existsSync(file));
  return Promise.all(withCommands.map(async ({ section, type, file }) => moduleOf(await importCommands(file), section, type)));
}

function typesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

async function importCommands(file: string): Promise<PluginCommands> {
  let module: unknown;
  try {
    module = await import(pathToFileURL(file).href);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SluiceError('unsupported', `the commands in ${file} cannot be loaded: ${why}`, { cause });
  }
  if (isPluginCommands(module)) return module;
  throw new SluiceError('unsupported', `the commands in ${file} cannot be used: it does not export "register"`, {
    hint: 'src/kit/commands.ts says what it is to export',
  });
}

function isPluginCommands(module: unknown): module is PluginCommands {
  return typeof module === 'object' && module !== null && 'register' in module && typeof module.register === 'function';
}

function moduleOf(commands: PluginCommands, section: Section, type: string): CommandModule {
  return {
    examples: commands.examples ?? [],
    register(program, cli) {
      commands.register(program, { ...cli, configured: (file) => configured(cli, section, type, file) });
    },
  };
}

async function configured(cli: Cli, section: Section, type: string, file: string): Promise<ConfiguredComponent[]> {
  const config = await loadConfig(file, { registry: await cli.registry(), env: cli.env });
  const { stateDirectory } = config.service;
  return config[section]
    .filter((component) => component.type === type)
    .map(({ id, options, definition }) => ({
      id,
      options,
      stateDirectory: componentDirectory(stateDirectory, definition.kind, id),
    }));
}

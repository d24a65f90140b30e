/**
 * The plugin folders under test. Each is loaded in its own test, so that one that cannot be loaded fails alone.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Test } from 'tap';
import type { AnyExporter, AnyProcessor, AnyReceiver } from '../../src/config/agent_config.ts';
import { isMap } from '../../src/config/data.ts';
import { PLUGINS_DIRECTORY, type Section } from '../../src/config/registry.ts';
import type { ExporterContract, ProcessorContract, ReceiverContract } from './contract.ts';
import { NotApplicable, type Rule } from './rule.ts';

interface Definitions {
  readonly receivers: AnyReceiver;
  readonly processors: AnyProcessor;
  readonly exporters: AnyExporter;
}

interface Contracts {
  readonly receivers: ReceiverContract;
  readonly processors: ProcessorContract;
  readonly exporters: ExporterContract;
}

const KINDS = { receivers: 'receiver', processors: 'processor', exporters: 'exporter' } as const;
const CONTRACT_TYPES = { receivers: 'ReceiverContract', processors: 'ProcessorContract', exporters: 'ExporterContract' } as const;

/** The types of a section, which are the names of its folders; one that has no `index.ts` yet is not a plugin yet. */
export function pluginTypes(section: Section): string[] {
  const folder = join(PLUGINS_DIRECTORY, section);
  return readdirSync(folder)
    .filter((type) => existsSync(join(folder, type, 'index.ts')))
    .sort();
}

/** The definition of a plugin; throws where its folder does not hold one of the section's kind. */
export async function loadDefinition<S extends Section>(section: S, type: string): Promise<Definitions[S]> {
  const definition = await loadDefault(join(PLUGINS_DIRECTORY, section, type, 'index.ts'));
  if (isDefinition(section, definition)) return definition;
  throw new Error(`the default export of plugins/${section}/${type}/index.ts must be the definition of a ${KINDS[section]}`);
}

/** The contract of a plugin; throws, saying what to add, where it has none. */
export async function loadContract<S extends Section>(section: S, type: string): Promise<Contracts[S]> {
  const file = join(PLUGINS_DIRECTORY, section, type, 'contract.ts');
  const expected = `a default export that is a ${CONTRACT_TYPES[section]} of test/contract/contract.ts; test/contract/README.md shows one`;
  if (!existsSync(file))
    throw new Error(`plugins/${section}/${type} cannot be held to the contract: add contract.ts with ${expected}`);
  const contract = await loadDefault(file);
  if (!isContract(section, contract)) throw new Error(`plugins/${section}/${type}/contract.ts must have ${expected}`);
  return contract;
}

async function loadDefault(file: string): Promise<unknown> {
  const module: { readonly default?: unknown } = await import(pathToFileURL(file).href);
  return module.default;
}

function isDefinition<S extends Section>(section: S, value: unknown): value is Definitions[S] {
  return isMap(value) && value['kind'] === KINDS[section] && typeof value['create'] === 'function';
}

function isContract<S extends Section>(section: S, value: unknown): value is Contracts[S] {
  if (!isMap(value)) return false;
  if (section === 'processors') return Array.isArray(value['optionSets']) && value['optionSets'].length > 0;
  return typeof value['open'] === 'function';
}

/** Makes a test of each rule. */
export async function hold<Subject>(t: Test, rules: readonly Rule<Subject>[], subjectOf: (t: Test) => Subject): Promise<void> {
  for (const rule of rules) {
    await t.test(`${t.name} ${rule.title}`, async (t) => {
      try {
        await rule.check(subjectOf(t));
        t.pass(rule.title);
      } catch (error) {
        if (!(error instanceof NotApplicable)) throw error;
        t.pass(rule.title, { skip: error.message });
      }
    });
  }
}

/** A function that makes empty directories, with short names since sockets may lie in them, which are removed with the test. */
export function directories(t: Test): () => string {
  return () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-'));
    t.teardown(() => rmSync(directory, { recursive: true, force: true }));
    return directory;
  };
}

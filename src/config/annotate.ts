/**
 * The annotated configuration: a complete file that can be run as it is, with every option of every component at its default (or
 * at its example, where it has none) and what the option is for above it. Made from the schemas, so that it is never out of date.
 */
import type { AnyDefinition } from './agent_config.ts';
import { commentedOut, optionLines, indent, prose } from './annotate_option.ts';
import { fileSchema } from './file_schema.ts';
import { findOption, optionTree } from './option_tree.ts';
import { type Registry, type Section, SECTIONS } from './registry.ts';

const HEAD = `Configuration of Sluice, with every option at its default. Change what you need and remove what you do not; "sluice check FILE" tells whether it can be run. \${env:NAME} and \${env:NAME:-default} stand for environment variables. "# " is in front of words, "#" alone in front of settings that can be made by removing it.`;

/** Component types by section, in the order in which a pipeline has them. */
export type Selection = Readonly<Record<Section, readonly string[]>>;

/**
 * The configuration as YAML. The components of `selection` are configured and form the pipeline `logs` (a type that the registry
 * lacks is left out); all others follow in their section, commented out. Throws a SluiceError (`unsupported`) where a required
 * option has no example.
 */
export function annotatedConfig(registry: Registry, selection: Selection): string {
  const top = optionTree(fileSchema);
  const lines = prose(HEAD);
  const pipeline: Record<string, readonly string[]> = {};
  for (const section of SECTIONS) {
    const definitions = registry[section];
    const active = selection[section].filter((type) => definitions.has(type));
    pipeline[section] = active;
    lines.push('', ...prose(findOption(top, [section])?.doc ?? ''), ...sectionLines(section, definitions, active));
  }
  const service = findOption(top, ['service']);
  if (service !== undefined) lines.push('', ...optionLines(service, { pipelines: { logs: pipeline } }, 'service'));
  return `${lines.join('\n')}\n`;
}

function sectionLines(section: Section, definitions: ReadonlyMap<string, AnyDefinition>, active: readonly string[]): string[] {
  const used = active.flatMap((type) => linesOf(type, definitions));
  const unused = [...definitions.keys()].filter((type) => !active.includes(type));
  const others = unused.flatMap((type) => ['', ...linesOf(type, definitions).map(commentedOut)]);
  return [used.length === 0 ? `${section}: {}` : `${section}:`, ...indent([...used, ...others])];
}

function linesOf(type: string, definitions: ReadonlyMap<string, AnyDefinition>): string[] {
  const definition = definitions.get(type);
  return definition === undefined ? [] : componentLines(type, definition);
}

function componentLines(type: string, { summary, options }: AnyDefinition): string[] {
  const { children } = optionTree(options);
  const lines = children.flatMap((option) => optionLines(option, undefined, `${type}.${option.name}`));
  return [...prose(summary), children.length === 0 ? `${type}: {}` : `${type}:`, ...indent(lines)];
}

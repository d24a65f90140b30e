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
 * The configuration as YAML. The components in `active` are configured and form the pipeline `logs`; all others follow in their
 * section, commented out. Throws a SluiceError (`unsupported`) where a required option has no example.
 */
export function annotatedConfig(registry: Registry, active: Selection): string {
  const top = optionTree(fileSchema);
  const lines = prose(HEAD);
  for (const section of SECTIONS) {
    const doc = findOption(top, [section])?.doc ?? '';
    lines.push('', ...prose(doc), ...sectionLines(section, registry[section], active[section]));
  }
  const service = findOption(top, ['service']);
  if (service !== undefined) lines.push('', ...optionLines(service, { pipelines: { logs: active } }, 'service'));
  return `${lines.join('\n')}\n`;
}

function sectionLines(section: Section, definitions: ReadonlyMap<string, AnyDefinition>, active: readonly string[]): string[] {
  const lines: string[] = [];
  for (const type of active) {
    const definition = definitions.get(type);
    if (definition !== undefined) lines.push(...componentLines(type, definition));
  }
  const head = lines.length === 0 ? `${section}: {}` : `${section}:`;
  for (const [type, definition] of definitions) {
    if (!active.includes(type)) lines.push('', ...componentLines(type, definition).map(commentedOut));
  }
  return [head, ...indent(lines)];
}

function componentLines(type: string, { summary, options }: AnyDefinition): string[] {
  const { children } = optionTree(options);
  const lines = children.flatMap((option) => optionLines(option, undefined, `${type}.${option.name}`));
  return [...prose(summary), children.length === 0 ? `${type}: {}` : `${type}:`, ...indent(lines)];
}

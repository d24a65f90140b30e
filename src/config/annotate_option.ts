/** One option of the annotated configuration, with everything below it, as lines of YAML that begin in the first column. */
import { stringify } from 'yaml';
import { SluiceError } from '../core/errors.ts';
import { entriesOf, isEmpty, isMap } from './data.ts';
import type { Option } from './option_tree.ts';

/** Longest line of a comment; values are never broken. */
const WIDTH = 100;

/** What an entry is called in a map that has no example. */
const ENTRY_NAME = 'name';

/**
 * The option with what it is for above it. `given` is what stands there instead of its default or example. An option that has
 * neither a value nor a default is commented out. Throws a SluiceError (`unsupported`) where it cannot be shown without an example.
 */
export function optionLines(option: Option, given: unknown, path: string): string[] {
  const hasDefault = option.shape === 'object' ? option.default !== undefined : !isNothing(option.default);
  const isSet = given !== undefined || option.required || hasDefault;
  const value = given ?? (isNothing(option.default) ? option.examples[0] : option.default) ?? option.default;
  const lines = valueLines(option, value, path);
  return [...prose(describe(option)), ...(isSet ? lines : lines.map(commentedOut))];
}

/** Words as comments. */
export function prose(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(/\s+/).filter((word) => word !== '')) {
    if (line.length + word.length >= WIDTH && line !== '#') {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return line === '#' ? lines : [...lines, line];
}

export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `  ${line}`));
}

export function commentedOut(line: string): string {
  return line === '' ? '' : `#${line}`;
}

/** A map or list that is empty where it is not set is better shown by its example. */
function isNothing(value: unknown): boolean {
  return value === undefined || isEmpty(value);
}

function describe({ doc, type, shape, required, default: preset }: Option): string {
  if (shape === 'object') return doc;
  const whenNotSet = preset === undefined ? 'not set by default' : `default ${yamlText(preset)}`;
  return `${doc} (${type}; ${required ? 'required' : whenNotSet})`.trim();
}

function valueLines(option: Option, value: unknown, path: string): string[] {
  const key = `${yamlText(option.name)}:`;
  const [entry] = option.children;
  if (option.shape === 'object' && (value === undefined || isMap(value))) return block(key, memberLines(option, value, path));
  if (option.shape === 'map' && entry?.shape === 'object') return block(key, entriesLines(entry, value, path));
  if (option.shape === 'list' && entry?.shape === 'object') return block(key, itemsLines(entry, value, path));
  if (value !== undefined) return [`${key} ${yamlText(value)}`];
  if (!option.required) return [key];
  throw new SluiceError('unsupported', `the option ${path} is required and has no example`, {
    hint: 'give its schema one: .meta({ examples: […] })',
  });
}

/** A key whose lines are all comments would have no value. */
function block(key: string, lines: readonly string[]): string[] {
  const hasValue = lines.some((line) => !line.trimStart().startsWith('#'));
  return [hasValue ? key : `${key} {}`, ...indent(lines)];
}

function memberLines(option: Option, value: unknown, path: string): string[] {
  const given = isMap(value) ? value : {};
  return option.children.flatMap((member) => optionLines(member, given[member.name], `${path}.${member.name}`));
}

function entriesLines(entry: Option, value: unknown, path: string): string[] {
  const entries = isNothing(value) ? [[ENTRY_NAME, {}] as const] : entriesOf(value);
  return entries.flatMap(([name, member]) => block(`${yamlText(name)}:`, memberLines(entry, member, `${path}.${name}`)));
}

function itemsLines(entry: Option, value: unknown, path: string): string[] {
  const items: readonly unknown[] = Array.isArray(value) && value.length > 0 ? value : [{}];
  return items.flatMap((item, at) => {
    const [first = '{}', ...rest] = memberLines(entry, item, `${path}[${at}]`);
    return [`- ${first}`, ...indent(rest)];
  });
}

/** A value on one line. A dollar sign is doubled, because a single one may begin a reference. */
function yamlText(value: unknown): string {
  const options = { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0, blockQuote: false } as const;
  return stringify(value, options).trimEnd().replaceAll('$', '$$$$');
}

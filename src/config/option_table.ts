/** The table of a component's options in its README, between two markers, so that it can be written anew from the schema. */
import { SluiceError } from '../core/errors.ts';
import type { AnyDefinition } from './agent_config.ts';
import { isEmpty } from './data.ts';
import { ENTRY, type Option, optionTree } from './option_tree.ts';

export const TABLE_START = '<!-- options:start -->';
export const TABLE_END = '<!-- options:end -->';

/** What stands between the markers: a Markdown table with a row an option, nested ones with dots, or a sentence where there are none. */
export function optionTable({ options }: AnyDefinition): string {
  const rows = optionTree(options).children.flatMap((option) => rowsOf(option, ''));
  if (rows.length === 0) return 'This component has no options.';
  const head = ['| Option | Type | Default | Description |', '| --- | --- | --- | --- |'];
  // The formatter would pad every cell to the longest description.
  return ['<!-- prettier-ignore -->', ...head, ...rows].join('\n');
}

/** The README with its table replaced. Throws a SluiceError (`state_invalid`) where the two markers are not there, in order, once. */
export function withOptionTable(readme: string, definition: AnyDefinition, file: string): string {
  const [start, end] = markersIn(readme, file);
  return `${readme.slice(0, start)}\n\n${optionTable(definition)}\n\n${readme.slice(end)}`;
}

function markersIn(readme: string, file: string): [start: number, end: number] {
  const [before, between, ...more] = readme.split(TABLE_START);
  const end = readme.indexOf(TABLE_END);
  const start = (before ?? '').length + TABLE_START.length;
  const isOnce = between !== undefined && more.length === 0 && end >= start && end === readme.lastIndexOf(TABLE_END);
  if (isOnce) return [start, end];
  throw new SluiceError('state_invalid', `${file} does not have the two markers of its option table once each and in order`, {
    hint: `put the lines "${TABLE_START}" and "${TABLE_END}" where the table belongs`,
  });
}

function rowsOf(option: Option, prefix: string): string[] {
  const name = prefix === '' ? option.name : `${prefix}.${option.name}`;
  const cells = [`\`${name}\``, cell(option.type), defaultCell(option), cell(option.doc)];
  return [`| ${cells.join(' | ')} |`, ...nestedRows(option, name)];
}

/** Entries of a list or map of plain values have nothing to say that their list does not. */
function nestedRows({ shape, children }: Option, name: string): string[] {
  if (shape === 'object') return children.flatMap((child) => rowsOf(child, name));
  return children.flatMap((entry) => nestedRows(entry, shape === 'list' ? `${name}[]` : `${name}.${ENTRY}`));
}

function defaultCell(option: Option): string {
  if (option.required) return '_required_';
  if (option.default === undefined) return '';
  const isFromMembers = option.shape === 'object' && isEmpty(option.default);
  return isFromMembers ? '' : `\`${cell(plain(option.default))}\``;
}

function plain(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ').trim();
}

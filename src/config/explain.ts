/** What zod found, in words that say what is wrong with the file and what to do about it. */
import type { z } from 'zod';
import { isMap, valueAt } from './data.ts';
import { nearest } from './nearest.ts';
import { findOption, joinOr, type Option } from './option_tree.ts';
import { formatPath, type Path } from './problem.ts';

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

const MISSING = 'is missing';

export interface Finding {
  readonly path: Path;
  /** Which part of the entry at `path` is at fault. */
  readonly at: 'key' | 'value';
  readonly message: string;
  readonly hint: string;
  /** The option that was probably meant, of a key that is not known. */
  readonly meant?: Path;
}

/** Messages of zod's own checks; a message that a schema brings itself is left alone. For `safeParse(…, { error })`. */
export function issueMessage(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return MISSING;
      return `must be ${typeName(issue.expected)}, not ${valueName(issue.input)}`;
    case 'invalid_value':
      return `must be ${joinOr(issue.values.map(String))}, not ${valueName(issue.input)}`;
    case 'too_small':
      return tooSmall(issue);
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}${sizeUnit(issue.origin)}`;
    case 'not_multiple_of':
      return `must be a multiple of ${issue.divisor}`;
    case 'invalid_key':
      return 'is not a valid name here';
    case 'invalid_format':
      return `does not have the form of ${issue.format === 'regex' ? issue.pattern : issue.format}`;
    case 'invalid_union':
      return issue.input === undefined ? MISSING : `is ${valueName(issue.input)}, which is none of what may stand here`;
    case 'custom':
    case 'invalid_element':
    case 'unrecognized_keys':
      return undefined;
  }
  return undefined;
}

/** The findings of all issues with `value`. An option that is missing is not told where a misspelt one explains it. */
export function explainAll(issues: readonly Issue[], top: Option, value: unknown): Finding[] {
  const findings = issues.flatMap((issue) => explain(issue, top, value));
  const meant = new Set(findings.map(({ meant }) => formatPath(meant ?? [])));
  return findings.filter(({ message, path }) => message !== MISSING || !meant.has(formatPath(path)));
}

/** The findings of one issue: an issue may name several keys, or lead into the branch of a union that was meant. */
function explain(issue: Issue, top: Option, value: unknown): Finding[] {
  const path = issue.path.filter((step) => typeof step !== 'symbol');
  const option = findOption(top, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key, option));
  if (issue.code === 'invalid_key') {
    const message = issue.issues[0]?.message ?? issue.message;
    return [{ path, at: 'key', message, hint: '' }];
  }
  if (issue.code === 'invalid_union') {
    const meant = branchMeant(issue.errors);
    if (meant !== undefined) {
      return meant.flatMap((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] }, top, value));
    }
  }
  const written = valueAt(value, path);
  // A refinement may speak of an option that is not there in words of its own.
  if (written === undefined && issue.code === 'custom') return [{ path, at: 'key', message: issue.message, hint: '' }];
  if (written === undefined) return [{ path, at: 'key', message: MISSING, hint: hintForMissing(path, option) }];
  return [{ path, at: 'value', message: issue.message, hint: hintFor(issue, written, option) }];
}

function unknownKey(path: Path, key: string, option: Option | undefined): Finding {
  const known = option?.children.map(({ name }) => name) ?? [];
  const unknown = { path: [...path, key], at: 'key', message: 'is not a known option' } as const;
  const meant = nearest(key, known);
  if (meant !== undefined) return { ...unknown, hint: `did you mean ${meant}?`, meant: [...path, meant] };
  const deeper = (option?.children ?? []).filter(({ children }) => children.some(({ name }) => name === key));
  if (deeper.length > 0) return { ...unknown, hint: `did you mean ${joinOr(deeper.map(({ name }) => `${name}.${key}`))}?` };
  return { ...unknown, hint: known.length === 0 ? 'remove it: there are no options here' : `known here: ${known.join(', ')}` };
}

/** The branch that came closest: one whose own type was right, so that it complains about members. */
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const inside = branches.filter((issues) => issues.length > 0 && issues.every(({ path }) => path.length > 0));
  return inside.sort((a, b) => a.length - b.length)[0];
}

function hintForMissing(path: Path, option: Option | undefined): string {
  const key = path.at(-1);
  if (typeof key !== 'string' || option === undefined) return '';
  const [example] = option.examples;
  const isPlain = typeof example === 'string' || typeof example === 'number' || typeof example === 'boolean';
  return `add "${key}:${isPlain ? ` ${example}` : ''}"${option.doc === '' ? '' : `: ${option.doc}`}`;
}

function hintFor(issue: Issue, written: unknown, option: Option | undefined): string {
  if (issue.code === 'invalid_value' && typeof written === 'string') {
    const meant = nearest(written, issue.values.map(String));
    return meant === undefined ? '' : `did you mean ${meant}?`;
  }
  if (written === null) return 'give it a value or remove the line';
  if (issue.code !== 'invalid_type') return '';
  const isPlain = typeof written === 'number' || typeof written === 'boolean';
  if (issue.expected === 'string' && isPlain) return `write it in quotes: "${written}"`;
  if (issue.expected === 'array') return 'write [a, b], or one "- item" a line';
  if (option?.shape === 'object') return `known here: ${option.children.map(({ name }) => name).join(', ')}`;
  return '';
}

function tooSmall(issue: Extract<RawIssue, { code: 'too_small' }>): string {
  if (issue.origin !== 'number' && issue.origin !== 'int' && Number(issue.minimum) === 1) return 'must not be empty';
  return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}${sizeUnit(issue.origin)}`;
}

function sizeUnit(origin: string): string {
  if (origin === 'string') return ' characters';
  return origin === 'array' || origin === 'set' || origin === 'map' ? ' entries' : '';
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map (one "key: value" a line)',
  record: 'a map (one "key: value" a line)',
  array: 'a list',
  null: 'empty',
};

function typeName(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

/** A long text is not repeated: the file's line is shown anyway, and what is not in the file may be a secret. */
function valueName(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (isMap(value)) return 'a map';
  if (typeof value === 'string') return value.length <= 32 ? JSON.stringify(value) : 'a text';
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : typeof value;
}

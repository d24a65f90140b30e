/** The YAML parser's own complaints, with what to do about the ones that people meet. */
import type { Document } from 'yaml';
import type { ConfigProblem } from './problem.ts';

/** One mistake makes the parser complain many times; the first few lines are the ones that help. */
const MAX_PROBLEMS = 10;

const HINTS: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'indent with spaces',
  BAD_INDENT: 'indent every key of a map by the same number of spaces',
  BLOCK_AS_IMPLICIT_KEY: 'put a value that holds ": " in quotes, or a nested map on a line of its own',
  MULTIPLE_DOCS: 'remove the line "---": a configuration is one document',
  MISSING_CHAR: 'close what was opened',
  NON_STRING_KEY: 'write a plain word before the colon',
  TAG_RESOLVE_FAILED: 'remove the tag, or put the value in quotes',
};

export function yamlProblems(
  text: string,
  document: Document.Parsed,
  at: (offset: number) => { line: number; column: number },
): ConfigProblem[] {
  const byLine = new Map<number, ConfigProblem>();
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const place = at(pos[0]);
    if (byLine.has(place.line) || byLine.size >= MAX_PROBLEMS) continue;
    byLine.set(place.line, { ...place, path: '', ...explain(code, message, lineOf(text, pos[0])) });
  }
  return [...byLine.values()];
}

function explain(code: string, message: string, line: string): { message: string; hint: string } {
  if (message.startsWith('Maximum call stack')) return { message: 'is nested too deeply to be read', hint: '' };
  if (code === 'UNEXPECTED_TOKEN' && /[{[].*\$\{/.test(line)) {
    const hint = 'inside of { } and [ ] put it in quotes, or write the map with one key a line';
    return { message: 'a reference such as ${env:NAME} cannot stand here without quotes', hint };
  }
  const plain = message.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase());
  return { message: `this is not YAML: ${plain}`, hint: HINTS[code] ?? '' };
}

function lineOf(text: string, offset: number): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return text.slice(start, end === -1 ? undefined : end);
}

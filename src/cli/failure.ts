/** What is printed of an error: what is wrong and what to do, and for a configuration the lines that it is in. */
import { ConfigError, type ConfigProblem } from '../config/problem.ts';
import { SluiceError } from '../core/errors.ts';
import { printable } from '../kit/table.ts';

/** Longest part of a source line that is shown. */
const MAX_LINE = 160;

/** The text for the terminal, ending in a newline; with the stack where `debug` asks for it. */
export function formatFailure(thrown: unknown, debug: boolean): string {
  if (thrown instanceof ConfigError) return `${printable(formatConfigError(thrown))}\n`;
  const text = formatError(thrown);
  const stack = debug && thrown instanceof Error ? `\n${formatStack(thrown)}` : '';
  return `${printable(text)}${stack}\n`;
}

function formatError(thrown: unknown): string {
  if (thrown instanceof SluiceError) return `sluice: ${thrown.message}${thrown.hint === undefined ? '' : `\n  ${thrown.hint}`}`;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return `sluice: an error that was not foreseen: ${message}\n  run it again with --debug and report what it prints`;
}

/** The stack with those of its causes. */
function formatStack(error: Error): string {
  const stack = error.stack ?? String(error);
  return error.cause instanceof Error ? `${stack}\ncaused by ${formatStack(error.cause)}` : stack;
}

/**
 *     sluice.yaml:5:13: receivers.pipe/nginx.format: must be json, text or auto, not "jsn"
 *         5 |     format: jsn
 *           |             ^
 *           = did you mean json?
 */
function formatConfigError({ file, text, problems }: ConfigError): string {
  const lines = text.split(/\r?\n/);
  const blocks = problems.map((problem) => formatProblem(file, problem, lines[problem.line - 1] ?? ''));
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return [...blocks, `${count} in ${file}`].join('\n');
}

function formatProblem(file: string, { line, column, path, message, hint }: ConfigProblem, source: string): string {
  const start = column > MAX_LINE - 20 ? column - 20 : 0;
  const shown = source.slice(start, start + MAX_LINE);
  const margin = ' '.repeat(Math.max(5, String(line).length));
  // Tabs stay, so that the caret stands where the terminal shows the column.
  const caret = `${shown.slice(0, column - 1 - start).replaceAll(/[^\t]/g, ' ')}^`;
  const block = [
    `${file}:${line}:${column}: ${path === '' ? message : `${path}: ${message}`}`,
    `${String(line).padStart(margin.length)} | ${shown}`,
    `${margin} | ${caret}`,
  ];
  return [...block, ...(hint === '' ? [] : [`${margin} = ${hint}`])].join('\n');
}

/** What can be wrong with a configuration file, each with its place, collected so that all are told at once. */
import { SluiceError } from '../core/errors.ts';

/** Keys and list indexes from the top of the file. */
export type Path = readonly (string | number)[];

export interface ConfigProblem {
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 code units. */
  readonly column: number;
  /** As `formatPath` writes it; empty where the problem is not that of one option (a syntax error). */
  readonly path: string;
  readonly message: string;
  /** What to do about it; empty where the message says it. */
  readonly hint: string;
}

/** A configuration that cannot be used. The message holds every problem, a line each. */
export class ConfigError extends SluiceError {
  /** The file's name as it was given. */
  readonly file: string;
  /** The file's text, for showing the lines that the problems are in. */
  readonly text: string;
  /** In the order of the file; at least one. */
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, text: string, problems: readonly ConfigProblem[]) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    super('config_invalid', sorted.map((problem) => formatProblem(file, problem)).join('\n'));
    this.name = 'ConfigError';
    this.file = file;
    this.text = text;
    this.problems = sorted;
  }
}

/** `sluice.yaml:7:5: receivers.pipe/nginx.path: is missing (add …)`. */
export function formatProblem(file: string, { line, column, path, message, hint }: ConfigProblem): string {
  const what = path === '' ? message : `${path}: ${message}`;
  return `${file}:${line}:${column}: ${what}${hint === '' ? '' : ` (${hint})`}`;
}

const PLAIN_KEY = /^[A-Za-z0-9_/-]+$/;

/** `service.pipelines.logs.receivers[1]`; a key with other characters is quoted. */
export function formatPath(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += `${text === '' ? '' : '.'}${PLAIN_KEY.test(step) ? step : JSON.stringify(step)}`;
  }
  return text;
}

/** The package systemd-journald, where it is installed and can be run. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const SCRIPT = join(import.meta.dirname, 'send.cjs');

/** The package is compiled for the Node that npm runs on, which need not be the one that runs this. */
const NODE = process.env['npm_node_execpath'] ?? otherNode() ?? process.execPath;

/** The first on the path that is not one of our dependencies. */
function otherNode(): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => !directory.includes('node_modules'));
  return directories.map((directory) => join(directory, 'node')).find((path) => existsSync(path));
}

/** Why the package cannot be used here; false where it can. */
export function withoutPeer(): string | false {
  const { status, stderr } = run([], []);
  if (status === 0) return false;
  const reason = /^\w*Error: .*$/m.exec(stderr)?.[0] ?? stderr;
  return `the package systemd-journald is not installed (see README.md beside this; on ${NODE}: ${reason})`;
}

/** A call to the package: of its own `send`, or of a logger's method. */
export type Call =
  | { readonly send: readonly [priority: number, ...fields: string[]] }
  | { readonly level: string; readonly message: string; readonly fields?: object }
  | { readonly level: string; readonly error: string };

/** Makes the calls in a process of their own, which `within` starts; returns its process id. */
export function send(calls: readonly Call[], within: readonly string[]): number {
  const { status, stdout, stderr } = run(calls, within);
  if (status !== 0) throw new Error(`the service failed: ${stderr}`);
  return Number(stdout);
}

function run(calls: readonly Call[], within: readonly string[]) {
  const [command, ...args] = [...within, NODE, SCRIPT, JSON.stringify(calls)];
  return spawnSync(command, args, { encoding: 'utf8' });
}

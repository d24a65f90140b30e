/** What the demo says before its numbers: what runs, and what to try. */
import { relative } from 'node:path';
import { type Address, formatAddress } from '../../kit/options.ts';
import type { JournalAccess } from './journal.ts';
import { AGENT, type DemoPaths, type MemberName, MEMBERS, RECEIVERS } from './paths.ts';

export interface IntroFacts {
  readonly paths: DemoPaths;
  readonly journal: JournalAccess;
  readonly pids: Readonly<Record<MemberName, number>>;
  readonly telemetry: Address;
  /** The processes that run a configuration which somebody has changed. */
  readonly changed: readonly MemberName[];
  /** Paths are shown relative to this directory where they are in it. */
  readonly workingDirectory: string;
}

export function intro(facts: IntroFacts): string {
  const { paths, journal, pids, telemetry, changed } = facts;
  const shown = (path: string): string => shorten(path, facts.workingDirectory);
  const sources = [...(journal.isReadable ? ['the journal'] : []), shown(paths.pipe), shown(paths.socket)];
  const running: [string, string][] = [
    ['agent', `reads ${sources.join(', ')}`],
    ...RECEIVERS.map((name): [string, string] => [name, `keeps what it gets in ${shown(paths.topics(name))}/<topic>.ndjson`]),
  ];
  const pidOf = (name: string): string => String(pids[MEMBERS.find((member) => member === name) ?? AGENT]);
  const trials: [string, string][] = [
    [`echo hello > ${shown(paths.pipe)}`, 'a record, at both receivers a moment later'],
    journal.isReadable
      ? ['logger -t demo hello', 'the same by way of the journal']
      : [`yes | head -100000 > ${shown(paths.pipe)}`, 'more than one service may send: the limit leaves out the rest'],
    [`kill -9 ${pids['log-a']}`, 'log-a dies: its records go by way of log-b, marked'],
  ];
  return [
    'Sluice runs: an agent and two receivers, each a process of its own.',
    '',
    ...running.map(([name, does]) => `  ${name.padEnd(6)} pid ${pidOf(name).padEnd(8)} ${does}`),
    ...(journal.isReadable ? [] : ['', `  The journal is not read: ${journal.reason}.`]),
    '',
    'Try in another terminal:',
    ...columns(trials),
    '',
    `See     tail -f ${shown(paths.directory)}/log-*/topics/*.ndjson`,
    `        curl http://${formatAddress(telemetry)}/metrics`,
    `Change  ${MEMBERS.map((member) => shown(paths.config(member))).join(', ')}, and start again`,
    ...changed.map((member) => `        (${shown(paths.config(member))} has been changed and is used as it is)`),
    'End     Ctrl-C: the agent delivers what it holds, then all three end',
    '',
  ].join('\n');
}

function columns(rows: readonly [string, string][]): string[] {
  const width = Math.max(...rows.map(([command]) => command.length));
  return rows.map(([command, does]) => `  ${command.padEnd(width)}   ${does}`);
}

/** The path as a shell in `from` would take it: relative where it lies inside. */
export function shorten(path: string, from: string): string {
  const short = relative(from, path);
  return short.startsWith('..') || short === '' ? path : short;
}

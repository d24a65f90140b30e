/** The flags that choose letters. */
import type { Command } from 'commander';
import type { Selection } from '../../dead_letters/selection.ts';
import { timeOf } from '../../kit/time_flag.ts';

export interface FilterFlags {
  readonly reason?: readonly string[];
  readonly destination?: readonly string[];
  readonly receiver?: readonly string[];
  readonly id?: readonly string[];
  readonly since?: string;
  readonly until?: string;
}

/** Each may be given several times, and then one of its values must hold. */
const NAMES = [
  ['--reason <reason>', 'refused, too_large or retries_exhausted'],
  ['--destination <name>', 'whom they were meant for'],
  ['--receiver <id>', 'the receiver that took them in, such as pipe/nginx'],
  ['--id <id>', 'the id of the record'],
] as const;

export function addFilters(command: Command): Command {
  for (const [flag, does] of NAMES) command.option(flag, `${does}; may be repeated`, collect);
  return command
    .option(
      '--since <time>',
      'became letters then or later: 2026-11-20T07:00:00Z, "2026-11-20 07:00" (local time), yesterday, or how long ago, such as 2h',
    )
    .option('--until <time>', 'became letters before that; likewise');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** Throws a SluiceError where a time cannot be read. */
export function selectionOf(flags: FilterFlags, nowMicros: number): Selection {
  return {
    ...(flags.reason === undefined ? {} : { reasons: flags.reason }),
    ...(flags.destination === undefined ? {} : { destinations: flags.destination }),
    ...(flags.receiver === undefined ? {} : { receivers: flags.receiver }),
    ...(flags.id === undefined ? {} : { ids: flags.id }),
    ...(flags.since === undefined ? {} : { sinceMicros: timeOf('--since', flags.since, nowMicros) }),
    ...(flags.until === undefined ? {} : { untilMicros: timeOf('--until', flags.until, nowMicros) }),
  };
}

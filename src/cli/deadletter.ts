/** `sluice deadletter ls|show|replay|purge`: the records that a destination would not have. */
import { type Command, Option } from 'commander';
import { systemClock } from '../core/clock.ts';
import { SluiceError } from '../core/errors.ts';
import { LetterEditor, type Taken } from '../dead_letters/editor.ts';
import { isEverything, type Selection } from '../dead_letters/selection.ts';
import { nodeFiles } from '../kit/files.ts';
import { count } from '../kit/table.ts';
import { timeOf } from '../kit/time_flag.ts';
import { DEFAULT_CONFIG, type Example } from '../kit/commands.ts';
import type { Cli } from './cli.ts';
import { addFilters, type FilterFlags, selectionOf } from './deadletter/filters.ts';
import { listingJson, listingText, listLetters } from './deadletter/list.ts';
import { cannotUse, checkIsStore, checkOwner, directoryOf, isThere } from './deadletter/place.ts';
import type { PlaceFlags } from './pipeline_flags.ts';
import { findLetters } from './deadletter/show.ts';

const DEFAULT_LIMIT = '20';

type Flags = PlaceFlags & { readonly output: 'text' | 'json' };
type FilteringFlags = Flags & FilterFlags;
type PurgeFlags = FilteringFlags & { readonly yes?: true; readonly olderThan?: string };

export const examples: readonly Example[] = [['sluice deadletter ls', 'records that a destination refused, and why']];

export function register(program: Command, cli: Cli): void {
  const deadletter = program
    .command('deadletter')
    .helpCommand(false)
    .summary('list, show, replay and purge the records that a destination refused')
    .description(
      'A record that a destination refuses for good becomes a dead letter: it is kept, with the reason, and everything else goes on. These commands work whether the agent runs or not. docs/DEAD_LETTERS.md says what to do when there are some.',
    );

  addFilters(addPlace(deadletter.command('ls')))
    .option('-n, --limit <letters>', 'how many of the youngest are shown one by one', DEFAULT_LIMIT)
    .description('count dead letters by reason, destination and receiver, and list the youngest')
    .action(async (flags: FilteringFlags & { limit: string }) => {
      const limit = limitOf(flags.limit);
      await inStore(flags, cli, async (directory) => {
        const listing = await listLetters(nodeFiles, directory, selectionFrom(flags), limit);
        cli.stdout.write(isJson(flags) ? jsonText(listingJson(listing)) : listingText(listing));
      });
    });

  addPlace(deadletter.command('show'))
    .argument('<id...>', 'ids of records, as "ls" shows them')
    .description(
      'print whole dead letters, each with the record as it was sent; with -o json as the lines that they are stored as',
    )
    .action(async (ids: string[], flags: Flags) => {
      await inStore(flags, cli, async (directory) => {
        const found = await findLetters(nodeFiles, directory, ids, isJson(flags));
        cli.stdout.write(found.map(({ text }) => text).join(isJson(flags) ? '' : '\n'));
        checkFound(
          ids.filter((id) => found.every((letter) => letter.id !== id)),
          directory,
        );
      });
    });

  addFilters(addPlace(deadletter.command('replay')))
    .description(
      'send dead letters again, all or those chosen, each to the destination that refused it, with the id that it had; one that is refused again is a dead letter again',
    )
    .action(async (flags: FilteringFlags) => {
      await editing(flags, cli, async (editor, directory) => {
        const { letters } = await editor.replay(selectionFrom(flags));
        const agent = editor.isAgentRunning ? 'running' : 'stopped';
        const report = { directory, letters: sum(letters), destinations: Object.fromEntries(letters), agent };
        cli.stdout.write(isJson(flags) ? jsonText(report) : replayText(letters, editor.isAgentRunning));
      });
    });

  addFilters(addPlace(deadletter.command('purge')))
    .option('--older-than <duration>', 'became letters longer ago than that, such as 7d')
    .option('--yes', 'purge all of them, which takes no filter')
    .description('remove dead letters for good: those chosen, or all with --yes')
    .action(async (flags: PurgeFlags) => {
      const selection = purgeSelection(flags);
      await editing(flags, cli, async (editor, directory) => {
        const taken = await editor.purge(selection);
        const report = { directory, letters: sum(taken.letters), unreadable_lines: taken.unreadable };
        cli.stdout.write(isJson(flags) ? jsonText(report) : purgeText(taken));
      });
    });
}

function addPlace(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the configuration of the agent', DEFAULT_CONFIG)
    .option('--pipeline <name>', 'which pipeline, where there are several')
    .option('--directory <path>', 'where the letters are kept, instead of looking into the configuration')
    .addOption(new Option('-o, --output <form>', 'for people or for programs').choices(['text', 'json']).default('text'));
}

/** Does `work` in the directory that the flags name; where there is none yet, says that there are no letters. */
async function inStore(flags: Flags, cli: Cli, work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await directoryOf(flags, cli);
  if (!(await isThere(directory))) {
    throw new SluiceError('path_missing', `there is no directory ${directory}`, {
      hint:
        flags.directory === undefined
          ? 'an agent with this configuration makes it when it starts, so there are no dead letters'
          : 'leave --directory out to find it by the configuration',
    });
  }
  try {
    await checkIsStore(directory);
    await work(directory);
  } catch (error) {
    throw cannotUse(directory, error);
  }
}

async function editing(flags: Flags, cli: Cli, work: (editor: LetterEditor, directory: string) => Promise<void>): Promise<void> {
  await inStore(flags, cli, async (directory) => {
    await checkOwner(directory);
    const editor = await LetterEditor.begin({ directory, files: nodeFiles, clock: systemClock });
    try {
      await work(editor, directory);
    } finally {
      await editor.end();
    }
  });
}

function selectionFrom(flags: FilterFlags): Selection {
  return selectionOf(flags, systemClock.wallMicros());
}

function purgeSelection(flags: PurgeFlags): Selection {
  const { olderThan, until, yes } = flags;
  const selection = selectionFrom(flags);
  if (olderThan !== undefined && until !== undefined) {
    throw new SluiceError('config_invalid', '--older-than and --until say the same in two ways', { hint: 'give one of them' });
  }
  const chosen =
    olderThan === undefined
      ? selection
      : { ...selection, untilMicros: timeOf('--older-than', olderThan, systemClock.wallMicros()) };
  if (isEverything(chosen) && yes === undefined) {
    throw new SluiceError('config_invalid', 'this would remove every dead letter for good', {
      hint: 'choose some, for instance with --reason or --older-than 7d, or say --yes',
    });
  }
  return chosen;
}

function checkFound(missing: readonly string[], directory: string): void {
  if (missing.length === 0) return;
  throw new SluiceError('path_missing', `no dead letter in ${directory} has the id ${missing.join(', ')}`, {
    hint: '"sluice deadletter ls" lists them; one that is being replayed is not a dead letter',
  });
}

function replayText(letters: ReadonlyMap<string, number>, isAgentRunning: boolean): string {
  if (letters.size === 0) return 'no dead letter was chosen\n';
  const whom = [...letters].map(([destination, number]) => `${letters.size === 1 ? '' : `${number} `}to ${destination}`);
  const what = `${count(sum(letters), 'letter')} will be sent again (${whom.join(', ')})`;
  return `${what}: ${isAgentRunning ? 'the agent is running and takes them' : 'no agent is running, the next one takes them'} within seconds\n`;
}

function purgeText({ letters, unreadable }: Taken): string {
  const lines =
    unreadable === 0 ? '' : ` and ${count(unreadable, 'line')} that ${unreadable === 1 ? 'was no letter' : 'were no letters'}`;
  return `${count(sum(letters), 'dead letter')}${lines} removed\n`;
}

function limitOf(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new SluiceError('config_invalid', `--limit is not a number of letters: ${text}`, {
    hint: 'write a number below 1000000',
  });
}

function isJson({ output }: Flags): boolean {
  return output === 'json';
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function sum(letters: ReadonlyMap<string, number>): number {
  return letters.values().reduce((all, number) => all + number, 0);
}

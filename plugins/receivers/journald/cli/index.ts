/** `sluice journal status|cat`: what there is of the journal, how far the agent is, and the entries themselves. */
import { type Command, Option } from 'commander';
import { DEFAULT_CONFIG, type Example, type PluginTerminal } from '../../../../src/kit/commands.ts';
import type { CatFlags } from './cat_flags.ts';
import type { StatusFlags } from './status.ts';

export const examples: readonly Example[] = [
  ['sluice journal status', 'the journal’s files, and how far behind the agent is'],
  ['sluice journal cat -u nginx --since 1h', 'what nginx has logged in the last hour'],
];

export function register(program: Command, terminal: PluginTerminal): void {
  const journal = program
    .command('journal')
    .helpCommand(false)
    .summary('look at the systemd journal, and at how far the agent has come in it')
    .description(
      'Reads the files of the systemd journal as the journald receiver does, beside a running agent too. docs/JOURNALD.md says how Sluice reads the journal.',
    );

  place(journal.command('status'))
    .option('-c, --config <file>', `the configuration of the agent; where it is left out, ${DEFAULT_CONFIG} if that is there`)
    .addOption(new Option('-o, --output <form>', 'for people or for programs').choices(['text', 'json']).default('text'))
    .description(
      'say what files there are, whether they can be read, what is missing between them, and how far the agent has come',
    )
    .action(async (flags: StatusFlags) => (await import('./status.ts')).status(flags, terminal));

  place(journal.command('cat'))
    .argument('[match...]', 'entries with this field and value, such as _UID=0; one of several for the same field')
    .option(
      '--since <time>',
      'from then on: 2026-11-20T07:00:00Z, "2026-11-20 07:00" (local time), yesterday, or how long ago, such as 2h',
    )
    .option('--until <time>', 'up to then; likewise')
    .option('--cursor <cursor>', 'from the entry with this cursor on')
    .option('--after-cursor <cursor>', 'from the entry behind this cursor on')
    .option('-n, --lines <number>', 'the newest so many, with --follow also 0; with --since or a cursor, so many from there')
    .option('-u, --unit <unit>', 'what a unit logs, and what systemd logs of it; may be repeated', collect)
    .option('-t, --identifier <name>', 'entries with this SYSLOG_IDENTIFIER; may be repeated', collect)
    .option('-p, --priority <level>', 'this priority and more urgent ones, or a range: warning, 4, err..alert')
    .option('-f, --follow', 'go on with new entries as they come; begins with the newest 10 where nothing else is asked for')
    .option('--seqnum', 'also __SEQNUM and __SEQNUM_ID, as journalctl prints them since systemd 254')
    .addOption(
      new Option('-o, --output <form>', 'for people, or with all fields as journalctl')
        .choices(['text', 'export', 'json'])
        .default('text'),
    )
    .description(
      'print entries in the order in which journald has them; * and ? in a unit, identifier or value stand for any text',
    )
    .addHelpText('after', CAT_HELP)
    .action(async (matches: string[], flags: CatFlags) => (await import('./cat.ts')).cat(matches, flags, terminal));
}

const CAT_HELP = `
Examples:
  sluice journal cat -n 20                                  the newest 20 entries
  sluice journal cat -u nginx -p err --since 1h             errors of nginx in the last hour
  sluice journal cat -f -t sshd                             what sshd logs from now on
  sluice journal cat _TRANSPORT=kernel -o json              messages of the kernel with all fields
  sluice journal cat -o export --directory /mnt/log/journal > journal.export`;

function place(command: Command): Command {
  return command
    .option('--directory <path>', 'where the journal files are, instead of /var/log/journal and /run/log/journal')
    .option('--namespace <name>', 'the journal namespace; +NAME for the default one too, * for all');
}

function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `sluice spool status|check|repair`: what waits on disk, and whether it is well. */
import { join } from 'node:path';
import { type Command, Option } from 'commander';
import { SluiceError } from '../core/errors.ts';
import { isLocked, nodeFiles } from '../kit/files.ts';
import { count } from '../kit/table.ts';
import { inspectSpool } from '../spool/disk/inspection.ts';
import { repairSpool } from '../spool/disk/repair.ts';
import { LOCK_NAME } from '../spool/disk/spool_directory.ts';
import { DEFAULT_CONFIG, type Example } from '../kit/commands.ts';
import type { Cli } from './cli.ts';
import { cannotUse, checkIsSpool, checkNotLive, checkOwner, directoryOf } from './spool/place.ts';
import type { PlaceFlags } from './pipeline_flags.ts';
import { inspectionJson, inspectionText, newDamage, repairJson, repairText } from './spool/report.ts';

type Flags = PlaceFlags & { readonly output: 'text' | 'json' };

export const examples: readonly Example[] = [['sluice spool status', 'what waits on disk for each destination']];

export function register(program: Command, cli: Cli): void {
  const spool = program
    .command('spool')
    .helpCommand(false)
    .summary('look at the records that wait on disk, and at the files that they are in')
    .description(
      'What an agent cannot deliver and does not hold in memory is in the segments of its spool. These commands read the files themselves; src/spool/FORMAT.md describes them.',
    );

  addPlace(spool.command('status'))
    .description('say what each segment holds and how far each destination has come; beside a running agent too')
    .action((flags: Flags) => inSpool(flags, cli, async (directory) => void (await inspect(flags, cli, directory, false))));

  addPlace(spool.command('check'))
    .description('the same, and read and check every byte; exits with 1 where something is damaged')
    .action((flags: Flags) =>
      inSpool(flags, cli, async (directory) => {
        const damaged = await inspect(flags, cli, directory, true);
        if (damaged === 0) return;
        throw new SluiceError('state_invalid', `the spool in ${directory} has ${count(damaged, 'damaged place')}`, {
          hint: 'an agent passes over them, keeps copies and counts what was lost; "sluice spool repair" does so at once',
        });
      }),
    );

  addPlace(spool.command('repair'))
    .description(
      'set aside copies of what is damaged and cut off unfinished ends, as an agent does bit by bit; with no agent running',
    )
    .action((flags: Flags) =>
      inSpool(flags, cli, async (directory) => {
        await checkOwner(directory);
        await checkNotLive(directory);
        const repaired = await repairSpool(directory, nodeFiles);
        cli.stdout.write(isJson(flags) ? jsonText(repairJson(directory, repaired)) : repairText(directory, repaired));
      }),
    );
}

function addPlace(command: Command): Command {
  return command
    .option('-c, --config <file>', 'the configuration of the agent', DEFAULT_CONFIG)
    .option('--pipeline <name>', 'which pipeline, where there are several')
    .option('--directory <path>', 'where the spool is, instead of looking into the configuration')
    .addOption(new Option('-o, --output <form>', 'for people or for programs').choices(['text', 'json']).default('text'));
}

/** Does `work` in the directory that the flags name. */
async function inSpool(flags: Flags, cli: Cli, work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await directoryOf(flags, cli);
  try {
    await checkIsSpool(directory);
    await work(directory);
  } catch (error) {
    throw cannotUse(directory, error);
  }
}

/** Prints what there is; gives the number of damaged places that nobody has set aside. */
async function inspect(flags: Flags, cli: Cli, directory: string, withPayloads: boolean): Promise<number> {
  const isLive = await isLocked(join(directory, LOCK_NAME));
  const found = await inspectSpool(directory, nodeFiles, { withPayloads });
  cli.stdout.write(isJson(flags) ? jsonText(inspectionJson(found, { isLive })) : inspectionText(found, { isLive }));
  return newDamage(found);
}

function isJson({ output }: Flags): boolean {
  return output === 'json';
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

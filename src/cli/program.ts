/** The command line as a whole: help, version, and what is done about errors. */
import { Command, CommanderError } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import type { Cli, CommandModule } from './cli.ts';
import { formatFailure } from './failure.ts';

const ABOUT =
  'Sluice ships the logs of this host: it reads journald, named pipes and unix sockets, tags and rate limits what it reads, and delivers every record, acknowledged, to two receivers.';

const OUTRO = `"sluice <command> --help" says more about one command.`;

export interface Commands {
  readonly builtIn: readonly CommandModule[];
  /** Those of plugins; asked for only where none of the others is meant. May throw. */
  readonly fromPlugins: () => Promise<readonly CommandModule[]>;
}

/** Runs what `args` (without node and script) ask for; the exit code. Prints errors, and throws none. */
export async function runCli(args: readonly string[], cli: Cli, { builtIn, fromPlugins }: Commands): Promise<number> {
  const program = createProgram(cli);
  try {
    for (const command of builtIn) command.register(program, cli);
    const name = args.find((arg) => !arg.startsWith('-'));
    const isBuiltIn = program.commands.some((command) => command.name() === name);
    const others = isBuiltIn ? [] : await fromPlugins();
    for (const command of others) command.register(program, cli);
    program.addHelpText('after', helpEnd([...builtIn, ...others]));
    if (args.length === 0) program.outputHelp();
    else await program.parseAsync(args, { from: 'user' });
    return 0;
  } catch (thrown) {
    // commander has printed it; also the end of --help and --version comes this way.
    if (thrown instanceof CommanderError) return thrown.exitCode;
    const debug = program.opts()['debug'] === true || cli.env['SLUICE_DEBUG'] === '1';
    cli.stderr.write(formatFailure(thrown, debug));
    return 1;
  }
}

function createProgram(cli: Cli): Command {
  return new Command('sluice')
    .description(ABOUT)
    .usage('<command> [options]')
    .version(
      `sluice ${packageJson.version} (Node ${process.versions.node})`,
      '-V, --version',
      'print the version of Sluice and of its Node',
    )
    .option('--debug', 'print the stack of an error; so does SLUICE_DEBUG=1')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help, also of a single command')
    .showHelpAfterError('("sluice --help" lists what there is)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.stdout.write(text),
      writeErr: (text) => void cli.stderr.write(text),
      outputError: (text, write) => write(`sluice: ${text.replace(/^error: /, '')}`),
    });
}

function helpEnd(commands: readonly CommandModule[]): string {
  const examples = commands.flatMap((command) => command.examples ?? []);
  const width = Math.max(0, ...examples.map(([command]) => command.length));
  const lines = examples.map(([command, does]) => `  ${command.padEnd(width)}   ${does}`);
  return `\nExamples:\n${lines.join('\n')}\n\n${OUTRO}`;
}

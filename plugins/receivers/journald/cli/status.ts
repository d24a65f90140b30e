/** `sluice journal status`: what there is of the journal, and how far the agent has come. */
import { existsSync } from 'node:fs';
import { SluiceError } from '../../../../src/core/errors.ts';
import { type ConfiguredComponent, DEFAULT_CONFIG, type PluginTerminal } from '../../../../src/kit/commands.ts';
import { JournalDirectories, SYSTEM_ROOTS } from '../journal/directories.ts';
import { directoriesOf, noJournal, type PlaceFlags, problemText } from './place.ts';
import { statusJson, statusText } from './status_report.ts';
import { isKeptOut, totalsOf } from './verdict.ts';
import { type JournalView, optionsOf, viewJournal } from './view.ts';

export interface StatusFlags extends PlaceFlags {
  readonly config?: string;
  readonly output: 'text' | 'json';
}

/** Prints what there is, and throws a SluiceError where nothing of it can be read. */
export async function status(flags: StatusFlags, terminal: PluginTerminal): Promise<void> {
  const views = await viewsOf(flags, terminal);
  terminal.stdout.write(
    flags.output === 'json'
      ? `${JSON.stringify({ journals: views.map(statusJson) }, undefined, 2)}\n`
      : views.map(statusText).join('\n'),
  );
  for (const view of views) {
    if (totalsOf(view).readableFiles === 0) throw noJournal(view.described, isKeptOut(view), firstProblem(view));
  }
}

async function viewsOf(flags: StatusFlags, terminal: PluginTerminal): Promise<JournalView[]> {
  const hasPlace = flags.directory !== undefined || flags.namespace !== undefined;
  if (hasPlace && flags.config !== undefined) {
    throw new SluiceError('config_invalid', '--config and --directory or --namespace do not go together', {
      hint: 'a configuration says itself which journals its receivers read; leave one of them out',
    });
  }
  const config = flags.config ?? (existsSync(DEFAULT_CONFIG) ? DEFAULT_CONFIG : undefined);
  if (hasPlace || config === undefined) return [await viewJournal(directoriesOf(flags))];
  const receivers = await terminal.configured(config);
  if (receivers.length === 0) {
    throw new SluiceError('config_invalid', `no receiver in ${config} reads the journal`, {
      hint: 'a journald receiver does; what there is of the journal is shown with --directory /var/log/journal',
    });
  }
  return Promise.all(receivers.map((receiver) => viewJournal(configuredDirectories(receiver), receiver)));
}

function configuredDirectories(receiver: ConfiguredComponent): JournalDirectories {
  const { directory, namespace, include_users: includeUsers } = optionsOf(receiver);
  return new JournalDirectories(directory === undefined ? SYSTEM_ROOTS : [directory], { namespace, includeUsers });
}

function firstProblem({ files, problems }: JournalView): string | undefined {
  const [ofDirectories] = problems;
  if (ofDirectories !== undefined) return problemText(...ofDirectories);
  const [ofFiles] = files.flatMap(({ path, problem }) => (problem === undefined ? [] : [problemText(path, problem)]));
  return ofFiles;
}

/** Which journal a command is about, and what is said where it cannot be read. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { SluiceError } from '../../../../src/core/errors.ts';
import { JournalDirectories, SYSTEM_ROOTS } from '../journal/directories.ts';
import type { Journal } from '../journal/journal.ts';
import { options } from '../options.ts';

export interface PlaceFlags {
  readonly directory?: string;
  readonly namespace?: string;
}

/** Who is allowed to read the journal, as journald sets its files up. */
export const PERMISSION_HINT = 'run this as root or as a member of the group systemd-journal';

/** Throws a SluiceError where the directory that was asked for is not there, or the namespace is none. */
export function directoriesOf({ directory, namespace }: PlaceFlags): JournalDirectories {
  const checked = options.shape.namespace.safeParse(namespace);
  if (!checked.success) {
    const hint = checked.error.issues.map(({ message }) => `it ${message}`).join();
    throw new SluiceError('config_invalid', `--namespace is no namespace: ${namespace}`, { hint });
  }
  if (directory === undefined) return new JournalDirectories(SYSTEM_ROOTS, { namespace });
  const path = resolve(directory);
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) {
    throw new SluiceError('path_missing', found === undefined ? `there is no directory ${path}` : `${path} is no directory`, {
      hint: 'give the directory with the journal files, or the one with directories of them that are named for machine ids',
    });
  }
  return new JournalDirectories([path], { namespace });
}

/** Whether a path cannot be read because this user may not. */
export function isForbidden(reason: string): boolean {
  return /^(?:EACCES|EPERM)\b/.test(reason);
}

/** Why a path cannot be read, for people; reasons that are not the system's name the path themselves. */
export function problemText(path: string, reason: string): string {
  return reason.startsWith(path) ? reason : `${path} cannot be read: ${reason}`;
}

/** Throws a SluiceError where nothing of a journal that was looked at can be read. */
export function checkReadable({ described }: JournalDirectories, { files, problems }: Journal): void {
  if (files.length > 0) return;
  const [first] = problems;
  throw noJournal(described, [...problems.values()].some(isForbidden), first && problemText(...first));
}

/** The error where no file of the journal that is `described` can be read; `problem` is one of the reasons, where there are files at all. */
export function noJournal(described: string, isKeptOut: boolean, problem: string | undefined): SluiceError {
  if (problem === undefined) {
    return new SluiceError('path_missing', `there is no ${described}`, {
      hint: 'if journald runs here, see Storage= in journald.conf(5); journals of other hosts are read with --directory',
    });
  }
  return isKeptOut
    ? new SluiceError('permission_denied', `the ${described} may not be read by this user`, { hint: PERMISSION_HINT })
    : new SluiceError('unsupported', `nothing of the ${described} can be read`, { hint: problem });
}

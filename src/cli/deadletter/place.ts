/** Whose dead letters a command is about, and whether it may work on them. */
import { readdir, stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { describeError, errnoOf, SluiceError } from '../../core/errors.ts';
import { agentLockOf, inboxOf, isClosedName, isOpenName } from '../../dead_letters/names.ts';
import type { Cli } from '../cli.ts';
import { type PlaceFlags, pickPipeline } from '../pipeline_flags.ts';

/** The directory that the flags name. Throws a SluiceError where they name none. */
export async function directoryOf({ config: file, pipeline: name, directory }: PlaceFlags, cli: Cli): Promise<string> {
  if (directory !== undefined) return resolve(directory);
  const { pipelines } = await loadConfig(file, { registry: await cli.registry(), env: cli.env });
  const pipeline = pickPipeline(pipelines, name, file);
  if (pipeline.deadLetters !== undefined) return pipeline.deadLetters.directory;
  throw new SluiceError('config_invalid', `the pipeline ${pipeline.name} keeps no dead letters`, {
    hint: `dead_letters.enabled is false in ${file}; what it kept before can be reached with --directory`,
  });
}

/** Whether there is such a directory; where an agent has not run yet, there is none. Throws a SluiceError where it cannot be read. */
export async function isThere(directory: string): Promise<boolean> {
  try {
    await stat(directory);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw cannotUse(directory, error);
  }
}

/**
 * Throws a SluiceError where nothing in the directory is of a store: looking in the wrong place finds no letters, and a command that
 * changes something would leave its own files there. Throws the system's error where it cannot be read.
 */
export async function checkIsStore(directory: string): Promise<void> {
  const marks = [agentLockOf(directory), inboxOf(directory)].map((path) => basename(path));
  const names = await readdir(directory);
  if (names.some((name) => marks.includes(name) || isClosedName(name) || isOpenName(name))) return;
  throw new SluiceError('path_missing', `${directory} is not a directory of dead letters`, {
    hint: 'none of its files is of one; leave --directory out to find it by the configuration',
  });
}

/**
 * Throws a SluiceError unless this process is the user that the directory belongs to: what anybody else writes there, root included, the
 * agent could not read.
 */
export async function checkOwner(directory: string): Promise<void> {
  const { uid: owner } = await stat(directory);
  const self = process.getuid?.();
  if (self === undefined || self === owner) return;
  throw new SluiceError('permission_denied', `the dead letters in ${directory} belong to another user (uid ${owner})`, {
    hint: `the agent could not read what this user writes there; run it as that one: sudo -u '#${owner}' sluice deadletter …`,
  });
}

/** The system's error as one that says what to do; any other as it is. */
export function cannotUse(directory: string, cause: unknown): unknown {
  if (cause instanceof SluiceError) return cause;
  switch (errnoOf(cause)) {
    case undefined:
      return cause;
    case 'ENOTDIR':
      return new SluiceError('path_missing', `${directory} is not a directory of dead letters`, {
        hint: 'a part of the path is a file; see dead_letters.directory and service.state_directory in the configuration',
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new SluiceError('permission_denied', `the dead letters in ${directory} may not be read or changed by this user`, {
        hint: 'run it as the user that the agent runs as, or as a member of its group for "ls" and "show"',
        cause,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new SluiceError(
        'store_unavailable',
        `there is no room for the dead letters in ${directory} (${describeError(cause)})`,
        {
          hint: 'nothing is lost; make room, or replay fewer at a time, for instance with --reason or --until; "purge" needs none for whole files',
          cause,
        },
      );
    default:
      return new SluiceError('store_unavailable', `cannot work on the dead letters in ${directory} (${describeError(cause)})`, {
        hint: 'nothing is lost; see errno(3) for what the system means, and try again',
        cause,
      });
  }
}

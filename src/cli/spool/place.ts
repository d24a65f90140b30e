/** Whose spool a command is about, and what to say where it cannot be used. */
import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadConfig } from '../../config/load.ts';
import { describeError, errnoOf, SluiceError } from '../../core/errors.ts';
import { isLocked } from '../../kit/files.ts';
import { parseSegmentName } from '../../spool/disk/layout.ts';
import { LOCK_NAME } from '../../spool/disk/spool_directory.ts';
import { STATE_NAME } from '../../spool/disk/state_file.ts';
import type { Cli } from '../cli.ts';
import { type PlaceFlags, pickPipeline } from '../pipeline_flags.ts';

/** The directory that the flags name. Throws a SluiceError where they name none. */
export async function directoryOf({ config: file, pipeline: name, directory }: PlaceFlags, cli: Cli): Promise<string> {
  if (directory !== undefined) return resolve(directory);
  const { pipelines } = await loadConfig(file, { registry: await cli.registry(), env: cli.env });
  const { name: pipeline, spool } = pickPipeline(pipelines, name, file);
  if (spool.disk !== undefined) return spool.disk.directory;
  throw new SluiceError('config_invalid', `the pipeline ${pipeline} has no spool on disk`, {
    hint: `spool.disk.enabled is false in ${file}; what is there from before can be reached with --directory`,
  });
}

/**
 * Throws a SluiceError where nothing in the directory is of a spool: what is looked for in the wrong place seems to be in order. Throws the
 * system's error where it cannot be read.
 */
export async function checkIsSpool(directory: string): Promise<void> {
  const names = await readdir(directory);
  if (names.some((name) => name === LOCK_NAME || name === STATE_NAME || parseSegmentName(name) !== undefined)) return;
  throw new SluiceError('path_missing', `there is no spool in ${directory}`, {
    hint: 'none of its files is of one; leave --directory out to find it by the configuration',
  });
}

/** Throws a SluiceError unless this process is the user that the directory belongs to: what another makes, the agent could not use. */
export async function checkOwner(directory: string): Promise<void> {
  const { uid: owner } = await stat(directory);
  const self = process.getuid?.();
  if (self === undefined || self === owner) return;
  throw new SluiceError('permission_denied', `the spool in ${directory} belongs to another user (uid ${owner})`, {
    hint: `the agent could not use what this user makes there; run it as that one: sudo -u '#${owner}' sluice spool repair`,
  });
}

/** Throws a SluiceError where an agent is using the spool, which nobody else may change then. */
export async function checkNotLive(directory: string): Promise<void> {
  if (!(await isLocked(join(directory, LOCK_NAME)))) return;
  throw new SluiceError('path_conflict', `an agent is using the spool in ${directory}`, {
    hint: 'leave the repair to it, as it passes over what is damaged and keeps copies; or stop it first',
  });
}

/** The system's error as one that says what to do; any other as it is. */
export function cannotUse(directory: string, cause: unknown): unknown {
  if (cause instanceof SluiceError) return cause;
  switch (errnoOf(cause)) {
    case undefined:
      return cause;
    case 'ENOENT':
    case 'ENOTDIR':
      return new SluiceError('path_missing', `there is no spool in ${directory}`, {
        hint: 'an agent makes it when it starts; see spool.disk.directory and service.state_directory in its configuration',
        cause,
      });
    case 'EACCES':
    case 'EPERM':
      return new SluiceError('permission_denied', `the spool in ${directory} may not be read by this user`, {
        hint: 'run it as the user that the agent runs as, or as a member of its group for "status" and "check"',
        cause,
      });
    default:
      return new SluiceError('store_unavailable', `the spool in ${directory} cannot be read (${describeError(cause)})`, {
        hint: 'see errno(3) for what the system means; the disk may be failing',
        cause,
      });
  }
}

import { endianness } from 'node:os';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../../core/errors.ts';
import type { FileLock, FileSystem } from '../../core/files.ts';

const NEEDS_RIGHTS = 'the user that the agent runs as needs to write to it; under systemd, StateDirectory= makes it';

const HINTS: Readonly<Record<string, string>> = {
  EACCES: NEEDS_RIGHTS,
  EPERM: NEEDS_RIGHTS,
  EROFS: 'the file system is mounted read-only; mount it for writing, or set spool.disk.directory to another one',
};

/** Held while a process uses the directory. */
export const LOCK_NAME = 'lock';

/**
 * Makes the directory of a spool and takes its lock. Throws a `SluiceError` where another process has it, where it cannot be made or
 * written to, and on a big-endian host.
 */
export async function openSpoolDirectory(directory: string, files: FileSystem): Promise<FileLock> {
  if (endianness() !== 'LE') {
    throw new SluiceError('unsupported', 'the spool on disk is little-endian, and this host is not', {
      hint: 'turn it off: spool.disk.enabled: false',
    });
  }
  const lock = await takeLock(directory, files);
  if (lock !== undefined) return lock;
  throw new SluiceError('path_conflict', `another agent uses the spool in ${directory}`, {
    hint: 'stop it (or the "sluice spool repair" that runs there), or give this agent a service.state_directory of its own',
  });
}

async function takeLock(directory: string, files: FileSystem): Promise<FileLock | undefined> {
  try {
    await files.makeDirectory(directory);
    return await files.lock(join(directory, LOCK_NAME));
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    const isForbidden = errno in HINTS;
    throw new SluiceError(
      isForbidden ? 'permission_denied' : 'store_unavailable',
      `the spool in ${directory} cannot be used (${errno})`,
      {
        hint: HINTS[errno] ?? 'see errno(3) for what the system means, or choose another spool.disk.directory',
        cause,
      },
    );
  }
}

/** What an operator is told where a pipe or a socket cannot be had at its path. */
import type { Stats } from 'node:fs';
import { errnoOf, SluiceError } from '../core/errors.ts';

/** `what` is the kind of file, such as `pipe`; `failed` what could not be done with it: `opened`. */
export function pathError(what: string, path: string, failed: string, cause: unknown): SluiceError {
  const errno = errnoOf(cause);
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return new SluiceError('path_missing', `the directory of the ${what} ${path} does not exist`, {
        hint: 'create it first (mkdir -p), or let systemd do so with RuntimeDirectory=',
        cause,
      });
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SluiceError('permission_denied', `the ${what} ${path} cannot be ${failed} (${errno})`, {
        hint: 'the user that the agent runs as needs to write to its directory, and to read and write the file itself',
        cause,
      });
    default:
      return new SluiceError('path_conflict', `the ${what} ${path} cannot be ${failed} (${errno ?? String(cause)})`, {
        hint: 'see errno(3) for what the system means, or choose another path',
        cause,
      });
  }
}

/** Something else is where the pipe or the socket should be. */
export function pathTaken(what: string, path: string, found: Stats): SluiceError {
  return new SluiceError('path_conflict', `the path of the ${what}, ${path}, is ${kindOf(found)}`, {
    hint: 'move it away or choose another path; the agent never replaces what it did not make',
  });
}

function kindOf(found: Stats): string {
  if (found.isFile()) return 'a regular file';
  if (found.isDirectory()) return 'a directory';
  if (found.isSocket()) return 'a socket';
  if (found.isFIFO()) return 'a pipe';
  if (found.isSymbolicLink()) return 'a symbolic link';
  return 'a device';
}

/** Opening a named pipe so that it never ends and never blocks. */
import { chmodSync, closeSync, constants, fstatSync, openSync, statSync, type Stats } from 'node:fs';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';
import { makeFifo } from '../../../src/kit/native.ts';

/**
 * Opens the named pipe at `path` for reading, creating it with `mode` where it does not exist. Returns its file descriptor.
 *
 * It is opened for writing too: so opening does not wait for a writer, there is no end of file when the last writer goes, and no
 * writer gets SIGPIPE for as long as the agent runs (pipe(7), fifo(7)).
 *
 * @throws SluiceError `path_conflict` where something else is at the path, `path_missing` where its directory is not there,
 * `permission_denied` where it cannot be opened.
 */
export function openFifo(path: string, mode: number): number {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) createFifo(path, mode);
  else requireFifo(path, found);
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  } catch (cause) {
    throw new SluiceError('permission_denied', `the pipe ${path} cannot be opened (${errnoOf(cause) ?? 'unknown error'})`, {
      hint: 'the user that the agent runs as needs to read and write it: change its owner or its mode',
      cause,
    });
  }
  const opened = fstatSync(fd);
  if (!opened.isFIFO()) {
    closeSync(fd);
    requireFifo(path, opened);
  }
  return fd;
}

function createFifo(path: string, mode: number): void {
  try {
    makeFifo(path, mode);
    chmodSync(path, mode); // whatever the umask
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'EEXIST') return; // somebody else made it just now; what it is is looked at once it is open
    if (errno === 'ENOENT' || errno === 'ENOTDIR') {
      throw new SluiceError('path_missing', `the directory of the pipe ${path} does not exist`, {
        hint: `create it first (mkdir -p), or let systemd do so with RuntimeDirectory=`,
        cause,
      });
    }
    throw new SluiceError('permission_denied', `the pipe ${path} cannot be created (${errno ?? 'unknown error'})`, {
      hint: 'the user that the agent runs as needs to write to its directory',
      cause,
    });
  }
}

function requireFifo(path: string, found: Stats): void {
  if (found.isFIFO()) return;
  const what = found.isFile()
    ? 'a regular file'
    : found.isDirectory()
      ? 'a directory'
      : found.isSocket()
        ? 'a socket'
        : 'not a pipe';
  throw new SluiceError('path_conflict', `the path of the pipe, ${path}, is ${what}`, {
    hint: 'move it away or choose another path; the agent never replaces what it did not make',
  });
}

/** Opening a named pipe so that it never ends and nobody waits. */
import { closeSync, constants, fchmodSync, fstatSync, openSync, statSync, type Stats } from 'node:fs';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';
import { makeFifo } from '../../../src/kit/native.ts';
import { pathError, pathTaken } from '../../../src/kit/path_errors.ts';
import { type FileIdentity, identityOf } from '../../../src/kit/path_keeper.ts';

/** A pipe that is open; both descriptors are the holder's to close. */
export interface Fifo {
  readonly identity: FileIdentity;
  readonly readFd: number;
  /**
   * Our own writing end. While it is open the pipe has a writer and so no end of file when the last other one goes (pipe(7)); once
   * it is closed the pipe ends with the last other one.
   */
  readonly writeFd: number;
}

/**
 * Opens the named pipe at `path`, creating it with `mode` where it does not exist. Neither opening nor reading waits for a writer.
 *
 * @throws SluiceError `path_conflict` where something else is at the path, `path_missing` where its directory is not there,
 * `permission_denied` where it cannot be made or opened.
 */
export function openFifo(path: string, mode: number): Fifo {
  const isOurs = createWhereMissing(path, mode);
  const readFd = open(path, constants.O_RDONLY);
  try {
    const opened = fstatSync(readFd, { bigint: true });
    if (!opened.isFIFO()) throw pathTaken('pipe', path, fstatSync(readFd));
    if (isOurs) fchmodSync(readFd, mode); // whatever the umask
    const writeFd = open(path, constants.O_WRONLY);
    const identity = identityOf(opened);
    if (identityOf(fstatSync(writeFd, { bigint: true })) === identity) return { identity, readFd, writeFd };
    closeSync(writeFd);
    throw new SluiceError('path_conflict', `the pipe ${path} was replaced while it was opened`, { transient: true });
  } catch (error) {
    closeSync(readFd);
    throw error;
  }
}

/** Returns whether the pipe was made just now. */
function createWhereMissing(path: string, mode: number): boolean {
  const found = look(path);
  if (found !== undefined) {
    if (!found.isFIFO()) throw pathTaken('pipe', path, found);
    return false;
  }
  try {
    makeFifo(path, mode);
    return true;
  } catch (cause) {
    if (errnoOf(cause) === 'EEXIST') return false; // somebody else made it just now; what it is is looked at once it is open
    throw pathError('pipe', path, 'created', cause);
  }
}

/** What is at the path; undefined for nothing. */
function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw pathError('pipe', path, 'looked at', cause);
  }
}

function open(path: string, access: number): number {
  try {
    return openSync(path, access | constants.O_NONBLOCK);
  } catch (cause) {
    throw pathError('pipe', path, 'opened', cause);
  }
}

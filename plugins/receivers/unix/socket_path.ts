/** Taking a path for a listening unix socket: from nobody, from a crashed process, but never from a living one. */
import { statSync, unlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';

/**
 * Makes the path free to be listened on.
 *
 * @throws SluiceError `address_in_use` where a process listens there, `path_conflict` where something else than a socket is there,
 * `path_missing` where its directory is not.
 */
export async function claimSocketPath(path: string): Promise<void> {
  const directory = statSync(dirname(path), { throwIfNoEntry: false });
  if (directory?.isDirectory() !== true) {
    throw new SluiceError('path_missing', `the directory of the socket ${path} does not exist`, {
      hint: 'create it first (mkdir -p), or let systemd do so with RuntimeDirectory=',
    });
  }
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new SluiceError(
      'path_conflict',
      `the path of the socket, ${path}, is ${found.isDirectory() ? 'a directory' : 'not a socket'}`,
      {
        hint: 'move it away or choose another path; the agent never replaces what it did not make',
      },
    );
  }
  if (await hasListener(path)) {
    throw new SluiceError('address_in_use', `another process listens on the socket ${path}`, {
      hint: `stop it (ss -xlp shows it) or choose another path`,
    });
  }
  unlinkSync(path);
}

/** Whether a connection is taken. A full queue (EAGAIN) or a lack of permission (EACCES) means that somebody is there. */
function hasListener(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => resolve(errnoOf(error) !== 'ECONNREFUSED' && errnoOf(error) !== 'ENOENT'));
  });
}

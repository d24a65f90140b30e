/** Taking a path for a listening unix socket: from nobody, from a crashed process, but never from a living one. */
import { chmodSync, lstatSync, renameSync, type Stats, statSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { errnoOf, SluiceError } from '../../../src/core/errors.ts';
import { pathError, pathTaken } from '../../../src/kit/path_errors.ts';
import { type FileIdentity, identityAt } from '../../../src/kit/path_keeper.ts';

/** Added to the path that a socket is made at, before it is moved to its own. */
const MAKING_SUFFIX = '~';

/** What `sun_path` holds (unix(7): 108 bytes with the NUL behind it), less the suffix. */
export const MAX_SOCKET_PATH_BYTES = 107 - MAKING_SUFFIX.length;

/**
 * Makes `server` listen at `path`. The socket is made beside it and moved there once it listens and has its `mode`, so that nobody
 * meets it before, and what a crashed process has left there is replaced in one step.
 *
 * @throws SluiceError `address_in_use` where a process listens there, `path_conflict` where something else than a socket is there,
 * `path_missing` where its directory is not, `permission_denied` where that may not be written to.
 */
export async function listenAt(server: Server, path: string, mode: number): Promise<FileIdentity> {
  await requireFree(path);
  const making = path + MAKING_SUFFIX;
  try {
    if (look(making)?.isSocket() === true) unlinkSync(making); // left behind by a crash at this very point
    await listen(server, making);
  } catch (cause) {
    throw pathError('socket', path, 'listened on', cause);
  }
  try {
    chmodSync(making, mode);
    renameSync(making, path);
  } catch (cause) {
    server.close(); // which removes the socket at the path that it was made at
    throw pathError('socket', path, 'put in its place', cause);
  }
  const identity = identityAt(path);
  if (identity !== undefined) return identity;
  server.close();
  throw new SluiceError('path_conflict', `the socket ${path} was removed while it was made`, { transient: true });
}

/** Removes the socket file, unless another is in its place. */
export function removeSocket(path: string, identity: FileIdentity): void {
  try {
    if (identityAt(path) === identity) unlinkSync(path);
  } catch {
    // It may be gone, or its directory not ours any more; it is taken over at the next start.
  }
}

async function requireFree(path: string): Promise<void> {
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw pathError('socket', path, 'made', { code: 'ENOENT' });
  }
  const found = look(path);
  if (found === undefined) return;
  if (!found.isSocket()) throw pathTaken('socket', path, found);
  if (await hasListener(path)) {
    throw new SluiceError('address_in_use', `another process listens on the socket ${path}`, {
      hint: `stop it (ss -xlp shows it) or choose another path`,
    });
  }
}

function look(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw pathError('socket', path, 'looked at', cause);
  }
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

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: 1024 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

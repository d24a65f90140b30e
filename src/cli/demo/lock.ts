/** One demo at a time in a directory. */
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { errnoOf, SluiceError } from '../../core/errors.ts';

/**
 * Holds the directory until the returned server is closed or the process ends, however it ends: a socket in Linux' abstract
 * namespace (unix(7)) is no file that could be left behind. Throws a SluiceError where another demo holds it.
 */
export async function lockDirectory(directory: string): Promise<Server> {
  const id = createHash('sha256').update(realpathSync(directory)).digest('hex').slice(0, 32);
  const server = createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(`\0sluice-demo-${id}`, resolve);
    });
  } catch (cause) {
    if (errnoOf(cause) !== 'EADDRINUSE') throw cause;
    throw new SluiceError('path_conflict', `another demo runs in ${directory}`, {
      hint: 'stop that one (Ctrl-C in its terminal), or give this one another place with --directory',
      cause,
    });
  }
  return server;
}

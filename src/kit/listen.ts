import type { Server } from 'node:net';
import { errnoOf, SluiceError } from '../core/errors.ts';
import { type Address, formatAddress } from './options.ts';

/**
 * Listens on a TCP address. From then on `onError` hears of connections that could not be taken (no file descriptor left), which
 * the server survives.
 *
 * @throws SluiceError `address_in_use`, `permission_denied` or `config_invalid` (not an address of this host), with the address and what to do.
 */
export function listen(server: Server, address: Address, onError: (error: Error) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (cause: Error): void => reject(describe(cause, formatAddress(address)));
    server.once('error', fail);
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, () => {
      server.off('error', fail);
      server.on('error', onError);
      resolve();
    });
  });
}

function describe(cause: Error, text: string): SluiceError {
  switch (errnoOf(cause)) {
    case 'EADDRINUSE':
      return new SluiceError('address_in_use', `${text} is in use by another process`, {
        hint: 'stop the other process (ss -ltnp shows it) or choose another address',
        cause,
      });
    case 'EACCES':
      return new SluiceError('permission_denied', `${text} may not be listened on by this user`, {
        hint: 'choose a port from 1024 on, or grant CAP_NET_BIND_SERVICE',
        cause,
      });
    default:
      return new SluiceError('config_invalid', `${text} cannot be listened on (${cause.message})`, {
        hint: 'the address must belong to this host',
        cause,
      });
  }
}

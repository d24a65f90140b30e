import type { Server } from 'node:net';
import { errnoOf, SluiceError } from '../core/errors.ts';
import { type Address, formatAddress } from './options.ts';

/**
 * Listens on a TCP address.
 *
 * @throws SluiceError `address_in_use` or `permission_denied`, with the address and what to do.
 */
export function listen(server: Server, address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(describe(cause, formatAddress(address))));
    server.listen({ host: address.host, port: address.port, backlog: 1024 }, resolve);
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
      return new SluiceError('address_in_use', `${text} cannot be listened on (${cause.message})`, {
        hint: 'the address must belong to this host',
        cause,
      });
  }
}

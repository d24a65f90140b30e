/** Ports on the loopback address that nobody listens on. */
import { createServer } from 'node:net';
import { SluiceError } from '../../core/errors.ts';
import { type DemoPorts, PREFERRED_PORTS } from './configs.ts';

/** The preferred ports, each replaced by one that the system chooses where it is taken. */
export async function freePorts({ listen, telemetry }: DemoPorts = PREFERRED_PORTS): Promise<DemoPorts> {
  return {
    listen: { 'log-a': await freePort(listen['log-a']), 'log-b': await freePort(listen['log-b']) },
    telemetry: {
      sluice: await freePort(telemetry.sluice),
      'log-a': await freePort(telemetry['log-a']),
      'log-b': await freePort(telemetry['log-b']),
    },
  };
}

/**
 * Ports that replace others come from below those that the system hands out to clients (ip(7), ip_local_port_range): on one of those,
 * an agent that tries a receiver which is down might be given the very port as its own, and then talk to itself.
 */
const FIRST_PORT = 12_000;
const LAST_PORT = 32_000;
const MAX_ATTEMPTS = 100;

async function freePort(preferred: number): Promise<number> {
  let port = preferred;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (await isFree(port)) return port;
    port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
  }
  throw new SluiceError('address_in_use', 'no free port was found on 127.0.0.1');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

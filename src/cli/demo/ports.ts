/** Ports on the loopback address that nobody listens on. */
import { createServer } from 'node:net';
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

async function freePort(preferred: number): Promise<number> {
  const port = (await tryPort(preferred)) ?? (await tryPort(0));
  if (port === undefined) throw new Error('the system has no free port on 127.0.0.1');
  return port;
}

/** The port that could be listened on, which is closed again; undefined where it is taken or not allowed. */
function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : undefined));
    });
  });
}

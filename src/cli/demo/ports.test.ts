import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'tap';
import { freePorts } from './ports.ts';

void test('a port that is taken is replaced by one that is free, and free ones are kept', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1');
  const free = createServer().listen(0, '127.0.0.1');
  await Promise.all([once(taken, 'listening'), once(free, 'listening')]);
  const portOf = (server: typeof taken): number => {
    const bound = server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : 0;
  };
  const [takenPort, freePort] = [portOf(taken), portOf(free)];
  await new Promise((resolve) => free.close(resolve));
  t.teardown(() => taken.close());
  const ports = await freePorts({
    listen: { 'log-a': takenPort, 'log-b': freePort },
    telemetry: { sluice: takenPort, 'log-a': takenPort, 'log-b': takenPort },
  });
  t.not(ports.listen['log-a'], takenPort);
  t.ok(ports.listen['log-a'] >= 12_000 && ports.listen['log-a'] < 32_000);
  t.equal(ports.listen['log-b'], freePort);
});

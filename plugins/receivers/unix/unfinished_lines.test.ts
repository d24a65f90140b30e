import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { temporaryDirectory } from '../../../test/helpers/temporary_directory.ts';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import { options } from './index.ts';
import { UnixReceiver } from './receiver.ts';

const BOUNDS = { max_buffered_bytes: '1MiB', max_line_bytes: '512KiB', partial_line_timeout: '1h' };
const HALF = 'x'.repeat(300_000);

void test('lines that are not finished take bounded memory over all clients, and those that would take more ship marked', async (t) => {
  const path = join(temporaryDirectory(t), 'log.sock');
  const context = new FakeReceiverContext({ clock: systemClock });
  const receiver = new UnixReceiver(options.parse({ path, ...BOUNDS }), context);
  t.teardown(() => receiver.stop());
  await receiver.start();
  const clients = Array.from({ length: 6 }, () => connect(path));
  for (const client of clients) t.teardown(() => client.destroy());
  await Promise.all(clients.map((client) => once(client, 'connect')));
  for (const client of clients) client.write(HALF);
  await waitFor(() => context.records.length > 0, { what: 'a line that was cut short' });
  const held = (): number => context.metrics.sum('sluice_unix_buffered_bytes');
  t.ok(held() <= 1024 * 1024);
  for (const client of clients) client.end('\n');
  await waitFor(() => held() === 0, { what: 'the memory to be given back' });
  const bytes = (): number => context.bodies.reduce((sum, body) => sum + body.length, 0);
  await waitFor(() => bytes() === HALF.length * clients.length, { what: 'all that was written' });
  t.ok(context.records.some(({ partial }) => partial));
});

void test('a bound that a single line could exceed is refused', (t) => {
  const { error } = options.safeParse({ path: '/run/x.sock', ...BOUNDS, max_line_bytes: '1MiB' });
  t.match(error?.issues, [{ path: ['max_buffered_bytes'], message: 'must be at least twice max_line_bytes' }]);
  t.end();
});

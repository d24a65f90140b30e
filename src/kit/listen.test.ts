import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'tap';
import { listen } from './listen.ts';

function unexpected(error: Error): void {
  throw error;
}

void test('an address that another server has is refused with what to do about it', async (t) => {
  const [first, second] = [createServer(), createServer()];
  t.teardown(() => first.close());
  await listen(first, { host: '127.0.0.1', port: 0 }, unexpected);
  const address = first.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  await t.rejects(listen(second, { host: '127.0.0.1', port }, unexpected), {
    code: 'address_in_use',
    message: `127.0.0.1:${port} is in use by another process`,
    hint: /ss -ltnp/,
  });
});

void test('an address of another host is refused', async (t) => {
  await t.rejects(listen(createServer(), { host: '192.0.2.1', port: 0 }, unexpected), { message: /192\.0\.2\.1:0 cannot be/ });
});

void test('connections that cannot be taken, time and again, are told and end nothing', async (t) => {
  const server = createServer();
  t.teardown(() => server.close());
  const heard: string[] = [];
  await listen(server, { host: '127.0.0.1', port: 0 }, (error) => heard.push(error.message));
  for (const attempt of [1, 2]) server.emit('error', new Error(`accept EMFILE ${attempt}`));
  t.same(heard, ['accept EMFILE 1', 'accept EMFILE 2']);
  t.ok(server.listening);
  server.close();
  await once(server, 'close');
});

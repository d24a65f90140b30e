import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { errnoOf } from '../../../src/core/errors.ts';
import { LOOK_INTERVAL_MS } from '../../../src/kit/path_keeper.ts';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { temporaryDirectory } from '../../../test/helpers/temporary_directory.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { waitFor, within } from '../../../test/helpers/wait_for.ts';
import { options } from './index.ts';
import { UnixReceiver } from './receiver.ts';

interface Bench {
  readonly path: string;
  readonly receiver: UnixReceiver;
  readonly context: FakeReceiverContext;
  readonly received: (count: number) => Promise<void>;
}

function bench(t: Test, extra: Record<string, unknown> = {}, clock = systemClock): Bench {
  const path = join(temporaryDirectory(t), 'log.sock');
  const context = new FakeReceiverContext({ clock });
  const receiver = new UnixReceiver(options.parse({ path, ...extra }), context);
  t.teardown(() => receiver.stop());
  const received = (count: number): Promise<void> =>
    waitFor(() => context.records.length >= count, { what: `${count} records to come` });
  return { path, receiver, context, received };
}

async function client(t: Test, path: string): Promise<Socket> {
  const socket = connect(path);
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  socket.on('error', () => {}); // who is interested looks at the close event
  return socket;
}

async function closed(socket: Socket, what: string): Promise<void> {
  socket.resume();
  if (!socket.destroyed) await within(once(socket, 'close'), { what });
}

/** Writes as much as the kernel takes, past Node's own buffers; how many bytes that was. Throws EPIPE once nothing is taken any more. */
function writeUntilFull(socket: Socket, line: Buffer): number {
  const fd = Number(Reflect.get(Reflect.get(socket, '_handle'), 'fd'));
  for (let written = 0; ;) {
    try {
      written += writeSync(fd, line, written % line.length);
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return written;
      throw error;
    }
  }
}

void test('the lines of many clients stay whole and in order, however they are cut', async (t) => {
  const { path, receiver, context, received } = bench(t);
  await receiver.start();
  const clients = await Promise.all(Array.from({ length: 20 }, () => client(t, path)));
  const lines = 50;
  for (let line = 0; line < lines; line++) {
    for (const [number, one] of clients.entries()) one.write(`client ${number} li`);
    await new Promise(setImmediate);
    for (const [number, one] of clients.entries()) one.write(`ne ${line}\nclient ${number} again ${line}\n`);
  }
  await received(clients.length * lines * 2);
  for (const number of clients.keys()) {
    t.same(
      context.bodies.filter((body) => body.startsWith(`client ${number} `)),
      Array.from({ length: lines }, (_, line) => [`client ${number} line ${line}`, `client ${number} again ${line}`]).flat(),
    );
  }
});

void test('the last line of a client needs no newline, and a client that shuts down its side sees ours closed', async (t) => {
  const { path, receiver, context, received } = bench(t);
  await receiver.start();
  const one = connect({ path, allowHalfOpen: true });
  t.teardown(() => one.destroy());
  one.end('first\nlast');
  one.resume();
  await within(once(one, 'end'), { what: 'our side to be closed' });
  await received(2);
  t.match(context.records, [{ body: 'first' }, { body: 'last', partial: false }]);
});

void test('a client that stops in mid-line and stays has what it wrote shipped, marked', async (t) => {
  const { path, receiver, context, received } = bench(t, { partial_line_timeout: '50ms' });
  await receiver.start();
  const one = await client(t, path);
  one.write('half a li');
  await received(1);
  one.write('ne\nwhole\n');
  await received(3);
  t.match(context.records, [
    { body: 'half a li', partial: true },
    { body: 'ne', partial: false },
    { body: 'whole', partial: false },
  ]);
});

void test('an endless line is cut and skipped in bounded memory, and the line behind it is intact', async (t) => {
  const { path, receiver, context, received } = bench(t, { max_line_bytes: '64KiB' });
  await receiver.start();
  const one = await client(t, path);
  const piece = Buffer.alloc(1024 * 1024, 'x');
  const before = process.memoryUsage().arrayBuffers;
  for (let mebibytes = 0; mebibytes < 200; mebibytes++) if (!one.write(piece)) await once(one, 'drain');
  t.ok(
    process.memoryUsage().arrayBuffers - before < 100 * 1024 * 1024,
    'half of what was sent, of which most waits to be collected',
  );
  one.write('\nthe next line\n');
  await received(2);
  t.match(context.records, [{ truncated: true }, { body: 'the next line', truncated: false }]);
  t.equal(context.bodies[0]?.length, 64 * 1024);
  t.equal(context.metrics.value('sluice_receiver_truncated_records_total'), 1);
});

void test('connections beyond the limit are closed at once and counted, and there is room again when one goes', async (t) => {
  const { path, receiver, context, received } = bench(t, { max_connections: 2 });
  await receiver.start();
  const [first] = await Promise.all([client(t, path), client(t, path)]);
  await waitFor(() => context.metrics.value('sluice_unix_connections') === 2, { what: 'both to be taken' });
  await closed(await client(t, path), 'the third to be closed');
  t.equal(context.metrics.value('sluice_unix_refused_connections_total'), 1);
  t.equal(context.metrics.value('sluice_unix_connections_total'), 2);
  t.match(context.log.lines.at(-1), { level: 'warn', fields: { path } });
  first.end('bye\n');
  await waitFor(() => context.metrics.value('sluice_unix_connections') === 1, { what: 'the first to be gone' });
  const next = await client(t, path);
  next.write('hello\n');
  await received(2);
  t.same(context.bodies, ['bye', 'hello']);
});

void test('with on_full: block nothing is read while there is no room, and everything once there is', async (t) => {
  const { path, receiver, context } = bench(t, { on_full: 'block' });
  context.fill();
  await receiver.start();
  const one = await client(t, path);
  const line = Buffer.from(`${'x'.repeat(1023)}\n`);
  let written = 0;
  for (let turn = 0; turn < 100; turn++) {
    written += writeUntilFull(one, line);
    await new Promise(setImmediate);
  }
  t.ok(context.waits > 0 && context.waits < 20, `it asked for room ${context.waits} times`);
  t.ok(written < 4 * 1024 * 1024, `${written} bytes were taken, and no more`);
  context.drain();
  one.end();
  const bytes = (): number => context.bodies.reduce((sum, body) => sum + body.length + 1, 0);
  await waitFor(() => bytes() >= written, { what: 'everything to be read' });
});

void test('a line is not cut because nothing is read for longer than its time-out', async (t) => {
  const clock = new VirtualClock();
  const { path, receiver, context } = bench(t, { on_full: 'block', partial_line_timeout: '1s' }, clock);
  await receiver.start();
  context.fill();
  const one = await client(t, path);
  one.write('the beginning, ');
  await waitFor(() => context.waits > 0, { what: 'the receiver to ask for room' });
  one.end('and the rest\n');
  await clock.run(60_000);
  t.equal(context.records.length, 0);
  context.drain();
  await waitFor(
    () => {
      clock.advance(25);
      return context.records.length > 0;
    },
    { what: 'the line' },
  );
  t.match(context.records, [{ body: 'the beginning, and the rest', partial: false }]);
});

void test('what clients have sent before a stop is read, also of those that had not been taken yet', async (t) => {
  const { path, receiver, context } = bench(t, { on_full: 'block' });
  context.fill();
  await receiver.start();
  const one = await client(t, path);
  const line = Buffer.from(`${'x'.repeat(1023)}\n`);
  let written = 0;
  while (context.waits === 0) {
    written += writeUntilFull(one, line);
    await new Promise(setImmediate);
  }
  written += writeUntilFull(one, line);
  // While it runs this process does not, so its connection waits to be taken.
  const { status } = spawnSync(process.execPath, [
    '-e',
    `const client = require('net').connect(${JSON.stringify(path)}); client.write('one of those\\n'.repeat(100), () => process.exit());`,
  ]);
  t.equal(status, 0);
  await within(receiver.stop(), { what: 'the receiver to stop' });
  t.equal(context.bodies.filter((body) => body === 'one of those').length, 100);
  const bytes = context.bodies.filter((body) => body !== 'one of those').reduce((sum, body) => sum + body.length + 1, 0);
  t.ok(written > 50_000);
  t.equal(bytes, context.records.at(-1)?.partial === true ? written + 1 : written);
});

void test('a client that writes on and on during a stop is told at which byte it ended: what it was able to write is read', async (t) => {
  const { path, receiver, context } = bench(t);
  await receiver.start();
  const one = await client(t, path);
  const line = Buffer.from(`${'x'.repeat(99)}\n`);
  let written = 0;
  let failure: unknown;
  const flood = async (): Promise<void> => {
    for (let rest = 0; failure === undefined; rest = written % line.length) {
      try {
        written += writeUntilFull(one, Buffer.concat([line.subarray(rest), line.subarray(0, rest)]));
      } catch (error) {
        failure = error;
      }
      await new Promise(setImmediate);
    }
  };
  const flooded = flood();
  await waitFor(() => context.records.length > 1000, { what: 'the flood' });
  await within(receiver.stop(), { what: 'the receiver to stop' });
  await flooded;
  t.match(failure, { code: /EPIPE|EBADF/ });
  const bodies = context.bodies;
  const last = bodies.pop() ?? '';
  t.same([...new Set(bodies.map((body) => body.length))], [99]);
  const whole = context.records.at(-1)?.partial === true ? last.length : last.length + 1;
  t.equal(bodies.length * line.length + whole, written);
});

void test('stop closes every connection and removes the socket', async (t) => {
  const { path, receiver, context } = bench(t);
  await receiver.start();
  const clients = await Promise.all(Array.from({ length: 10 }, () => client(t, path)));
  clients[0]?.write('unfinished');
  await within(receiver.stop(), { what: 'the receiver to stop' });
  await Promise.all(clients.map((one) => closed(one, 'every connection to be closed')));
  t.equal(existsSync(path), false);
  t.match(context.records, [{ body: 'unfinished', partial: true }]);
  t.equal(context.metrics.value('sluice_unix_connections'), 0);
});

void test('a socket that is removed is made anew within a second, and who is connected stays so', async (t) => {
  const clock = new VirtualClock();
  const { path, receiver, context } = bench(t, {}, clock);
  const received = (count: number): Promise<void> =>
    waitFor(
      () => {
        clock.advance(25);
        return context.records.length >= count;
      },
      { what: `${count} records` },
    );
  await receiver.start();
  const old = await client(t, path);
  unlinkSync(path);
  clock.advance(LOOK_INTERVAL_MS);
  await waitFor(() => existsSync(path), { what: 'the socket to be there again' });
  const young = await client(t, path);
  young.write('by way of the new one\n');
  await received(1);
  old.write('by way of the old one\n');
  await received(2);
  t.equal(context.metrics.value('sluice_unix_reopened_total'), 1);
  t.match(context.log.lines.at(-1), { message: 'the socket was made anew', fields: { path } });
  await receiver.stop();
  await closed(old, 'the old connection to be closed');
  t.equal(existsSync(path), false);
});

void test('a socket that somebody else has put in the place is left alone and told, until it is gone', async (t) => {
  const clock = new VirtualClock();
  const { path, receiver, context } = bench(t, {}, clock);
  await receiver.start();
  const other = createServer((socket) => socket.destroy()).listen(`${path}.other`);
  t.teardown(() => other.close());
  await once(other, 'listening');
  renameSync(`${path}.other`, path);
  clock.advance(LOOK_INTERVAL_MS);
  await waitFor(() => context.log.lines.length > 0, { what: 'a line in the log' });
  t.match(context.log.lines, [{ level: 'error', fields: { reason: /another process listens on the socket/ } }]);
  unlinkSync(path);
  writeFileSync(path, 'precious');
  await clock.run(10_000);
  t.match(context.log.lines.at(-1), { level: 'error', fields: { reason: /is a regular file: move it away/ } });
  await receiver.stop();
  t.equal(existsSync(path), true, 'what is not ours is not removed');
});

import {
  chmodSync,
  closeSync,
  constants,
  openSync,
  readdirSync,
  readlinkSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { type Test, test } from 'tap';
import { systemClock } from '../../../src/core/clock.ts';
import { errnoOf } from '../../../src/core/errors.ts';
import { makeFifo } from '../../../src/kit/native.ts';
import { LOOK_INTERVAL_MS } from '../../../src/kit/path_keeper.ts';
import { FakeReceiverContext } from '../../../test/helpers/contexts.ts';
import { temporaryDirectory } from '../../../test/helpers/temporary_directory.ts';
import { asOrdinaryUser } from '../../../test/helpers/users.ts';
import { VirtualClock } from '../../../test/helpers/virtual_clock.ts';
import { waitFor } from '../../../test/helpers/wait_for.ts';
import { type Fifo, openFifo } from './fifo.ts';
import { options } from './index.ts';
import { PipeReceiver } from './receiver.ts';

interface Bench {
  readonly path: string;
  readonly receiver: PipeReceiver;
  readonly context: FakeReceiverContext;
  readonly clock: VirtualClock;
  /** Moves time on until so many records have come. */
  readonly received: (count: number) => Promise<void>;
}

function bench(t: Test, extra: Record<string, unknown> = {}, open?: (path: string, mode: number) => Fifo): Bench {
  const path = join(temporaryDirectory(t), 'app.pipe');
  const clock = new VirtualClock();
  const context = new FakeReceiverContext({ clock });
  const receiver = new PipeReceiver(options.parse({ path, ...extra }), context, open);
  t.teardown(() => receiver.stop());
  const received = (count: number): Promise<void> =>
    comesTrue(clock, () => context.records.length >= count, `${count} records to come`);
  return { path, receiver, context, clock, received };
}

/** Waits for the outside while virtual time moves on, five times as fast as that of the wall. */
function comesTrue(clock: VirtualClock, condition: () => boolean, what: string): Promise<void> {
  return waitFor(
    () => {
      clock.advance(25);
      return condition();
    },
    { what },
  );
}

/** A writer that has the pipe open and never waits. */
function openWriter(t: Test, path: string): number {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  t.teardown(() => {
    try {
      closeSync(fd);
    } catch {
      // closed by the test
    }
  });
  return fd;
}

/** Writes as `echo` does, but fails where nobody reads. */
function write(path: string, text: string): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  writeSync(fd, text);
  closeSync(fd);
}

/** Writes lines until the pipe is full; how many it took whole. */
function writeUntilFull(fd: number, line: string): number {
  for (let lines = 0; ; lines++) {
    try {
      writeSync(fd, line); // below PIPE_BUF, so all or nothing
    } catch (error) {
      if (errnoOf(error) === 'EAGAIN') return lines;
      throw error;
    }
  }
}

/** Descriptors that are open on files below a directory, deleted ones included. */
function descriptorsOn(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
    } catch {
      return false; // that of the listing itself
    }
  }).length;
}

void test('writers may come and go, also in mid-line', async (t) => {
  const { path, receiver, context, received } = bench(t);
  await receiver.start();
  write(path, 'one\ntw');
  write(path, 'o\n');
  await received(2);
  t.same(context.bodies, ['one', 'two']);
});

void test('a line whose writer stops in the middle ships after its time-out, marked', async (t) => {
  const { path, receiver, context, received } = bench(t, { partial_line_timeout: '1s' });
  await receiver.start();
  write(path, 'half a li');
  await received(1);
  t.match(context.records, [{ body: 'half a li', partial: true }]);
  t.equal(context.metrics.value('sluice_receiver_partial_records_total'), 1);
});

void test('what the pipe holds when the receiver stops is read, room or not', async (t) => {
  const { path, receiver, context } = bench(t, { on_full: 'block' });
  context.fill();
  await receiver.start();
  const writer = openWriter(t, path);
  const lines = writeUntilFull(writer, 'a line that waits\n');
  await waitFor(() => context.waits > 0, { what: 'the receiver to ask for room' });
  const more = writeUntilFull(writer, 'a line that waits\n');
  await receiver.stop();
  t.ok(lines + more > 1024 * 50, 'a mebibyte and more was written');
  t.equal(context.records.length, lines + more);
  t.same([...new Set(context.bodies)], ['a line that waits']);
  t.throws(() => writeSync(writer, 'x'), { code: 'EPIPE' }, 'nothing reads any more');
});

void test('an unfinished line is marked when the receiver stops', async (t) => {
  const { path, receiver, context, received } = bench(t);
  await receiver.start();
  write(path, 'whole\nunfin');
  await received(1);
  write(path, 'ished');
  await receiver.stop();
  t.match(context.records, [
    { body: 'whole', partial: false },
    { body: 'unfinished', partial: true },
  ]);
});

void test('it reads on when there is room again, and a writer waits no longer than that', async (t) => {
  const { path, receiver, context, clock, received } = bench(t, { on_full: 'block', capacity: '64KiB' });
  context.fill();
  await receiver.start();
  const writer = openWriter(t, path);
  let lines = writeUntilFull(writer, 'a line that waits\n');
  await waitFor(() => context.waits > 0, { what: 'the receiver to ask for room' });
  lines += writeUntilFull(writer, 'a line that waits\n');
  const { waits } = context;
  await clock.run(1000);
  t.throws(() => writeSync(writer, 'a line too many\n'), { code: 'EAGAIN' }, 'the pipe stays full');
  t.equal(context.waits, waits, 'nothing is read meanwhile');
  context.drain();
  await received(lines);
  t.equal(context.records.length, lines);
});

void test('a line is not cut because nothing is read for longer than its time-out', async (t) => {
  const { path, receiver, context, clock, received } = bench(t, { on_full: 'block', partial_line_timeout: '1s' });
  await receiver.start();
  context.fill();
  write(path, 'the beginning, ');
  await waitFor(() => context.waits > 0, { what: 'the receiver to ask for room' });
  write(path, 'and the rest\nhalf a li');
  await clock.run(60_000);
  t.equal(context.records.length, 0);
  context.drain();
  await received(2);
  t.match(context.records, [
    { body: 'the beginning, and the rest', partial: false },
    { body: 'half a li', partial: true },
  ]);
});

void test('a pipe that is removed is made anew within a second, and those who have the old one open lose nothing', async (t) => {
  const { path, receiver, context, clock, received } = bench(t);
  await receiver.start();
  const writer = openWriter(t, path);
  writeSync(writer, 'before\n');
  await received(1);
  unlinkSync(path);
  clock.advance(LOOK_INTERVAL_MS);
  write(path, 'to the new one\n');
  writeSync(writer, 'to the old one\n');
  await received(3);
  t.same(context.bodies.sort(), ['before', 'to the new one', 'to the old one']);
  t.equal(context.metrics.value('sluice_pipe_reopened_total'), 1);
  t.match(context.log.lines.at(-1), { message: 'the pipe was opened anew', fields: { path } });

  writeSync(writer, 'the end of the o');
  closeSync(writer);
  await comesTrue(clock, () => descriptorsOn(`${path} (deleted)`) === 0, 'the old pipe to be closed with its last writer');
  t.match(context.records.at(-1), { body: 'the end of the o', partial: true });
  t.equal(descriptorsOn(path), 2, 'the new one stays open');
});

void test('a pipe that is replaced by another is left for that one', async (t) => {
  const { path, receiver, context, clock, received } = bench(t);
  await receiver.start();
  makeFifo(`${path}.new`, 0o600);
  renameSync(`${path}.new`, path);
  clock.advance(LOOK_INTERVAL_MS);
  write(path, 'to the new one\n');
  await received(1);
  t.same(context.bodies, ['to the new one']);
  await comesTrue(clock, () => descriptorsOn(`${path} (deleted)`) === 0, 'the old pipe, which has no writer, to be closed');
});

void test('a file in the place of the pipe is told and left alone, the old pipe is read, and the new one once there is room', async (t) => {
  const { path, receiver, context, clock, received } = bench(t);
  await receiver.start();
  const writer = openWriter(t, path);
  unlinkSync(path);
  writeFileSync(path, 'precious');
  await clock.run(LOOK_INTERVAL_MS);
  t.match(context.log.lines.at(-1), { level: 'error', fields: { reason: /is a regular file: move it away/ } });
  writeSync(writer, 'to the old one\n');
  await received(1);
  unlinkSync(path);
  await clock.run(15_000);
  write(path, 'to the new one\n');
  await received(2);
  t.same(context.bodies, ['to the old one', 'to the new one']);
});

void test('a pipe that is replaced again and again takes a bounded number of descriptors', async (t) => {
  const { path, receiver, clock } = bench(t);
  await receiver.start();
  for (let round = 0; round < 20; round++) {
    openWriter(t, path);
    unlinkSync(path);
    await clock.run(LOOK_INTERVAL_MS);
  }
  t.ok(descriptorsOn(path) <= 20 + 2 + 8, 'those of our writers, the current pipe and eight former ones');
  await receiver.stop();
  t.equal(descriptorsOn(path), 20);
});

void test('a pipe that cannot be read is opened anew, once a second', async (t) => {
  let failing = true;
  let opened = 0;
  const { path, receiver, context, clock, received } = bench(t, {}, (path, mode) => {
    opened += 1;
    const fifo = openFifo(path, mode);
    if (!failing) return fifo;
    const unreadable = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(fifo.readFd);
    return { ...fifo, readFd: unreadable };
  });
  await receiver.start();
  await clock.run(60_000);
  t.ok(opened >= 50 && opened <= 61, `it was tried ${opened} times in a minute`);
  t.match(context.log.lines.at(-1), { level: 'error', message: 'reading the pipe failed', fields: { path } });
  failing = false;
  await clock.run(15_000);
  write(path, 'at last\n');
  await received(1);
  await receiver.stop();
  t.equal(descriptorsOn(path), 0);
});

void test('a capacity that is not granted is told', async (t) => {
  const { path, receiver, context } = bench(t, { capacity: '1GiB' });
  makeFifo(path, 0o666);
  chmodSync(path, 0o666);
  chmodSync(dirname(path), 0o755);
  await asOrdinaryUser(() => receiver.start());
  const granted = context.metrics.value('sluice_pipe_capacity_bytes') ?? 0;
  t.match(context.log.lines, [{ level: 'warn', fields: { path, asked_bytes: 2 ** 30, granted_bytes: granted } }]);
  t.ok(granted > 0 && granted < 2 ** 30);
});

void test('a small pipe is not left alone while its writer keeps it full', async (t) => {
  const path = join(temporaryDirectory(t), 'app.pipe');
  const context = new FakeReceiverContext({ clock: systemClock });
  const receiver = new PipeReceiver(options.parse({ path, capacity: '4KiB' }), context);
  t.teardown(() => receiver.stop());
  await receiver.start();
  const writer = openWriter(t, path);
  const startMs = performance.now();
  let lines = 0;
  while (lines < 4000) {
    lines += writeUntilFull(writer, `${'x'.repeat(1023)}\n`);
    await new Promise(setImmediate);
  }
  // Four megabytes through four kibibytes: a pause of 75 ms for each fill would take 75 s.
  t.ok(performance.now() - startMs < 10_000);
  await receiver.stop();
  t.equal(context.records.length, lines);
});

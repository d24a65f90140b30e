import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { test } from 'tap';
import { DELIVERED } from '../../../../src/core/ack.ts';
import { systemClock } from '../../../../src/core/clock.ts';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { type Cursor, seqnumCursor } from '../file/cursor.ts';
import definition from '../index.ts';
import { setUnknownFeature } from '../testdata/foreign.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { withoutSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const skip = withoutSystemd;

const SEQNUM_ID = 'a1'.repeat(16);
const BASE_MICROS = 1_700_000_000_000_000;

/** Stands for a journalctl that knows the newer feature: it reads the same files where they lack the flag. */
const NEWER_JOURNALCTL = `#!/bin/sh
for argument do
  shift
  case $argument in --directory=*) argument=$argument.plain ;; esac
  set -- "$@" "$argument"
done
PATH=\${PATH#*:}
exec journalctl "$@"
`;

interface Tap {
  teardown(run: () => unknown): unknown;
}

interface FileOptions {
  /** Whether only the newer journalctl can read it. Default false. */
  readonly isForeign?: boolean;
  /** Default `SEQNUM_ID`. */
  readonly seqnumId?: string;
  /** What each entry has besides its message, as `NAME=value`. */
  readonly fields?: readonly string[];
}

function numbered(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => `message ${first + index}`);
}

/** A journal of which some files are newer than the reader, and receivers that read it, with a journalctl that knows these files. */
function setUp(t: Tap, { hasJournalctl = true } = {}) {
  const root = temporaryDirectory(t);
  const [directory, stateDirectory, bin] = [join(root, 'journal'), join(root, 'state'), join(root, 'bin')];
  for (const path of [directory, `${directory}.plain`, stateDirectory, bin]) mkdirSync(path);
  if (hasJournalctl) writeFileSync(join(bin, 'journalctl'), NEWER_JOURNALCTL, { mode: 0o755 });
  const path = process.env['PATH'] ?? '';
  process.env['PATH'] = hasJournalctl ? `${bin}${delimiter}${path}` : bin;
  t.teardown(() => (process.env['PATH'] = path));

  /** Writes a file with the entries from `first` to `last`, both as the reader sees it and as the newer journalctl does. */
  const write = (
    name: string,
    first: number,
    last: number,
    { isForeign = false, fields = [], seqnumId = SEQNUM_ID }: FileOptions = {},
  ) => {
    const writer = new JournalWriter({ seqnumId, firstSeqnum: first, firstRealtime: BASE_MICROS + first });
    for (const [index, message] of numbered(first, last).entries()) {
      const realtime = BASE_MICROS + first + index;
      writer.append({ realtime, monotonic: realtime - BASE_MICROS, fields: [`MESSAGE=${message}`, ...fields] });
    }
    for (const to of [`${directory}.plain`, directory]) {
      const temporary = join(to, `${name}.new`);
      writer.save(temporary);
      if (isForeign && to === directory) setUnknownFeature(temporary);
      renameSync(temporary, join(to, `${name}.journal`));
    }
  };
  const create = (given: Record<string, unknown> = {}) => {
    const context = new FakeReceiverContext({ id: 'journald', clock: systemClock, stateDirectory });
    const options = definition.options.parse({ directory, start_at: 'beginning', poll_interval: '10ms', ...given });
    const receiver = definition.create(options, context);
    const end = async (): Promise<void> => {
      await receiver.stop();
      context.settleAll({ kind: 'failed', reason: 'shutdown' });
      await receiver.close?.();
    };
    t.teardown(end);
    const has = (count: number) =>
      waitFor(() => context.records.length >= count, { what: `${count} records`, deadlineMs: 20_000 });
    const driver = (): string =>
      context.metrics.value('sluice_journald_driver', { driver: 'journalctl' }) === 1 ? 'journalctl' : 'files';
    return { context, receiver, end, has, driver };
  };
  const cursor = (): string => readFileSync(join(stateDirectory, 'cursor'), 'utf8');
  const setCursors = (...cursors: readonly Cursor[]): void =>
    writeFileSync(join(stateDirectory, 'cursor'), cursors.map(({ text }) => `${text}\n`).join(''));
  return { directory, write, create, cursor, setCursors };
}

void test('journalctl goes on behind the last entry that was emitted when a newer file comes', { skip }, async (t) => {
  const { write, create } = setUp(t);
  write('old', 1, 5000);
  const { context, receiver, has, driver } = create();
  await receiver.start();
  await has(5000);
  t.equal(driver(), 'files');
  t.equal(context.metrics.value('sluice_journald_driver', { driver: 'files' }), 1);
  write('new', 5001, 9000, { isForeign: true });
  await has(9000);
  t.equal(driver(), 'journalctl');
  t.equal(context.metrics.value('sluice_journald_driver', { driver: 'files' }), 0);
  t.same(context.bodies, numbered(1, 9000), 'though nothing of it had been delivered');
  t.match(
    context.log.lines.find(({ message }) => message.startsWith('journalctl reads')),
    { level: 'warn', fields: { files: [/new\.journal$/], version: /^systemd \d/, hint: /update the agent/ } },
  );
  write('newer', 9001, 9003, { isForeign: true });
  await has(9003);
  t.same(context.bodies, numbered(1, 9003));
});

void test('nothing that is later than what only journalctl can read is emitted before it', { skip }, async (t) => {
  const { write, create } = setUp(t);
  write('old', 1, 10);
  write('new', 11, 20, { isForeign: true });
  write('user-1000', 21, 30);
  const { context, receiver, has } = create();
  await receiver.start();
  await has(30);
  t.same(context.bodies, numbered(1, 30));
  t.equal(new Set(context.records.map(({ sequence }) => sequence)).size, 30);
});

void test('a line of which the rest is in a newer file is given up, and nothing of it comes twice', { skip }, async (t) => {
  const { write, create } = setUp(t);
  const stream = `_STREAM_ID=${'1'.repeat(32)}`;
  write('old', 1, 1);
  write('parts', 2, 3, { fields: [stream, '_LINE_BREAK=line-max'] });
  write('user-1000', 4, 5);
  const { context, receiver, has, driver } = create();
  await receiver.start();
  await has(3);
  write('new', 6, 7, { isForeign: true, fields: [stream] });
  await has(6);
  t.equal(driver(), 'journalctl');
  t.same(context.bodies, ['message 1', 'message 4', 'message 5', 'message 2message 3', 'message 6', 'message 7']);
  t.same(
    context.records.map(({ partial }) => partial),
    [false, false, false, true, false, false],
  );
});

void test('a newer file of which everything has been read makes no difference', { skip }, async (t) => {
  const { write, create } = setUp(t);
  write('new', 1, 10, { isForeign: true });
  const first = create();
  await first.receiver.start();
  await first.has(10);
  t.equal(first.driver(), 'journalctl');
  first.context.settleAll(DELIVERED);
  await first.end();
  write('later', 11, 20);
  const second = create();
  await second.receiver.start();
  await second.has(10);
  t.equal(second.driver(), 'files');
  t.same(second.context.bodies, numbered(11, 20));
});

void test('either driver goes on where delivery ended with the other', { skip }, async (t) => {
  const { write, create, cursor } = setUp(t);
  write('a', 1, 100);
  let last = 0;
  for (const driver of ['journalctl', 'files', 'journalctl', 'auto']) {
    const { context, receiver, has, end } = create({ driver });
    await receiver.start();
    await has(100);
    t.same(context.bodies, numbered(last + 1, last + 100), driver);
    context.settleAll(DELIVERED);
    await end();
    last += 100;
    t.match(cursor(), new RegExp(`^s=${SEQNUM_ID};i=${last.toString(16)};b=`));
    write(`next-${last}`, last + 1, last + 100);
  }
});

void test('what was not delivered is read again by the other driver', { skip }, async (t) => {
  const { write, create } = setUp(t);
  write('a', 1, 100);
  const first = create({ driver: 'journalctl' });
  await first.receiver.start();
  await first.has(100);
  await first.end();
  const second = create({ driver: 'files' });
  await second.receiver.start();
  await second.has(100);
  t.same(second.context.bodies, numbered(1, 100));
});

void test('without journalctl the files that can be read are, and those that are left out are told', { skip }, async (t) => {
  const { write, create } = setUp(t, { hasJournalctl: false });
  write('old', 1, 10);
  write('new', 11, 20, { isForeign: true });
  write('user-1000', 21, 30);
  const { context, receiver, has, driver } = create();
  await receiver.start();
  await has(20);
  t.same(context.bodies, [...numbered(1, 10), ...numbered(21, 30)]);
  t.equal(driver(), 'files');
  t.match(
    context.log.lines.filter(({ level }) => level === 'error'),
    [{ message: /entries are left out/, fields: { files: [/new\.journal$/], journalctl: /ENOENT/, hint: /update the agent/ } }],
  );
});

void test('driver: files never runs journalctl', { skip }, async (t) => {
  const { write, create } = setUp(t);
  write('old', 1, 10);
  write('new', 11, 20, { isForeign: true });
  write('user-1000', 21, 30);
  const { context, receiver, has, driver } = create({ driver: 'files' });
  await receiver.start();
  await has(20);
  t.same(context.bodies, [...numbered(1, 10), ...numbered(21, 30)]);
  t.equal(driver(), 'files');
});

void test('driver: journalctl does not start without it', async (t) => {
  const { create, cursor } = setUp(t, { hasJournalctl: false });
  const { receiver } = create({ driver: 'journalctl' });
  await t.rejects(receiver.start(), {
    code: 'process_failed',
    message: /journalctl --version failed \(ENOENT\)/,
    hint: /install journalctl/,
  });
  t.throws(cursor, { code: 'ENOENT' }, 'and so no position is taken');
});

void test('journalctl begins where each sequence was left', { skip }, async (t) => {
  const { write, create, setCursors } = setUp(t);
  const [other, third] = ['b2'.repeat(16), 'c3'.repeat(16)];
  write('a', 1, 50);
  // With the same contents they would be the same entries to journalctl, of which one is a copy.
  write('b', 1, 50, { seqnumId: other, fields: ['X=b'] });
  setCursors(seqnumCursor(SEQNUM_ID, 40, BASE_MICROS + 40), seqnumCursor(other, 10, BASE_MICROS + 10));
  const { context, receiver, has } = create({ driver: 'journalctl' });
  await receiver.start();
  await has(50);
  write('c', 101, 103, { seqnumId: third });
  await has(53);
  const read = Object.groupBy(
    context.emitted.flatMap(({ batch, records }) => records.map(({ body }) => ({ body, epoch: batch.epoch ?? '' }))),
    ({ epoch }) => epoch.slice(0, 2),
  );
  t.same(
    ['a1', 'b2', 'c3'].map((sequence) => read[sequence]?.map(({ body }) => body)),
    [numbered(41, 50), numbered(11, 50), numbered(101, 103)],
  );
});

void test('journalctl goes on with the nearest later entry where its place is gone', { skip }, async (t) => {
  const { write, create, setCursors } = setUp(t);
  write('later', 21, 30);
  setCursors(seqnumCursor(SEQNUM_ID, 5, BASE_MICROS + 5));
  const { context, receiver, has } = create({ driver: 'journalctl' });
  await receiver.start();
  await has(10);
  t.same(context.bodies, numbered(21, 30));
});

void test('with start_at: end only what comes later is read, of newer files too', { skip }, async (t) => {
  const { write, create } = setUp(t);
  write('old', 1, 10);
  write('new', 11, 20, { isForeign: true });
  const { context, receiver, has, driver } = create({ start_at: 'end' });
  await receiver.start();
  write('newer', 21, 30, { isForeign: true });
  await has(10);
  t.equal(driver(), 'journalctl');
  t.same(context.bodies, numbered(21, 30));
});

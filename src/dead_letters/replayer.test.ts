import { test } from 'tap';
import { DELIVERED, type Outcome } from '../core/ack.ts';
import type { Batch } from '../core/batch.ts';
import type { FileSystem } from '../core/files.ts';
import { Cfjs1Encoder } from '../kit/cfjs1_encoder.ts';
import { ByteWriter } from '../kit/byte_writer.ts';
import { SimulatedDisk } from '../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import { Replayer } from './replayer.ts';
import { batchOf, type Bench, benchOn, DIRECTORY, idsOn, linesOn, putFile, REFUSAL, seeded } from './testdata/letters.ts';

const INBOX = `${DIRECTORY}/replay`;

interface ReplayBench extends Bench {
  readonly disk: SimulatedDisk;
  readonly files: FileSystem;
  readonly replayer: Replayer;
  /** Not settled yet, in the order in which they were emitted. */
  readonly emitted: Batch[];
  /** What an exporter would have sent, all of it. */
  readonly sent: string[];
  /** Makes `whenRoom` wait for this. */
  room: Promise<void> | undefined;
}

async function replaying(disk = new SimulatedDisk({ random: seeded(1) }), clock = new VirtualClock()): Promise<ReplayBench> {
  const files = disk.mount();
  const bench = benchOn(files, { clock });
  await bench.store.start();
  const encoder = new Cfjs1Encoder();
  const emitted: Batch[] = [];
  const sent: string[] = [];
  const replayer = new Replayer({
    directory: DIRECTORY,
    store: bench.store,
    receiver: 'dead_letters/logs',
    destinations: ['log-a', 'log-b'],
    emit: (batch) => {
      const writer = new ByteWriter(64);
      encoder.encode(batch, writer);
      sent.push(...writer.written().toString().split('\n').slice(0, -1));
      emitted.push(batch);
    },
    whenRoom: () => self.room,
    files,
    clock,
    log: bench.log,
    metrics: bench.metrics,
  });
  const self: ReplayBench = { ...bench, disk, files, replayer, emitted, sent, room: undefined };
  return self;
}

function settleAll({ emitted }: ReplayBench, outcome: Outcome = DELIVERED): void {
  for (const batch of emitted.splice(0)) batch.settle(outcome);
}

function letter(line: string, destination = 'log-a', receiver = 'pipe/app', attempts = 1): string {
  const head = { time: '2026-11-20T06:00:00.000000Z', reason: 'refused', destination, attempts, detail: 'd', receiver };
  return `${JSON.stringify(head).slice(0, -1)},"line":${line}}\n`;
}

const LINE = '{"format":"app","app":{"id":"e-0", "n":1e3}}';

function lineOf(id: string, more = ''): string {
  return `{"format":"app","app":{"id":"${id}"${more}}}`;
}

function inboxFile(name: string): string {
  return `${INBOX}/20261120T060000.000000Z.${name}.ndjson`;
}

/** More than may be under way at once. */
function manyLetters(destination: string): string {
  return Array.from({ length: 4000 }, (_, at) => letter(lineOf(`e-${at}`, `,"message":"${'x'.repeat(1000)}"`), destination)).join(
    '',
  );
}

void test('letters are sent as they are, for the destination that lacks them, and then their file goes', async (t) => {
  const bench = await replaying();
  const marked = '{"format":"app","app":{"id":"e-1"},"destination":"log-c"}';
  const other = '{"format":"other","other":{"id":"e-2"}}';
  await putFile(bench.files, inboxFile('log-a'), letter(LINE) + letter(other) + letter(marked) + letter(lineOf('e-3')));
  await putFile(bench.files, inboxFile('log-b'), letter(LINE, 'log-b'));
  bench.replayer.start();
  await bench.clock.settle();
  t.same(bench.sent.toSorted(), [LINE, lineOf('e-3'), other, marked, LINE].toSorted());
  const facts = {
    receiver: 'dead_letters/logs',
    onlyFor: 'log-a',
    format: 'app',
    destination: undefined,
    epoch: '',
    isKept: true,
  };
  t.match(
    bench.emitted.filter(({ onlyFor }) => onlyFor === 'log-a'),
    [
      { ...facts, count: 2 },
      { ...facts, format: 'other', count: 1 },
      { ...facts, destination: 'log-c', count: 1 },
    ],
  );
  t.match(
    bench.emitted.filter(({ onlyFor }) => onlyFor !== 'log-a'),
    [{ ...facts, onlyFor: 'log-b', count: 1 }],
  );
  t.equal(linesOn(bench.disk, INBOX).size, 2, 'nothing goes before it has settled');
  settleAll(bench);
  await bench.clock.settle();
  t.equal(linesOn(bench.disk, INBOX).size, 0);
  t.equal(bench.metrics.value('sluice_dead_letter_replayed_records_total'), 5);
  await bench.clock.run(60_000);
  t.equal(bench.sent.length, 5, 'once');
});

void test('a letter that is refused again is a letter again, with its first receiver and all its attempts', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, inboxFile('log-a'), letter(LINE, 'log-a', 'pipe/"x"', 3));
  bench.replayer.start();
  await bench.clock.settle();
  const [batch] = bench.emitted;
  t.ok(batch);
  if (batch !== undefined) await bench.store.put(batch, [0], 'log-a', { ...REFUSAL, attempts: 2 });
  settleAll(bench, { kind: 'rejected', reason: 'refused' });
  await bench.clock.settle();
  t.equal(linesOn(bench.disk, INBOX).size, 0);
  const [[kept = ''] = []] = linesOn(bench.disk).values();
  t.match(JSON.parse(kept), { receiver: 'pipe/"x"', attempts: 5, reason: 'refused', detail: REFUSAL.detail });
  t.ok(kept.endsWith(`"line":${LINE}}`), 'byte for byte');
});

void test('a file whose letters were neither delivered nor refused stays, and is sent again later', async (t) => {
  for (const kind of ['failed', 'dropped'] as const) {
    const bench = await replaying();
    await putFile(bench.files, inboxFile('log-a'), letter(LINE));
    bench.replayer.start();
    await bench.clock.settle();
    settleAll(bench, { kind, reason: 'shutdown' });
    await bench.clock.run(20_000);
    t.equal(linesOn(bench.disk, INBOX).size, 1);
    t.equal(bench.sent.length, 1, 'not at once');
    await bench.clock.run(20_000);
    t.equal(bench.sent.length, 2);
    settleAll(bench);
    await bench.clock.settle();
    t.equal(linesOn(bench.disk, INBOX).size, 0);
  }
});

void test('after a crash a file is sent again from its beginning', async (t) => {
  const first = await replaying();
  const text = Array.from({ length: 2000 }, (_, at) => letter(lineOf(`e-${at}`, `,"message":"${'x'.repeat(300)}"`))).join('');
  await putFile(first.files, inboxFile('log-a'), text);
  first.replayer.start();
  await first.clock.settle();
  first.emitted[0]?.settle(DELIVERED);
  await first.clock.settle();
  first.disk.crash();

  const second = await replaying(first.disk);
  second.replayer.start();
  for (let turn = 0; turn < 20; turn++) {
    await second.clock.settle();
    settleAll(second);
  }
  t.equal(second.sent.length, 2000);
  t.equal(linesOn(second.disk, INBOX).size, 0);
});

void test('a destination that is away holds a bounded part, and holds up no other', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, inboxFile('log-a'), manyLetters('log-a'));
  await putFile(bench.files, inboxFile('log-b'), manyLetters('log-b'));
  bench.replayer.start();
  for (let turn = 0; turn < 100; turn++) {
    await bench.clock.settle();
    const away = bench.emitted.filter(({ onlyFor }) => onlyFor === 'log-a');
    for (const batch of bench.emitted.splice(0)) if (batch.onlyFor === 'log-b') batch.settle(DELIVERED);
    bench.emitted.push(...away);
  }
  const heldBytes = bench.emitted.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0);
  t.ok(heldBytes > 1e6 && heldBytes < 2.5e6, `${heldBytes} bytes are under way`);
  t.same([...linesOn(bench.disk, INBOX).keys()], [inboxFile('log-a').slice(INBOX.length + 1)]);
});

void test('nothing is emitted while there is no room', async (t) => {
  const bench = await replaying();
  const { promise, resolve } = Promise.withResolvers<void>();
  bench.room = promise;
  await putFile(bench.files, inboxFile('log-a'), letter(LINE));
  bench.replayer.start();
  await bench.clock.run(5000);
  t.equal(bench.sent.length, 0);
  bench.room = undefined;
  resolve();
  await bench.clock.settle();
  t.equal(bench.sent.length, 1);
});

void test('what cannot be sent goes back into the store as it is, and says why', async (t) => {
  const bench = await replaying();
  const bad = ['no letter', letter('{"format":"app"}').trimEnd(), letter(LINE, 'log-z').trimEnd()];
  await putFile(bench.files, inboxFile('log-a'), `${bad[0]}\n${letter(LINE)}${bad[1]}\n\n${bad[2]}`);
  bench.replayer.start();
  await bench.clock.settle();
  t.same(bench.sent, [LINE]);
  t.same(idsOn(bench.disk), [], 'not before the rest has settled, lest it be put back twice');
  settleAll(bench);
  await bench.clock.settle();
  t.same([...linesOn(bench.disk).values()], [bad]);
  t.equal(linesOn(bench.disk, INBOX).size, 0);
  t.equal(bench.metrics.value('sluice_dead_letter_returned_records_total'), 3);
  t.match(
    bench.log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields['problem']),
    ['not a JSON object', /not cfjs1: no wrapper/, 'the pipeline has no destination log-z'],
  );
});

void test('what cannot be put back stays where it is', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, inboxFile('log-a'), 'no letter\n');
  bench.disk.failWith('ENOSPC');
  bench.replayer.start();
  await bench.clock.run(1000);
  t.equal(linesOn(bench.disk, INBOX).size, 1);
  bench.disk.failWith(undefined);
  await bench.clock.run(40_000);
  t.equal(linesOn(bench.disk, INBOX).size, 0);
  t.same([...linesOn(bench.disk).values()], [['no letter']]);
});

void test('a file that grows while it is sent is not removed', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, inboxFile('log-a'), letter(LINE));
  bench.replayer.start();
  await bench.clock.settle();
  const file = await bench.files.open(inboxFile('log-a'), 'update');
  await file.write([Buffer.from(letter(lineOf('e-9')))], await file.size());
  settleAll(bench);
  await bench.clock.run(40_000);
  t.equal(bench.sent.at(-1), lineOf('e-9'));
});

void test('what lies in the inbox and is no file of letters is left alone', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, `${INBOX}/20261120T060000.000000Z.tmp`, letter(LINE));
  await putFile(bench.files, `${INBOX}/readme`, letter(LINE));
  bench.replayer.start();
  await bench.clock.run(5000);
  t.equal(bench.sent.length, 0);
});

void test('a file that cannot be read is tried again, and does not hold up others', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, inboxFile('log-a'), letter(LINE));
  await putFile(bench.files, inboxFile('log-b'), letter(lineOf('e-b'), 'log-b'));
  bench.disk.fault = (operation, path) => (operation === 'open' && path.endsWith('log-a.ndjson') ? 'EACCES' : undefined);
  bench.replayer.start();
  await bench.clock.run(2000);
  t.same(bench.sent, [lineOf('e-b')]);
  t.match(bench.log.lines, [{ level: 'error', fields: { reason: /EACCES/ } }]);
  bench.disk.fault = () => undefined;
  await bench.clock.run(40_000);
  t.same(bench.sent, [lineOf('e-b'), LINE]);
});

void test('a file that is put there while it runs is found within a second or two', async (t) => {
  const bench = await replaying();
  bench.replayer.start();
  await bench.clock.run(10_000);
  await putFile(bench.files, inboxFile('log-a'), letter(LINE));
  await bench.clock.run(1000);
  t.same(bench.sent, [LINE]);
});

void test('stop ends the emitting, and close removes what settled before it', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, inboxFile('log-a'), letter(LINE));
  await putFile(bench.files, inboxFile('log-b'), letter(LINE, 'log-b'));
  bench.replayer.start();
  await bench.clock.settle();
  bench.replayer.stop();
  bench.replayer.stop();
  bench.emitted[0]?.settle(DELIVERED);
  await bench.replayer.close();
  t.same([...linesOn(bench.disk, INBOX).keys()], [inboxFile('log-b').slice(INBOX.length + 1)]);
  await bench.store.stop();
  t.equal(bench.clock.pendingTimers, 0);
});

void test('stop may be called before start, and ends a wait for room', async (t) => {
  const idle = await replaying();
  idle.replayer.stop();
  idle.replayer.start();
  await idle.clock.settle();
  await idle.replayer.close();

  const bench = await replaying();
  bench.room = new Promise(() => {});
  await putFile(bench.files, inboxFile('log-a'), letter(LINE));
  bench.replayer.start();
  await bench.clock.settle();
  await bench.replayer.close();
  t.equal(bench.sent.length, 0);
  t.equal(linesOn(bench.disk, INBOX).size, 1);
});

void test('a replayed record in the store of the spool keeps what it says of itself', async (t) => {
  const bench = await replaying();
  await putFile(bench.files, inboxFile('log-a'), letter(LINE, 'log-a', 'pipe/app', 7));
  bench.replayer.start();
  await bench.clock.settle();
  const { columns, arena } = bench.emitted[0] ?? batchOf([]);
  t.equal(arena.toString('utf8', columns.fieldsStart[0], columns.fieldsEnd[0]), '"receiver":"pipe/app","attempts":7');
});

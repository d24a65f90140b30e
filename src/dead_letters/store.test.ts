import { test } from 'tap';
import type { FileSystem } from '../core/files.ts';
import { SimulatedDisk } from '../../test/helpers/simulated_disk.ts';
import { VirtualClock } from '../../test/helpers/virtual_clock.ts';
import {
  batchOf,
  type Bench,
  benchOn,
  type BenchOptions,
  DIRECTORY,
  idsOn,
  linesOn,
  REFUSAL,
  seeded,
} from './testdata/letters.ts';

interface Started extends Bench {
  readonly disk: SimulatedDisk;
  readonly files: FileSystem;
}

async function started(options: BenchOptions = {}): Promise<Started> {
  const disk = new SimulatedDisk({ random: seeded(1) });
  const files = disk.mount();
  const bench = benchOn(files, options);
  await bench.store.start();
  return { ...bench, disk, files };
}

/** A record whose letter has more than `bytes` bytes. */
function large(bytes: number, sequence: number) {
  return { body: 'x'.repeat(bytes), sequence };
}

void test('a letter is one object a line, with why and for whom, and the record as it was sent', async (t) => {
  const { store, disk, metrics } = await started();
  const batch = batchOf([{ body: '{"a" : 1e3}', kind: 'json', service: 'nginx', sequence: 7 }, 'b', 'c']);
  await store.put(batch, [0, 2], 'log-a', { reason: 'too_large', detail: 'at most 2 MiB', attempts: 3 });
  const [lines = []] = linesOn(disk).values();
  t.equal(
    lines[0],
    '{"time":"2026-11-20T07:00:00.000000Z","reason":"too_large","destination":"log-a","attempts":3,"detail":"at most 2 MiB","receiver":"pipe/app","line":{"format":"app","app":{"id":"e-7","timestamp":"1970-01-01T00:00:00.000000Z","service":"nginx","body":{"a" : 1e3}}}}',
  );
  t.equal(lines.length, 2);
  t.match(JSON.parse(lines[1] ?? ''), { line: { app: { id: 'e-2', message: 'c' } } });
  t.equal(metrics.value('sluice_dead_letter_records_total', { destination: 'log-a', reason: 'too_large' }), 2);
  t.equal(metrics.value('sluice_dead_letter_records'), 2);
  t.equal(metrics.value('sluice_dead_letter_bytes'), disk.bytes);
});

void test('a put has settled only when a loss of power cannot undo it', async (t) => {
  for (let seed = 1; seed <= 100; seed++) {
    const disk = new SimulatedDisk({ random: seeded(seed) });
    const { store } = benchOn(disk.mount());
    await store.start();
    const settled: string[] = [];
    let steps = 0;
    disk.fault = () => {
      if (++steps === (seed % 25) + 1) disk.crash();
      return undefined;
    };
    for (let sequence = 0; sequence < 6; sequence++) {
      void store
        .put(batchOf([{ body: 'x'.repeat(700), sequence }]), [0], 'log-a', REFUSAL)
        .then(() => settled.push(`e-${sequence}`));
      await new Promise(setImmediate);
    }
    disk.fault = () => undefined;
    const again = benchOn(disk.mount());
    await again.store.start();
    const kept = idsOn(disk);
    t.same(
      settled.filter((id) => !kept.includes(id)),
      [],
      `seed ${seed}`,
    );
  }
});

void test('puts that come while the disk is busy are synced together', async (t) => {
  const { store, disk } = await started();
  let syncs = 0;
  disk.fault = (operation) => {
    if (operation === 'sync') syncs += 1;
    return undefined;
  };
  const puts = Array.from({ length: 50 }, (_, sequence) => store.put(batchOf([{ body: 'x', sequence }]), [0], 'log-a', REFUSAL));
  await Promise.all(puts);
  t.same(
    idsOn(disk),
    puts.map((_, sequence) => `e-${sequence}`),
  );
  t.ok(syncs <= 2, `${syncs} syncs`);
});

void test('a full disk refuses the letters it is given, and takes the next ones when there is room', async (t) => {
  const { store, disk, log, metrics } = await started();
  await store.put(batchOf(['a']), [0], 'log-a', REFUSAL);
  for (const code of ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT']) {
    disk.failWith(code);
    const put = store.put(batchOf([{ body: 'lost', sequence: 8 }]), [0], 'log-a', REFUSAL);
    await t.rejects(put, { code: 'store_unavailable', message: new RegExp(code), transient: true });
    disk.failWith(undefined);
    await store.put(batchOf([{ body: 'b', sequence: 9 }]), [0], 'log-a', REFUSAL);
  }
  t.same(idsOn(disk), ['e-0', 'e-9', 'e-9', 'e-9', 'e-9'], 'what was refused is nowhere');
  t.equal(metrics.sum('sluice_dead_letter_records_total'), 5);
  t.equal(metrics.value('sluice_dead_letter_failed_writes_total'), 4);
  t.equal(metrics.value('sluice_dead_letter_records'), 5);
  t.equal(metrics.value('sluice_dead_letter_bytes'), disk.bytes);
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 4, 'each outage is told once');
  t.equal(log.lines.at(-1)?.message, 'dead letters can be written again');
});

void test('an outage of many letters is one line of the log', async (t) => {
  const { store, disk, log } = await started();
  disk.failWith('ENOSPC');
  for (let count = 0; count < 20; count++) await t.rejects(store.put(batchOf(['a']), [0], 'log-a', REFUSAL));
  t.equal(log.lines.filter(({ level }) => level === 'error').length, 1);
});

void test('a store starts on a full disk and works when there is room', async (t) => {
  const disk = new SimulatedDisk({ random: seeded(1) });
  const { store } = benchOn(disk.mount());
  disk.failWith('ENOSPC');
  await store.start();
  await t.rejects(store.put(batchOf(['a']), [0], 'log-a', REFUSAL), { code: 'store_unavailable' });
  disk.failWith(undefined);
  await store.put(batchOf(['b']), [0], 'log-a', REFUSAL);
  t.same(idsOn(disk), ['e-0']);
});

void test('what the operator must put right is said at the start', async (t) => {
  const disk = new SimulatedDisk({ random: seeded(1) });
  const { store } = benchOn(disk.mount());
  disk.failWith('EACCES');
  await t.rejects(store.start(), { code: 'permission_denied', hint: /dead_letters\.directory/ });
  disk.failWith('ENOTDIR');
  await t.rejects(store.start(), { code: 'path_conflict', message: /\/letters/ });
});

void test('two agents do not share a directory, and a command that holds it for a moment is waited for', async (t) => {
  const clock = new VirtualClock();
  const disk = new SimulatedDisk({ random: seeded(1) });
  const files = disk.mount();
  const first = benchOn(files, { clock });
  await first.store.start();
  const second = t.rejects(benchOn(files, { clock }).store.start(), { code: 'path_conflict', hint: /stop it/ });
  await clock.run(10_000);
  await second;

  const third = benchOn(files, { clock }).store;
  const isStarted = third.start();
  await clock.run(1000);
  await first.store.stop();
  await clock.run(200);
  await isStarted;
  await third.stop();
  t.equal(clock.pendingTimers, 0);
});

void test('the oldest files go where a letter needs their room, and are counted', async (t) => {
  const maxBytes = 64 * 1024;
  const { store, disk, metrics, clock } = await started({ maxBytes });
  for (let sequence = 0; sequence < 100; sequence++) {
    await store.put(batchOf([large(2000, sequence)]), [0], 'log-a', REFUSAL);
    t.ok(disk.bytes <= maxBytes, `${disk.bytes} bytes after ${sequence}`);
    await clock.run(10);
  }
  const kept = idsOn(disk);
  t.equal(kept.at(-1), 'e-99');
  t.ok(kept.length >= 20 && kept.length < 40, `${kept.length} are kept, that is most of what there is room for`);
  t.same(
    kept,
    Array.from({ length: kept.length }, (_, at) => `e-${100 - kept.length + at}`),
    'the youngest ones, in order',
  );
  const removed = metrics.value('sluice_dead_letter_removed_records_total', { reason: 'max_bytes' });
  t.equal(removed, 100 - kept.length);
  t.equal(metrics.value('sluice_dead_letter_records'), kept.length);
});

void test('letters that are larger than all the room are refused and cost no others', async (t) => {
  const { store, disk } = await started({ maxBytes: 64 * 1024 });
  await store.put(batchOf(['a']), [0], 'log-a', REFUSAL);
  await t.rejects(store.put(batchOf([large(70_000, 1)]), [0], 'log-a', REFUSAL), { message: /max_bytes/ });
  t.same(idsOn(disk), ['e-0']);
});

void test('letters older than max_age go, at the start and while running, and are counted', async (t) => {
  const maxAgeMs = 60 * 60_000;
  const { store, disk, metrics, clock } = await started({ maxAgeMs });
  await store.put(batchOf(['a']), [0], 'log-a', REFUSAL);
  await clock.run(maxAgeMs / 2);
  t.same(idsOn(disk), ['e-0']);
  await store.put(batchOf([{ body: 'b', sequence: 1 }]), [0], 'log-a', REFUSAL);
  await clock.run(maxAgeMs / 2 + 2 * 60_000);
  t.same(idsOn(disk), ['e-1'], 'the second one is younger');
  t.equal(metrics.value('sluice_dead_letter_removed_records_total', { reason: 'max_age' }), 1);

  await store.stop();
  clock.advance(maxAgeMs);
  const again = benchOn(disk.mount(), { clock, maxAgeMs });
  await again.store.start();
  await clock.run(60_000);
  t.same(idsOn(disk), []);
  t.equal(again.metrics.value('sluice_dead_letter_removed_records_total', { reason: 'max_age' }), 1);
});

void test('a torn last line is cut off at the start, and what is whole is kept', async (t) => {
  const { store, disk, log } = await started();
  await store.put(batchOf(['a', 'b']), [0, 1], 'log-a', REFUSAL);
  const [name = ''] = linesOn(disk).keys();
  t.match(name, /\.open\.ndjson$/);
  const files = disk.mount();
  const file = await files.open(`${DIRECTORY}/${name}`, 'update');
  await file.write([Buffer.from('{"time":"2026-')], await file.size());

  const again = benchOn(files);
  await again.store.start();
  t.same(
    [...linesOn(disk)].map(([closed, lines]) => [closed, lines.length]),
    [[name.replace('.open', ''), 2]],
  );
  t.notOk(disk.contents.get(`${DIRECTORY}/${name.replace('.open', '')}`)?.includes('2026-', -14));
  t.match(again.log.lines, [{ message: 'the torn end of a file of dead letters was cut off', fields: { bytes: 14 } }]);
  t.equal(again.store.records, 2);
  t.same(log.lines, []);
});

void test('a file that ends before its first line was whole leaves nothing behind', async (t) => {
  const disk = new SimulatedDisk({ random: seeded(1) });
  const files = disk.mount();
  await files.makeDirectory(DIRECTORY);
  const file = await files.open(`${DIRECTORY}/20261120T060000.000000Z.open.ndjson`, 'create');
  await file.write([Buffer.from('{"ti')], 0);
  await benchOn(files).store.start();
  t.same([...linesOn(disk)], []);
});

void test('what a crash left of a directory that cannot be read in part does not stop the rest', async (t) => {
  const { store, disk, clock } = await started();
  await store.put(batchOf(['a']), [0], 'log-a', REFUSAL);
  await store.stop();
  const files = disk.mount();
  for (const name of ['notes.txt', '20261120T050000.000000Z.ndjson', 'x.ndjson']) {
    const file = await files.open(`${DIRECTORY}/${name}`, 'create');
    await file.write([Buffer.from('no letter\n\n\u0000\n')], 0);
  }
  disk.fault = (operation, path) => (operation === 'open' && path.includes('050000') ? 'EACCES' : undefined);
  const again = benchOn(files, { clock });
  await again.store.start();
  await clock.run(180_000);
  t.equal(again.store.records, 1);
  t.match(again.log.lines, [{ level: 'warn', fields: { reason: /EACCES/ } }], 'it is told once');
  await again.store.put(batchOf(['b']), [0], 'log-a', REFUSAL);
  t.equal(again.store.records, 2);
});

void test('a file that somebody removes or changes while it is written is left to them, and another is begun', async (t) => {
  const { store, disk, files } = await started();
  await store.put(batchOf(['a']), [0], 'log-a', REFUSAL);
  for (const path of disk.contents.keys()) await files.remove(path);
  await store.put(batchOf([{ body: 'b', sequence: 1 }]), [0], 'log-a', REFUSAL);
  t.same(idsOn(disk), ['e-1']);

  const [name = ''] = linesOn(disk).keys();
  const file = await files.open(`${DIRECTORY}/${name}`, 'update');
  await file.write([Buffer.from('a note\n')], await file.size());
  await store.put(batchOf([{ body: 'c', sequence: 2 }]), [0], 'log-a', REFUSAL);
  t.match([...linesOn(disk).values()], [[/e-1/, 'a note'], [/e-2/]]);
});

void test('names of files grow even where the clock is set back', async (t) => {
  const clock = new VirtualClock();
  const disk = new SimulatedDisk({ random: seeded(1) });
  for (let run = 0; run < 3; run++) {
    const { store } = benchOn(disk.mount(), { clock });
    await store.start();
    await store.put(batchOf([{ body: 'x', sequence: run }]), [0], 'log-a', REFUSAL);
    await store.stop();
    clock.setWallMicros(clock.wallMicros() - 3_600_000_000);
  }
  t.same(idsOn(disk), ['e-0', 'e-1', 'e-2']);
});

void test('a request closes the file that is written, so that a command may work on it', async (t) => {
  const { store, disk, files, clock } = await started();
  await store.put(batchOf(['a']), [0], 'log-a', REFUSAL);
  t.match([...linesOn(disk).keys()], [/\.open\.ndjson$/]);
  await (await files.open(`${DIRECTORY}/request`, 'create')).close();
  await clock.run(1000);
  t.notOk(disk.contents.has(`${DIRECTORY}/request`));
  const [name = ''] = linesOn(disk).keys();
  t.match(name, /Z\.ndjson$/);
  t.equal(store.records, 1);

  await files.remove(`${DIRECTORY}/${name}`);
  await clock.run(60_000);
  t.equal(store.records, 0, 'what a command has taken does not count for long');
});

void test('stop keeps what was put, refuses what comes later, and may be called before start and twice', async (t) => {
  const { store, disk, clock } = await started();
  const put = store.put(batchOf(['a']), [0], 'log-a', REFUSAL);
  await Promise.all([store.stop(), store.stop()]);
  await put;
  t.match([...linesOn(disk).keys()], [/Z\.ndjson$/]);
  await t.rejects(store.put(batchOf(['b']), [0], 'log-a', REFUSAL), { code: 'store_unavailable' });
  t.equal(clock.pendingTimers, 0);
  await benchOn(disk.mount()).store.stop();
});

void test('the words of whoever refused are kept, as long as they are not endless', async (t) => {
  const { store, disk } = await started();
  await store.put(batchOf(['a']), [0], 'log-a', { ...REFUSAL, detail: `"quoted"\n${'é'.repeat(5000)}` });
  const [[line = ''] = []] = linesOn(disk).values();
  const { detail } = JSON.parse(line);
  t.match(detail, /^"quoted"\né+$/);
  t.ok(Buffer.byteLength(detail) <= 1024);
});

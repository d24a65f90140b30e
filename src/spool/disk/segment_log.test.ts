import { test } from 'tap';
import { FIRST, Lane, readAll, stored } from './testdata/lane.ts';

void test('a reader at the end goes on when more was appended, also in a new segment', async (t) => {
  const lane = new Lane(1000);
  const log = await lane.open();
  const reader = log.openReader(0);
  t.equal(await reader.next(), undefined);
  for (let position = 1; position <= 20; position += 2) {
    await log.append([stored(position), stored(position + 1)]);
    t.same(await readAll(reader), [position, position + 1]);
  }
  t.ok(lane.names.length > 5);
  t.same(await readAll(log.openReader(14)), [14, 15, 16, 17, 18, 19, 20]);
});

void test('a reader that comes to the end while something is appended does not miss it, at whatever moment that is', async (t) => {
  for (let turns = 0; turns < 60; turns++) {
    const lane = new Lane();
    const log = await lane.open();
    await log.append([stored(1), stored(2)]);
    const content = lane.content(FIRST);
    content[content.length - 10] = 0; // so that the reader is at the end without having read the last position
    const reader = log.openReader(2);
    const next = reader.next();
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await log.append([stored(3)]);
    t.equal(((await next) ?? (await reader.next()))?.position, 3, `after ${turns} turns`);
  }
});

void test('frames of all sizes are read, small ones many at a time and large ones one by one', async (t) => {
  const lane = new Lane(100_000_000);
  const log = await lane.open();
  const sizes = [10, 5000, 40_000, 10, 300_000, 300_000, 10, 10, 33_000, 32_000, 1_000_000, 3, 262_000, 9];
  const positions = Array.from({ length: 3 * sizes.length }, (_, at) => at + 1);
  await log.append(positions.map((position) => stored(position, sizes[position % sizes.length])));
  let reads = 0;
  lane.disk.fault = (operation) => void (reads += operation === 'read' ? 1 : 0);
  t.same(await readAll(log.openReader(0)), positions);
  t.ok(reads < positions.length * 1.5, `${reads} reads`);
  reads = 0;
  const last = positions.length;
  t.same(await readAll(log.openReader(last)), [last]);
  t.ok(reads < positions.length, `${reads} reads`);
  // A restart finds them all as well, whatever is passed over on the way.
  t.same(await readAll((await lane.open()).openReader(5)), positions.slice(4));
});

void test('a large frame takes one read', async (t) => {
  const lane = new Lane(100_000_000);
  const log = await lane.open();
  for (let position = 1; position <= 10; position++) await log.append([stored(position, 300_000)]);
  let reads = 0;
  lane.disk.fault = (operation) => void (reads += operation === 'read' ? 1 : 0);
  t.equal((await readAll(log.openReader(0))).length, 10);
  t.ok(reads <= 11, `${reads} reads`);
});

void test('an append that fails counts for nothing and can be made again', async (t) => {
  for (const code of ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT']) {
    const lane = new Lane();
    const log = await lane.open();
    await log.append([stored(1)]);
    lane.disk.failWith(code);
    await t.rejects(log.append([stored(2), stored(3)]), { code });
    t.equal(log.lastPosition, 1);
    lane.disk.failWith(undefined);
    t.same(await readAll(log.openReader(0)), [1]);
    await log.append([stored(2), stored(3)]);
    t.same(await readAll(log.openReader(0)), [1, 2, 3], code);
    t.same([...log.held()], [{ receiver: 'pipe', records: 3 }]);
    t.same(await readAll((await lane.open()).openReader(0)), [1, 2, 3], code);
  }
});

void test('a disk that is full takes batches again when there is room', async (t) => {
  const lane = new Lane(2000);
  lane.disk.maxBytes = 5000;
  const log = await lane.open();
  let position = 1;
  const fill = async (): Promise<void> => {
    for (; ; position++) await log.append([stored(position)]);
  };
  await t.rejects(fill(), { code: 'ENOSPC' });
  t.ok(position > 10);
  const held = position - 1;
  const dropped = await log.dropOldest(() => false);
  t.match(dropped, [{ receiver: 'pipe' }]);
  const before = position;
  await t.rejects(fill(), { code: 'ENOSPC' });
  t.ok(position > before);
  t.same((await readAll(log.openReader(0))).at(-1), position - 1);
  t.ok(held > 0);
});

void test('what a sync that fails was about is taken back, and appended again', async (t) => {
  const lane = new Lane(600);
  const log = await lane.open();
  await log.append([stored(1)]);
  await log.sync();
  const reader = log.openReader(0);
  for (const position of [2, 3, 4, 5]) await log.append([stored(position)]);
  t.same(await readAll(reader), [1, 2, 3, 4, 5]);
  lane.disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined);
  await t.rejects(log.sync(), { code: 'EIO' });
  lane.disk.fault = () => undefined;
  t.same([log.lastPosition, log.syncedPosition], [1, 1]);
  t.same([...log.held()], [{ receiver: 'pipe', records: 1 }]);
  t.same(await readAll(log.openReader(0)), [1]);
  await log.append([2, 3, 4, 5, 6].map((position) => stored(position)));
  await log.sync();
  t.same(await readAll(reader), [6], 'a reader that was there already reads nothing twice');
  lane.disk.crash();
  t.same(await readAll((await lane.open()).openReader(0)), [1, 2, 3, 4, 5, 6]);
  t.same(lane.damages, []);
});

void test('what was finished before it was safe is not taken back a second time', async (t) => {
  const lane = new Lane();
  const log = await lane.open();
  await log.append([stored(1)]);
  await log.sync();
  await log.append([stored(2), stored(3)]);
  log.finished(2, 'pipe', 1);
  lane.disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined);
  await t.rejects(log.sync(), { code: 'EIO' });
  t.same([...log.held()], [{ receiver: 'pipe', records: 1 }]);
});

void test('a read that fails can be made again, and a segment that cannot be read can be given up', async (t) => {
  const lane = new Lane(600);
  const log = await lane.open();
  for (const position of [1, 2, 3, 4]) await log.append([stored(position)]);
  const reader = log.openReader(0);
  lane.disk.failWith('EIO');
  await t.rejects(reader.next(), { code: 'EIO' });
  await t.rejects(reader.next(), { code: 'EIO' });
  lane.disk.failWith(undefined);
  t.equal((await reader.next())?.position, 1);

  const other = log.openReader(0);
  lane.disk.fault = (operation, path) => (operation === 'read' && path.endsWith(FIRST) ? 'EIO' : undefined);
  await t.rejects(other.next(), { code: 'EIO' });
  await other.skipSegment();
  t.equal((await other.next())?.position, 3);
  t.match(lane.damages, [{ segment: FIRST, copy: undefined }]);
});

void test('what is removed below a position was finished by all; a newest segment that is small is used on', async (t) => {
  const lane = new Lane(600);
  const log = await lane.open();
  for (const position of [1, 2, 3, 4, 5]) await log.append([stored(position)]);
  t.equal(lane.names.length, 3);
  for (const position of [1, 2, 3]) log.finished(position, 'pipe', 1);
  t.same(await log.removeBelow(4), []);
  t.equal(lane.names.length, 2);
  for (const position of [4, 5]) log.finished(position, 'pipe', 1);
  t.same(await log.removeBelow(6), []);
  t.ok(log.isEmpty);
  await log.close();
  t.same(lane.names, []);

  const large = new Lane();
  const other = await large.open();
  await other.append([stored(1)]);
  other.finished(1, 'pipe', 1);
  await other.removeBelow(2);
  t.same(large.names, [FIRST]);
  await other.append([stored(2)]);
  t.same(large.names, [FIRST]);
});

void test('segments that are being sent are not dropped', async (t) => {
  const lane = new Lane(300);
  const log = await lane.open();
  for (const position of [1, 2, 3]) await log.append([stored(position)]);
  const reader = log.openReader(0);
  await reader.next();
  t.same(await log.dropOldest((first, last) => first <= 1 && 1 <= last), [{ receiver: 'pipe', records: 1 }]);
  t.same(await readAll(reader), [3], 'a reader goes on behind what was dropped');
  t.equal(await log.dropOldest(() => true), undefined);
});

void test('what every destination is done with is removed at the start, and not counted', async (t) => {
  const lane = new Lane(600);
  const log = await lane.open();
  for (const position of [1, 2, 3, 4]) await log.append([stored(position)]);
  await log.close();
  const again = await lane.open(4);
  t.equal(lane.names.length, 1);
  t.same([...again.held()], [{ receiver: 'pipe', records: 1 }]);
  t.same(await readAll(again.openReader(4)), [4]);
});

void test('positions ascend', async (t) => {
  const log = await new Lane().open();
  await log.append([stored(5)]);
  await t.rejects(log.append([stored(5)]), RangeError);
  await t.rejects(log.append([stored(7), stored(6)]), RangeError);
  await log.append([]);
  t.equal(log.lastPosition, 5);
});

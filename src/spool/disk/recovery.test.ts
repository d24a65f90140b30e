import { crc32 } from 'node:zlib';
import { test } from 'tap';
import { makeBatch } from '../../../test/helpers/batches.ts';
import { isPayloadRight } from './frame_decoder.ts';
import { decodePrefix, frameBytes } from './layout.ts';
import { FIRST, Lane, readAll, stored } from './testdata/lane.ts';

/** Offsets of the frames of a segment. */
function frameOffsets(segment: Buffer): number[] {
  const offsets: number[] = [];
  for (let at = 64; at < segment.length;) {
    const prefix = decodePrefix(segment, at, undefined);
    if (prefix === undefined) throw new Error(`no frame at ${at}`);
    if (!isPayloadRight(prefix, segment, at)) throw new Error(`a damaged frame at ${at}`);
    offsets.push(at);
    at += frameBytes(prefix);
  }
  return offsets;
}

void test('a torn tail is cut off', async (t) => {
  const lane = new Lane();
  const log = await lane.open();
  await log.append([stored(1), stored(2)]);
  await log.sync();
  await log.append([stored(3)]);
  const whole = lane.content(FIRST).length;
  const synced = frameOffsets(lane.content(FIRST))[2] ?? 0;
  lane.disk.kill();
  const file = await lane.disk.mount().open(`/spool/${FIRST}`, 'update');
  await file.truncate(whole - 1);
  const again = await lane.open();
  t.same(lane.cuts, [[FIRST, whole - 1 - synced]]);
  t.equal(lane.content(FIRST).length, synced);
  t.same(await readAll(again.openReader(0)), [1, 2]);
  t.same(lane.damages, []);
});

void test('a damaged frame is copied aside and told once, the frames behind it are read, and its records are told at the end', async (t) => {
  for (const { part, at } of [
    { part: 'prefix', at: 4 },
    { part: 'header', at: 45 },
    { part: 'payload', at: 200 },
  ]) {
    const lane = new Lane();
    const log = await lane.open();
    await log.append([stored(1), stored(2), stored(3)]);
    await log.sync();
    const content = lane.content(FIRST);
    const [, offset = 0, end = 0] = frameOffsets(content);
    content[offset + at] = (content[offset + at] ?? 0) ^ 1;
    const damaged = Buffer.from(content.subarray(offset, end));

    for (const reader of [log.openReader(0), log.openReader(0)]) t.same(await readAll(reader), [1, 3], part);
    const copy = `${FIRST}.damaged-${offset}`;
    t.same(lane.damages, [{ segment: FIRST, offset, bytes: end - offset, copy: `/spool/${copy}` }], part);
    t.same(lane.content(copy), damaged, part);
    for (const position of [1, 3]) log.finished(position, 'pipe', 1);
    t.same([...log.held()], [{ receiver: 'pipe', records: 1 }], part);

    const again = await lane.open();
    t.same(await readAll(again.openReader(0)), [1, 3], part);
    t.equal(lane.damages.length, 1, 'what was copied before is not told again');
    for (const position of [1, 3]) again.finished(position, 'pipe', 1);
    const isKnown = part === 'payload'; // of the others a restart cannot tell what they held
    t.same(await again.removeBelow(4), isKnown ? [{ receiver: 'pipe', records: 1 }] : [], part);
    t.same(lane.names, [copy], part);
  }
});

void test('a damaged header of a segment costs nothing', async (t) => {
  const lane = new Lane();
  const log = await lane.open();
  await log.append([stored(1), stored(2)]);
  const content = lane.content(FIRST);
  content[13] = (content[13] ?? 0) ^ 1;
  const again = await lane.open();
  t.same(await readAll(again.openReader(0)), [1, 2]);
  t.match(lane.damages, [{ segment: FIRST, offset: 0, bytes: 64 }]);
});

void test('a frame that a log line quotes is not taken for one', async (t) => {
  const lane = new Lane();
  const other = new Lane();
  const otherLog = await other.open();
  await otherLog.append([stored(7)]);
  const quoted = other.content('block-0000000000000007.segment').subarray(64);
  const log = await lane.open();
  // The quotation lies at a multiple of 8, where frames begin.
  for (let shift = 0; shift < 8; shift++) {
    const body = Buffer.concat([Buffer.alloc(shift), quoted, Buffer.alloc(40)]);
    await log.append([{ position: shift + 1, batch: makeBatch([{ body, kind: 'binary' }], { receiver: 'pipe' }) }]);
  }
  await log.append([stored(9)]);
  const content = lane.content(FIRST);
  for (const offset of frameOffsets(content).slice(0, 8)) content[offset] = 0;
  t.same(await readAll(log.openReader(0)), [9]);
});

void test('a segment of a newer version is left alone, and the start fails', async (t) => {
  const lane = new Lane();
  await (await lane.open()).append([stored(1)]);
  const content = lane.content(FIRST);
  content.writeUInt32LE(2, 8);
  content.writeUInt32LE(crc32(content.subarray(0, 60)), 60);
  await t.rejects(lane.open(), { code: 'unsupported', message: /version 2/ });
  t.same(lane.names, [FIRST]);
});

void test('a frame behind a large damaged place is found wherever the pieces that are searched end', async (t) => {
  const PIECE = 256 * 1024;
  const probe = new Lane(10_000_000);
  await (await probe.open()).append([stored(1, PIECE)]);
  const overhead = probe.content(FIRST).length - 64 - PIECE;
  for (let before = 0; before <= 48; before += 8) {
    const lane = new Lane(10_000_000);
    const log = await lane.open();
    const end = 64 + 8 + PIECE - before; // the search begins 8 bytes behind the first frame's start
    await log.append([stored(1, end - 64 - overhead), stored(2)]);
    const content = lane.content(FIRST);
    t.equal(frameOffsets(content)[1], end);
    content[64] = 0;
    t.same(await readAll(log.openReader(0)), [2], `${before} bytes before the end of a piece`);
  }
});

void test('a segment that somebody has cut short is damaged from there on, which is found out at once', async (t) => {
  const lane = new Lane(10_000_000);
  const log = await lane.open();
  await log.append([stored(1), stored(2, 50_000), stored(3)]);
  const file = await lane.files.open(`/spool/${FIRST}`, 'update');
  await file.truncate(400);
  let reads = 0;
  lane.disk.fault = (operation) => void (reads += operation === 'read' ? 1 : 0);
  t.same(await readAll(log.openReader(0)), [1]);
  t.ok(reads < 10, `${reads} reads`);
});

void test('a start goes on without a segment that the disk cannot read, and keeps it for the next one', async (t) => {
  const lane = new Lane(300);
  const log = await lane.open();
  for (const position of [1, 2, 3]) await log.append([stored(position)]);
  const names = lane.names;
  lane.disk.fault = (operation, path) => (operation === 'read' && path.endsWith(FIRST) ? 'EIO' : undefined);
  t.same(await readAll((await lane.open()).openReader(0)), [2, 3]);
  t.match(lane.damages, [{ segment: FIRST, copy: undefined }]);
  t.same(lane.names, names);
  lane.disk.fault = () => undefined;
  t.same(await readAll((await lane.open()).openReader(0)), [1, 2, 3]);
});

void test('a whole frame at the end of the newest segment whose payload is wrong is copied before it is cut off', async (t) => {
  const lane = new Lane();
  await (await lane.open()).append([stored(1), stored(2)]);
  const content = lane.content(FIRST);
  const [, offset = 0] = frameOffsets(content);
  content[content.length - 10] = 0;
  const damaged = Buffer.from(content.subarray(offset));
  t.same(await readAll((await lane.open()).openReader(0)), [1]);
  t.same(lane.cuts, [[FIRST, damaged.length]]);
  t.same(lane.content(`${FIRST}.damaged-${offset}`), damaged);
  t.match(lane.damages, [{ offset, bytes: damaged.length }]);
});

void test('frames that were given up and could not be cut off are not found beside those that were written in their place', async (t) => {
  const lane = new Lane();
  const log = await lane.open();
  await log.append([stored(1)]);
  await log.sync();
  await log.append([stored(2), stored(3)]);
  lane.disk.fault = (operation) => (operation === 'sync' || operation === 'truncate' ? 'EIO' : undefined);
  await t.rejects(log.sync(), { code: 'EIO' });
  lane.disk.fault = () => undefined;
  await log.append([stored(2), stored(3), stored(4)]);
  t.equal(frameOffsets(lane.content(FIRST)).length, 3, 'they are still there');
  const again = await lane.open();
  t.same(await readAll(again.openReader(0)), [1, 2, 3, 4]);
  t.same([...again.held()], [{ receiver: 'pipe', records: 4 }]);
  t.same(lane.damages, []);
});

void test('a frame that is there twice is read and counted once', async (t) => {
  const lane = new Lane();
  await (await lane.open()).append([stored(1), stored(2)]);
  const content = lane.content(FIRST);
  const [first = 0, second = 0] = frameOffsets(content);
  const file = await lane.files.open(`/spool/${FIRST}`, 'update');
  await file.write([Buffer.from(content.subarray(first, second))], content.length);
  const again = await lane.open();
  t.same(await readAll(again.openReader(0)), [1, 2]);
  t.same([...again.held()], [{ receiver: 'pipe', records: 2 }]);
});

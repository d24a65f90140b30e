/** What a file claims must not become memory or time: sparse files of gigabytes, bombs in every entry, entries without end. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { test } from 'tap';
import { DataReader } from '../file/data_reader.ts';
import { JournalFile } from '../file/journal_file.ts';
import { lz4, xzBomb } from '../testdata/compressed.ts';
import { type FieldSpec, JournalWriter } from '../testdata/journal_writer.ts';
import { numbers } from '../testdata/open_file.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { Follower } from './testdata/follower.ts';
import { readOn, readRaw } from './testdata/read_raw.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

const ENTRY_SEQNUM = 16;
const ARRAY_NEXT = 16;
const ARRAY_SLOTS = 24;
const HEADER_ARENA = 96;
const HEADER_COUNT = 152;
const HEADER_TAIL_SEQNUM = 160;
const SLOT_BYTES = 8;

/** Values of 15 MiB in a few kilobytes; the last is 8 chunks of 2 MiB that are none. */
const ZEROS = Buffer.from(`X=${'\0'.repeat(15 * MIB)}`);
const BOMBS: readonly FieldSpec[] = [
  { name: 'ZSTD', value: '', compression: 'zstd', stored: zstdCompressSync(ZEROS) },
  { name: 'LZ4', value: '', compression: 'lz4', stored: lz4(ZEROS) },
  { name: 'XZ', value: '', compression: 'xz', stored: xzBomb(8) },
];

/** One of each kind, under names of their own, and one that says that it becomes 10 GB. */
function bombsOf(index: number): FieldSpec[] {
  const tooLarge = { name: 'TOO_LARGE', value: '', compression: 'xz', stored: xzBomb(5000) } as const;
  return [...BOMBS, tooLarge].map((bomb) => ({ ...bomb, name: `${bomb.name}_${index}` }));
}

/** How far the process grows while `run` runs, at its end. */
function growth(run: () => void): number {
  const before = process.memoryUsage.rss();
  run();
  return process.memoryUsage.rss() - before;
}

/**
 * A regular file of 4 entries and a second array of 450 million slots (3.4 GiB, sparse), of which the first three lead to entries
 * behind it, at the file's end.
 */
function writeSparse(path: string, state: 'online' | 'archived', countedBy: (count: number) => bigint): number {
  const writer = new JournalWriter({ isCompact: false }).append('1', '2', '3', '4');
  writer.state = state;
  const head = writer.bytes();
  const [array = 0] = writer.offsets.arrays;
  const [firstEntry = 0] = writer.offsets.entries;
  const second = head.length;
  const secondBytes = ARRAY_SLOTS + 450_000_000 * SLOT_BYTES;
  const entry = Buffer.from(head.subarray(firstEntry, firstEntry + 80));
  const size = second + secondBytes + 3 * entry.length;
  head.writeBigUInt64LE(BigInt(second), array + ARRAY_NEXT);
  head.writeBigUInt64LE(BigInt(size - 272), HEADER_ARENA);
  head.writeBigUInt64LE(countedBy(7), HEADER_COUNT);
  head.writeBigUInt64LE(7n, HEADER_TAIL_SEQNUM);
  const slots = Buffer.alloc(ARRAY_SLOTS + 3 * SLOT_BYTES);
  slots[0] = 6;
  slots.writeBigUInt64LE(BigInt(secondBytes), 8);
  const fd = openSync(path, 'w');
  for (let index = 0; index < 3; index++) {
    const offset = second + secondBytes + index * entry.length;
    slots.writeBigUInt64LE(BigInt(offset), ARRAY_SLOTS + index * SLOT_BYTES);
    entry.writeBigUInt64LE(BigInt(5 + index), ENTRY_SEQNUM);
    writeSync(fd, entry, 0, entry.length, offset);
  }
  writeSync(fd, head, 0, head.length, 0);
  writeSync(fd, slots, 0, slots.length, second);
  ftruncateSync(fd, size);
  closeSync(fd);
  return size;
}

void test('a file of more than 3 GiB takes no more memory than a small one', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const size = writeSparse(path, 'archived', BigInt);
  t.ok(size > 3 * GIB);
  const grown = growth(() => {
    const { entries, damage } = readRaw(path);
    t.same(
      entries.map(({ seqnum }) => seqnum),
      numbers(1, 7),
    );
    t.same(damage, {});
  });
  t.ok(grown < 16 * MIB, `${grown} bytes`);
});

void test('a live file that counts more entries than were ever written is not searched for them', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  writeSparse(path, 'online', () => 2n ** 60n);
  const { entries, turns } = readRaw(path);
  t.equal(entries.length, 7);
  t.equal(turns, 7);
});

void test('a value of 3 GiB is cut, whether its size is true or not', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const writer = new JournalWriter({ isCompact: false }).append('1', 'large');
  const bytes = writer.bytes();
  const data = writer.offsets.data[1] ?? 0;
  bytes.writeBigUInt64LE(BigInt(3 * GIB), data + 8);
  bytes.writeBigUInt64LE(BigInt(4 * GIB), HEADER_ARENA);
  const fd = openSync(path, 'w');
  writeSync(fd, bytes);
  for (const fileBytes of [4 * GIB, bytes.length]) {
    ftruncateSync(fd, fileBytes);
    const grown = growth(() => {
      const file = new JournalFile(path, () => {});
      file.advance();
      const reader = new DataReader(false, 256 * 1024, () => {});
      const isThere = reader.read(file.windows, data);
      t.equal(isThere, fileBytes > 3 * GIB);
      if (isThere) t.same([reader.length > 2 * GIB, reader.end - reader.start < MIB], [true, true]);
      file.close();
    });
    t.ok(grown < 8 * MIB, `${grown} bytes`);
  }
  closeSync(fd);
});

void test('an entry that is full of bombs takes a moment and no memory to speak of', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const fields = ['MESSAGE=m', ...Array.from({ length: 40 }, (_, index) => bombsOf(index)).flat()];
  new JournalWriter().append({ fields }, 'behind').save(path);
  const damage: Record<string, number> = {};
  const file = new JournalFile(path, () => {});
  t.teardown(() => file.close());
  const startedAt = performance.now();
  const grown = growth(() => {
    const { entries } = readOn(file, damage);
    t.equal(entries.length, 2);
    t.ok(entries[0]?.fields.includes('MESSAGE=m'));
    t.same(entries[1]?.fields, ['MESSAGE=behind']);
  });
  t.ok((damage['too_large'] ?? 0) > 100, `${damage['too_large']} values were left out`);
  t.ok(grown < 128 * MIB, `${grown} bytes`);
  t.ok(performance.now() - startedAt < 10_000);
});

void test('entries with bombs that nobody asked for are read in many short turns', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter();
  for (let index = 0; index < 30; index++) {
    for (const bomb of BOMBS) writer.append({ fields: [`MESSAGE=${index}`, { ...bomb, name: `${bomb.name}_${index}` }] });
  }
  writer.save(join(directory, 'system.journal'));
  const follower = new Follower(directory, ['_PID']);
  t.teardown(() => follower.close());
  const counts: number[] = [];
  t.equal(follower.look((records) => counts.push(records.length)).length, 90);
  t.ok(Math.max(...counts) <= 5, `at most ${Math.max(...counts)} entries in one read, of ${counts.length}`);
});

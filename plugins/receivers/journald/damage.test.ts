import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { JournalWriter } from './testdata/journal_writer.ts';
import { type JournalContents, readJournal } from './testdata/read_journal.ts';
import { temporaryDirectory } from './testdata/temporary.ts';

const COUNT = 300;

/** A journal of everything that the reader has a branch for. */
function writeJournal(isCompact: boolean): JournalWriter {
  const writer = new JournalWriter({ isCompact });
  for (let number = 0; number < COUNT; number++) {
    writer.append({
      fields: [
        `MESSAGE=message ${number} ${'x'.repeat((number * 37) % 300)}`,
        `PRIORITY=${number % 8}`,
        `SYSLOG_IDENTIFIER=service-${number % 5}`,
        '_TRANSPORT=journal',
        `_PID=${number % 11}`,
        { name: 'STACK', value: `line of a trace ${number % 3}\n`.repeat(50), compression: 'zstd' },
        { name: 'BINARY', value: Uint8Array.of(number, 0xff, 0) },
        ...(number % 4 === 0 ? ['X=1', 'X=2'] : []),
      ],
    });
  }
  writer.state = 'archived';
  return writer;
}

const journals = [true, false].map((isCompact) => {
  const writer = writeJournal(isCompact);
  return { writer, bytes: writer.bytes() };
});

/** Numbers that a damaged field may well have. */
const number = fc.oneof(
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  fc.constantFrom(0n, 1n, 7n, 8n, 64n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 63n, (1n << 64n) - 1n),
  fc.nat(200_000).map((small) => BigInt(small) * 8n),
);

/** A change to one place of the file: a bit, a byte range, or a 64-bit number at an aligned place. */
const change = fc.oneof(
  fc.record({ at: fc.nat(), bit: fc.nat(7) }).map(({ at, bit }) => (bytes: Buffer) => {
    const index = at % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ (1 << bit);
  }),
  fc.record({ at: fc.nat(), length: fc.nat(5000), byte: fc.nat(255) }).map(({ at, length, byte }) => (bytes: Buffer) => {
    const start = at % bytes.length;
    bytes.fill(byte, start, Math.min(bytes.length, start + length));
  }),
  fc.record({ at: fc.nat(), number }).map(({ at, number }) => (bytes: Buffer) => {
    bytes.writeBigUInt64LE(number, (at % Math.floor(bytes.length / 8 - 1)) * 8);
  }),
  // The header steers everything, and is a small part of the file.
  fc.record({ at: fc.nat(33), number }).map(({ at, number }) => (bytes: Buffer) => {
    bytes.writeBigUInt64LE(number, at * 8);
  }),
);

/** Every record that is read of a damaged file is one that some entry may have become, and there are no more than entries. */
function assertSane({ records }: JournalContents): void {
  assert.ok(records.length <= COUNT * 2, `${records.length} records of ${COUNT} entries`);
  for (const record of records) {
    JSON.parse(`{${record.fields}}`);
    assert.ok(Number.isSafeInteger(record.sequence) && record.sequence > 0);
    assert.ok(Number.isSafeInteger(record.time) && record.time > 0);
  }
}

void test('files damaged in any few places end, and are read without a crash', { timeout: 120_000 }, async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'a.journal');
  let read = 0;
  const property = fc.property(
    fc.constantFrom(...journals),
    fc.array(change, { minLength: 1, maxLength: 4 }),
    (journal, changes) => {
      const bytes = Buffer.from(journal.bytes);
      for (const apply of changes) apply(bytes);
      writeFileSync(path, bytes);
      const contents = readJournal(directory);
      assertSane(contents);
      read += contents.records.length;
    },
  );
  fc.assert(property, { numRuns: 600 });
  t.ok(read > 600 * COUNT * 0.5, `${read} records were read all the same`);
});

void test('files that end early, at any place, give the entries before it', { timeout: 120_000 }, async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'a.journal');
  const property = fc.property(fc.constantFrom(...journals), fc.nat(), (journal, at) => {
    const end = at % journal.bytes.length;
    writeFileSync(path, journal.bytes);
    truncateSync(path, end);
    const contents = readJournal(directory);
    assertSane(contents);
    // Entries are listed in arrays that lie behind them, and doubles in length each time: those of the last whole array are found.
    const lastArray = journal.writer.offsets.arrays.findLastIndex((offset) => offset + 32 < end);
    const listed = journal.writer.offsets.entries.filter((offset) => offset < (journal.writer.offsets.arrays[lastArray] ?? 0));
    assert.ok(contents.records.length >= listed.length - 1, `${contents.records.length} of ${listed.length}`);
  });
  fc.assert(property, { numRuns: 200 });
  t.pass('each time');
});

void test('damage to one entry costs that entry only', async (t) => {
  const directory = temporaryDirectory(t);
  for (const { writer, bytes } of journals) {
    const damaged = Buffer.from(bytes);
    for (const hit of [5, 50, 299]) damaged.fill(0xff, writer.offsets.entries[hit], (writer.offsets.entries[hit] ?? 0) + 16);
    writeFileSync(join(directory, 'a.journal'), damaged);
    const { records, damage } = readJournal(directory);
    t.equal(records.length, COUNT - 3);
    t.same(damage, { entry: 3 });
  }
});

void test('damage to one value costs that value only', async (t) => {
  const directory = temporaryDirectory(t);
  for (const { writer, bytes } of journals) {
    const damaged = Buffer.from(bytes);
    const [message = 0] = writer.offsets.data;
    damaged[message] = 5;
    writeFileSync(join(directory, 'a.journal'), damaged);
    const { records, damage } = readJournal(directory);
    t.equal(records.length, COUNT);
    t.match(records[0], { body: '', service: 'service-0' });
    t.match(records[1]?.body, /^message 1 /);
    t.same(damage, { data: 1 });
  }
});

void test('a reference to where no object can be costs that reference only', async (t) => {
  const directory = temporaryDirectory(t);
  for (const { writer, bytes } of journals) {
    const isCompact = bytes.readUInt32LE(12) > 0b1111;
    const damaged = Buffer.from(bytes);
    // An entry near the end, whose first item is long-lived and looked for in a set where it is sound.
    const at = (writer.offsets.entries[COUNT - 10] ?? 0) + 64;
    damaged.writeUInt32LE(damaged.readUInt32LE(at) + 4, at);
    writeFileSync(join(directory, 'a.journal'), damaged);
    const { records, damage } = readJournal(directory);
    t.same(damage, { data: 1 }, isCompact ? 'compact' : 'regular');
    t.equal(records.length, COUNT);
    t.match(records[COUNT - 10]?.body, /^message 290 /);
    if (isCompact) continue;
    damaged.writeUInt32LE(damaged.readUInt32LE(at) - 4, at);
    damaged.writeUInt32LE(8, at + 4);
    writeFileSync(join(directory, 'a.journal'), damaged);
    t.same(readJournal(directory).damage, { data: 1 }, 'beyond 32 GiB');
  }
});

void test('an entry with more items than any has is not believed', async (t) => {
  const directory = temporaryDirectory(t);
  const { writer, bytes } = journals[0] ?? { writer: new JournalWriter(), bytes: Buffer.alloc(0) };
  const damaged = Buffer.from(bytes);
  damaged.writeBigUInt64LE(64n + 4n * 3000n, (writer.offsets.entries[7] ?? 0) + 8);
  writeFileSync(join(directory, 'a.journal'), damaged);
  t.match(readJournal(directory), { damage: { entry: 1 }, records: { length: COUNT - 1 } });
});

/** What damage in known places costs. For damage anywhere see `hostile/`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalWriter } from './testdata/journal_writer.ts';
import { readJournal } from './testdata/read_journal.ts';
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

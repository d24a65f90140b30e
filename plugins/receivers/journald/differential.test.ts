/**
 * What the reader reads is what journalctl reads: each entry, each field, in the same order, of journals that systemd wrote with all
 * kinds of content. `SLUICE_DIFFERENTIAL_ENTRIES` says how many entries in all: 100,000 by default, a million each night.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { type Test, t as root, test } from 'tap';
import { compare } from './testdata/compare.ts';
import { type ExportField, parseExport } from './testdata/export_format.ts';
import { generate } from './testdata/generate.ts';
import { startJournald, withoutJournald } from './testdata/journald.ts';
import { NativeSocket } from './testdata/native_socket.ts';
import { type JournalBatch, readBatches, readJournal, type Unread } from './testdata/read_journal.ts';
import { readWithSystemd, variantEnvironment, withoutSystemd, writeWithSystemd } from './testdata/systemd.ts';
import { temporaryDirectory } from './testdata/temporary.ts';

const skip = withoutSystemd;

const ENTRIES = Number(process.env['SLUICE_DIFFERENTIAL_ENTRIES'] ?? 100_000);

/** Nothing that is made up is longer than what is shipped. */
const UNCUT = { maxValueBytes: 4 * 1024 * 1024 };

root.setTimeout(60_000 + ENTRIES * 2);

/** A file that `testdata/make_fixtures.ts` made. */
function fixture(name: string): Buffer {
  return zstdDecompressSync(readFileSync(join(import.meta.dirname, 'testdata', `${name}.zst`)));
}

/** Compares all that is in `directory`. */
async function check(
  t: Test,
  directory: string,
  entries: number,
  exported: AsyncIterable<readonly ExportField[]>,
): Promise<void> {
  const comparison = await compare(readBatches(directory, UNCUT), exported);
  t.same(comparison, { same: entries, difference: undefined, unread: { damage: {}, truncated: 0 } });
}

function journalctl(directory: string): AsyncIterable<readonly ExportField[]> {
  return readWithSystemd(readdirSync(directory).map((file) => join(directory, file)));
}

for (const name of ['compact', 'regular']) {
  void test(`a ${name} journal that systemd wrote is read as journalctl read it, also where there is neither`, async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'system.journal'), fixture(`${name}.journal`));
    await check(t, directory, 60, parseExport([fixture(`${name}.export`)]));
  });
}

const VARIANTS = [true, false].flatMap((isCompact) => [true, false].map((isKeyed) => ({ isCompact, isKeyed })));

for (const [seed, variant] of VARIANTS.entries()) {
  const { isCompact, isKeyed } = variant;
  const name = `${isCompact ? 'compact' : 'regular'}, ${isKeyed ? 'keyed' : 'plain'} hashes`;
  void test(`every entry and field of a journal (${name}) is as journalctl reads it`, { skip }, async (t) => {
    const directory = temporaryDirectory(t);
    const entries = Math.ceil(ENTRIES / (VARIANTS.length + 1));
    await writeWithSystemd(join(directory, 'a.journal'), generate(seed, entries), variant);
    await check(t, directory, entries, journalctl(directory));
  });
}

const WAYS = [VARIANTS[0], VARIANTS[3]].filter((variant) => variant !== undefined);

for (const [seed, variant] of WAYS.entries()) {
  const name = `${variant.isCompact ? 'compact' : 'regular'}, ${variant.isKeyed ? 'keyed' : 'plain'} hashes`;
  const entries = Math.ceil(ENTRIES / (VARIANTS.length + 1) / WAYS.length);
  void test(
    `what a real journald (${name}) makes of ${entries} entries and lines is as journalctl reads it`,
    { skip: withoutJournald },
    async (t) => {
      const journald = await startJournald(temporaryDirectory(t), { env: variantEnvironment(variant) });
      t.teardown(() => journald.stop());
      const socket = new NativeSocket(journald.sockets.native);
      t.teardown(() => socket.close());
      let number = 0;
      for (const entry of generate(100 + seed, entries)) {
        if (!socket.send(entry)) t.fail('journald has not taken an entry');
        if (number % 10 === 0) await journald.write([`<${number % 8}>line ${number}`, 'ü'.repeat(number % 100)]);
        number += 1;
        if (number % Math.ceil(entries / 6) === 0) journald.rotate();
        if (number !== Math.ceil(entries / 2)) continue;
        await journald.sync();
        await journald.stop();
        await journald.start();
      }
      await journald.sync();
      await journald.stop();
      const machine = join(journald.directory, readdirSync(journald.directory)[0] ?? '');
      const { same, ...rest } = await compare(readBatches(journald.directory, UNCUT), journalctl(machine));
      t.same(rest, { difference: undefined, unread: { damage: {}, truncated: 0 } });
      t.ok(same > entries, `${same} entries in ${readdirSync(machine).length} files`);
    },
  );
}

/** Without the digits of the boot. */
function seqnumIdOf(epoch: string): string {
  return epoch.slice(0, 32);
}

/** The batches of one sequence; those of several that are read together come one after the other. */
function* batchesOf(directory: string, seqnumId: string): Generator<JournalBatch, Unread> {
  const batches = readBatches(directory, UNCUT);
  for (let step = batches.next(); ; step = batches.next()) {
    if (step.done === true) return step.value;
    if (seqnumIdOf(step.value.records[0]?.epoch ?? '') === seqnumId) yield step.value;
  }
}

async function* entriesOf(directory: string, seqnumId: string): AsyncGenerator<readonly ExportField[]> {
  for await (const entry of journalctl(directory)) {
    const [, cursor] = entry.find(([name]) => name === '__CURSOR') ?? [];
    if (cursor?.toString().startsWith(`s=${seqnumId};`) === true) yield entry;
  }
}

void test('of several files together each sequence is as journalctl reads it', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  for (const seed of [10, 11, 12]) await writeWithSystemd(join(directory, `${seed}.journal`), generate(seed, 400));
  const sequences = new Set(readJournal(directory, UNCUT).records.map(({ epoch }) => seqnumIdOf(epoch)));
  t.equal(sequences.size, 3);
  for (const seqnumId of sequences) {
    const comparison = await compare(batchesOf(directory, seqnumId), entriesOf(directory, seqnumId));
    t.same(comparison, { same: 400, difference: undefined, unread: { damage: {}, truncated: 0 } });
  }
});

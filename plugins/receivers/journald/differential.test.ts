import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { test } from 'tap';
import { firstDifference, ofExport } from './testdata/compare.ts';
import { parseExport } from './testdata/export_format.ts';
import { generate } from './testdata/generate.ts';
import { readJournal } from './testdata/read_journal.ts';
import { readWithSystemd, withoutSystemd, writeWithSystemd } from './testdata/systemd.ts';
import { temporaryDirectory } from './testdata/temporary.ts';

const skip = withoutSystemd;

/** A file that `testdata/make_fixtures.ts` made. */
function fixture(name: string): Buffer {
  return zstdDecompressSync(readFileSync(join(import.meta.dirname, 'testdata', `${name}.zst`)));
}

for (const name of ['compact', 'regular']) {
  void test(`a ${name} journal that systemd wrote is read as journalctl read it, also where there is neither`, async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'system.journal'), fixture(`${name}.journal`));
    const expected = parseExport(fixture(`${name}.export`));
    const { records, damage } = readJournal(directory);
    t.same(damage, {});
    t.equal(expected.length, 60);
    t.equal(firstDifference(records, expected), undefined);
  });
}

for (const isCompact of [false, true]) {
  for (const isKeyed of [false, true]) {
    const variant = `${isCompact ? 'compact' : 'regular'}, ${isKeyed ? 'keyed' : 'plain'} hashes`;
    void test(`every entry and field of a journal (${variant}) is as journalctl reads it`, { skip }, async (t) => {
      const directory = temporaryDirectory(t);
      await writeWithSystemd(join(directory, 'a.journal'), generate(isCompact ? 1 : 2, 3000), { isCompact, isKeyed });
      const expected = await readWithSystemd(readdirSync(directory).map((file) => join(directory, file)));
      const { records, cursors, damage } = readJournal(directory);
      t.same(damage, {});
      t.equal(expected.length, 3000);
      t.equal(firstDifference(records, expected), undefined);
      const [last] = expected.at(-1) ?? [];
      t.equal(cursors.at(-1), last?.[1].toString(), 'the last cursor is journald’s own');
    });
  }
}

void test('several files are merged as journalctl merges them', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  const paths = ['a', 'b', 'c'].map((file) => join(directory, `${file}.journal`));
  for (const [seed, path] of paths.entries()) await writeWithSystemd(path, generate(seed + 10, 400));
  const expected = await readWithSystemd(paths);
  const { records } = readJournal(directory);
  t.equal(expected.length, 1200);
  t.same(
    records.map(({ epoch, sequence, time }) => `${epoch} ${sequence} ${time}`),
    expected.map((fields) => {
      const { seqnum, realtime } = ofExport(fields);
      return `${/^s=([0-9a-f]+);/.exec(String(fields[0]?.[1]))?.[1]} ${seqnum} ${realtime}`;
    }),
  );
});

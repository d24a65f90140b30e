/** All that a journal file may be, read as journalctl reads it and as it was written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { JournalFile } from '../file/journal_file.ts';
import { withoutXz, xz } from '../testdata/compressed.ts';
import { type ExportField, writeExport } from '../testdata/export_format.ts';
import { type EntrySpec, type FieldSpec, JournalWriter } from '../testdata/journal_writer.ts';
import { REMOTE, withoutSystemd } from '../testdata/systemd.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { readAsSystemd, withoutBoot } from './testdata/read_as_systemd.ts';
import { readRaw } from './testdata/read_raw.ts';

function textsOf(fields: readonly (FieldSpec | string)[]): string[] {
  const texts = fields.map((field) =>
    typeof field === 'string' ? field : `${field.name}=${Buffer.from(field.value).toString('latin1')}`,
  );
  return texts.toSorted();
}

const trace = (index: number, lines: number): string => `line of trace ${index}\n`.repeat(lines);
const noise = (length: number): Buffer =>
  Buffer.from(Array.from({ length }, (_, index) => Math.imul(index + 1, 0x9e3779b1) >>> 24));

/** Values of all sizes and kinds in that compression; as xz with the checks that there are, where there is a program that makes them. */
function compressedEntries(compression: 'lz4' | 'xz' | 'zstd'): EntrySpec[] {
  const values = [Buffer.from('a'), Buffer.from(trace(1, 40)), noise(3000), Buffer.from(trace(2, 9000)), noise(150_000)];
  const plain = values.map((value) => ({ fields: ['MESSAGE=m', { name: 'VALUE', value, compression }] }));
  if (compression !== 'xz' || withoutXz !== false) return plain;
  const checked = ['none', 'crc32', 'crc64'].flatMap((check) =>
    values.map((value) => {
      const stored = xz(Buffer.concat([Buffer.from(`${check.toUpperCase()}=`), value]), `--check=${check}`, '--lzma2=dict=1MiB');
      return { fields: ['MESSAGE=m', { name: check.toUpperCase(), value, compression, stored }] };
    }),
  );
  return [...plain, ...checked];
}

for (const isCompact of [true, false]) {
  const mode = isCompact ? 'compact' : 'regular';

  for (const compression of ['lz4', 'xz', 'zstd'] as const) {
    const entries = compressedEntries(compression);

    void test(`every ${compression} value of a ${mode} file is as it was written`, async (t) => {
      const path = join(temporaryDirectory(t), 'a.journal');
      new JournalWriter({ isCompact }).append(...entries).save(path);
      const { entries: found, damage } = readRaw(path);
      t.same(damage, {});
      t.equal(found.length, entries.length);
      for (const [index, { fields }] of found.entries()) t.same(fields, textsOf(entries[index]?.fields ?? []));
    });

    void test(`and as journalctl reads it (${compression}, ${mode})`, { skip: withoutSystemd }, async (t) => {
      const path = join(temporaryDirectory(t), 'a.journal');
      new JournalWriter({ isCompact }).append(...entries).save(path);
      t.strictSame(readRaw(path).entries, await readAsSystemd(path));
    });
  }
}

for (const headerBytes of [208, 224, 240, 256, 264, 272]) {
  void test(`files with a header of ${headerBytes} bytes are read, sealed or not, in every state`, async (t) => {
    for (const isCompact of [true, false]) {
      for (const isSealed of [true, false]) {
        for (const state of ['offline', 'online', 'archived'] as const) {
          const writer = new JournalWriter({ headerBytes, isCompact, isSealed });
          writer.state = state;
          writer.append(...Array.from({ length: 30 }, (_, index) => `message ${index}`));
          const path = join(temporaryDirectory(t), 'a.journal');
          writer.save(path);
          const { entries, damage } = readRaw(path);
          const what = `${headerBytes} bytes, ${isCompact ? 'compact' : 'regular'}, ${isSealed ? 'sealed' : 'not sealed'}, ${state}`;
          t.same(damage, {}, what);
          t.same(
            entries.map(({ fields }) => fields),
            Array.from({ length: 30 }, (_, index) => [`MESSAGE=message ${index}`]),
            what,
          );
          // The first revisions have no room for the number of tags, and journalctl takes none of them for sealed.
          if (withoutSystemd === false && (!isSealed || headerBytes >= 240)) t.same(entries, await readAsSystemd(path), what);
        }
      }
    }
  });
}

void test('objects of unknown types and unknown compatible flags do not matter', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const writer = new JournalWriter();
  for (const type of [0, 8, 77, 255]) {
    writer.addObject(type, 100 + type);
    writer.append(`behind type ${type}`);
  }
  writer.header = { compatible: 0xffff_fff0 };
  writer.save(path);
  const { entries, damage } = readRaw(path);
  t.same(damage, {});
  t.same(
    entries.map(({ fields }) => fields),
    [0, 8, 77, 255].map((type) => [`MESSAGE=behind type ${type}`]),
  );
});

function many(count: number): EntrySpec {
  return { fields: Array.from({ length: count }, (_, index) => `F${index}=${index}`) };
}

void test('entries of any number of items are read, as far as journald writes such', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const entries = [many(1), many(0), many(1024), many(1500), many(2048), many(2049), { fields: ['NO_MESSAGE=1'] }];
  new JournalWriter().append(...entries).save(path);
  const { entries: found, damage } = readRaw(path);
  t.same(
    found.map(({ seqnum, fields }) => [seqnum, fields.length]),
    [
      [1, 1],
      [3, 1024],
      [4, 1500],
      [5, 2048],
      [7, 1],
    ],
  );
  t.same(damage, { entry: 2 }, 'the one of none, which journald takes for damage too, and the one of more than any has');
});

void test('names longer than journald takes are no damage to the value', async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const fields = [`${'N'.repeat(65)}=1`, `${'N'.repeat(5000)}=2`, 'MESSAGE=m'];
  new JournalWriter().append({ fields }).save(path);
  t.same(readRaw(path), {
    entries: [{ seqnum: 1, realtime: 1_700_000_000_000_000, fields: fields.toSorted() }],
    damage: {},
    turns: 1,
  });
});

void test('a file whose writer was killed is read as far as journalctl reads it', { skip: withoutSystemd }, async (t) => {
  const path = join(temporaryDirectory(t), 'a.journal');
  const child = spawn(REMOTE ?? '', ['-o', path, '-'], { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(child, 'close');
  child.stdin.on('error', () => {}); // it is killed while it reads
  for (let index = 0; index < 3000; index++) {
    const fields: ExportField[] = [
      ['__REALTIME_TIMESTAMP', Buffer.from(String(1_700_000_000_000_000 + index))],
      ['__MONOTONIC_TIMESTAMP', Buffer.from(String(1000 + index))],
      ['_BOOT_ID', Buffer.from('b0'.repeat(16))],
      ['MESSAGE', Buffer.from(`message ${index} ${trace(index, index % 50)}`)],
    ];
    child.stdin.write(writeExport(fields));
  }
  await waitFor(() => countOf(path) > 1000, { what: 'entries to be written', deadlineMs: 20_000 });
  child.kill('SIGKILL');
  await ended;
  const unclean = `${path}~`;
  renameSync(path, unclean);
  const { entries, damage } = readRaw(unclean);
  t.same(damage, {});
  t.ok(entries.length > 1000 && statSync(unclean).size > 0, `${entries.length} entries`);
  t.strictSame(
    entries.map(({ seqnum }) => seqnum),
    entries.map((_, index) => index + 1),
  );
  t.strictSame(withoutBoot(entries), await readAsSystemd(unclean));
});

/** How many entries the file's header counts; 0 while there is none. */
function countOf(path: string): number {
  try {
    const file = new JournalFile(path, () => {});
    file.close();
    return file.header.entryCount;
  } catch {
    return 0;
  }
}

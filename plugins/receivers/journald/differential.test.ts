import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import type { ExportField } from './testdata/export_format.ts';
import { fieldsOf, readJournal } from './testdata/read_journal.ts';
import { readWithSystemd, withoutSystemd, writeWithSystemd } from './testdata/systemd.ts';
import { temporaryDirectory } from './testdata/temporary.ts';

const skip = withoutSystemd;

/** Names that services use: some of them shared by many entries, one made for each run. */
const name = fc.constantFrom(
  'MESSAGE',
  'PRIORITY',
  'SYSLOG_IDENTIFIER',
  '_SYSTEMD_UNIT',
  '_COMM',
  '_PID',
  'CODE_FILE',
  'X',
  'EMPTY_ONE',
);

const value = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('nginx', 'sshd.service', '6', '3', '', '17', 'ü€😀', 'a "quoted" \\ one') },
  { weight: 4, arbitrary: fc.string({ unit: 'binary', maxLength: 60 }) },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => `line one\n\tline two ${text}\n`) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 500, max: 30_000 }).map((length) => 'compressible '.repeat(length).slice(0, length)),
  },
);

const bytes = fc.oneof(
  { weight: 8, arbitrary: value.map((text) => Buffer.from(text)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array)) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 600, maxLength: 900 }).map((array) => Buffer.from(array)) },
);

const entry = fc.record({
  fields: fc.array(fc.tuple(name, bytes), { minLength: 1, maxLength: 14 }),
  step: fc.integer({ min: 0, max: 5_000_000 }),
  boot: fc.constantFrom('0123456789abcdef0123456789abcdef', 'fedcba9876543210fedcba9876543210'),
});

function generate(seed: number, count: number): ExportField[][] {
  let realtime = 1_700_000_000_000_000;
  let monotonic = 1_000_000;
  return fc.sample(entry, { seed, numRuns: count }).map(({ fields, step, boot }) => {
    realtime += step;
    monotonic += step;
    const addressing: [string, string][] = [
      ['__REALTIME_TIMESTAMP', String(realtime)],
      ['__MONOTONIC_TIMESTAMP', String(monotonic)],
      ['_BOOT_ID', boot],
    ];
    return [...addressing.map(([field, text]): ExportField => [field, Buffer.from(text)]), ...fields];
  });
}

/** What both sides agree on for an entry: its cursor, time, and each field with its values in any order. */
interface Comparable {
  readonly seqnum: number;
  readonly realtime: number;
  readonly fields: Record<string, string[]>;
}

function ofExport(fields: readonly ExportField[]): Comparable {
  const byName = Map.groupBy(fields, ([field]) => field);
  const cursor = byName.get('__CURSOR')?.[0]?.[1].toString() ?? '';
  const values = [...byName].filter(([field]) => !field.startsWith('__'));
  return {
    seqnum: Number.parseInt(/;i=([0-9a-f]+);/.exec(cursor)?.[1] ?? '', 16),
    realtime: Number(byName.get('__REALTIME_TIMESTAMP')?.[0]?.[1].toString()),
    fields: sorted(values.map(([field, group]) => [field, group.map(([, bytes]) => bytes.toString('latin1'))])),
  };
}

function ofRecord(record: ReturnType<typeof readJournal>['records'][number], hasMessage: boolean): Comparable {
  const fields = fieldsOf(record);
  if (!hasMessage && fields.get('MESSAGE')?.[0] === '') fields.delete('MESSAGE');
  return { seqnum: record.sequence, realtime: record.time, fields: sorted([...fields]) };
}

function sorted(fields: readonly (readonly [string, readonly string[]])[]): Record<string, string[]> {
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([field, values]) => [field, values.toSorted()]));
}

/** A few words on where two entries differ, whose values may be long. */
function firstDifference(found: Comparable, wanted: Comparable): string | undefined {
  if (found.seqnum !== wanted.seqnum) return `seqnum ${found.seqnum} instead of ${wanted.seqnum}`;
  if (found.realtime !== wanted.realtime) return `realtime ${found.realtime} instead of ${wanted.realtime}`;
  for (const field of new Set([...Object.keys(found.fields), ...Object.keys(wanted.fields)])) {
    const [its, theirs] = [found.fields[field], wanted.fields[field]].map((values) => JSON.stringify(values));
    if (its !== theirs) return `${field} is ${its?.slice(0, 200)} instead of ${theirs?.slice(0, 200)}`;
  }
  return undefined;
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
      t.equal(records.length, 3000);
      t.equal(records.length, expected.length);
      for (const [index, record] of records.entries()) {
        const wanted = ofExport(expected[index] ?? []);
        const difference = firstDifference(ofRecord(record, 'MESSAGE' in wanted.fields), wanted);
        if (difference === undefined) continue;
        t.fail(`entry ${index}: ${difference}`);
        break;
      }
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

import fc from 'fast-check';
import { test } from 'tap';
import { Ack, DELIVERED } from '../../../../src/core/ack.ts';
import { type PlainRecord, readBatch } from '../../../../test/helpers/batches.ts';
import type { Cursor } from '../file/cursor.ts';
import { Positions } from '../position/positions.ts';
import type { BatchReaderOptions } from '../records/batch_reader.ts';
import { FieldTable, MAX_FIELDS, type Selection } from '../records/fields.ts';
import { EntrySelection } from '../select/selection.ts';
import { cursorText, exported, SEQNUM_ID } from '../testdata/fake_journalctl.ts';
import { ExportReader } from './export_reader.ts';

const MAX_VALUE_BYTES = 1024;

interface SetUp {
  readonly fields?: Selection;
  readonly include?: Record<string, string[]>;
  readonly maxValueBytes?: number;
}

/** A reader, what it gave, and how often something could not be read. */
function setUp({ fields = 'all', include, maxValueBytes = MAX_VALUE_BYTES }: SetUp = {}) {
  const selection = new EntrySelection(include === undefined ? undefined : { matches: include }, undefined);
  const records: (PlainRecord & { readonly epoch: string })[] = [];
  const cursors: string[] = [];
  const counts = { damaged: 0, cut: 0, leftOut: 0 };
  const clock = { ms: 0 };
  const options: BatchReaderOptions = {
    receiver: 'journald',
    format: 'journal',
    selection,
    table: new FieldTable({ fields, service: ['SYSLOG_IDENTIFIER'], conditions: selection.fields }),
    maxValueBytes,
    parseJson: false,
    now: () => clock.ms,
    onDamage: () => (counts.damaged += 1),
    onCut: () => (counts.cut += 1),
    onLeftOut: (count) => (counts.leftOut += count),
    onSuppressed: () => {},
  };
  const reached = new Positions(0);
  const reader = new ExportReader(options, reached);
  const note = (cursor: Cursor | undefined): void => void cursors.push(cursor?.text ?? '');
  const take = (): void => {
    const batch = reader.take({
      ackFor: (cursor) => {
        note(cursor);
        return new Ack();
      },
      passed: note,
    });
    if (batch === undefined) return;
    records.push(...readBatch(batch).map((record) => ({ ...record, epoch: batch.epoch ?? '' })));
    batch.settle(DELIVERED);
  };
  /** Reads one run of journalctl; returns how it ended. */
  const run = (...chunks: readonly (Buffer | string)[]) => {
    reader.begin();
    let state = reader.read();
    for (const chunk of chunks) {
      reader.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk);
      for (state = reader.read(); state === 'full'; state = reader.read()) take();
    }
    take();
    return state;
  };
  return { reader, reached, records, cursors, counts, clock, run };
}

function bodies(records: readonly PlainRecord[]): string[] {
  return records.map(({ body }) => body);
}

void test('every entry is read once over runs that end anywhere and begin before where the last one ended', async (t) => {
  const runs = fc.array(fc.record({ cut: fc.nat(), overlap: fc.nat({ max: 5 }), pieces: fc.nat({ max: 4 }) }), { maxLength: 8 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 30 }), runs, (count, given) => {
      const { reached, records, run } = setUp();
      for (const { cut, overlap, pieces } of [...given, { cut: Infinity, overlap: 1, pieces: 0 }]) {
        const first = Math.max(1, (reached.of(SEQNUM_ID).seqnum ?? 0) + 1 - overlap);
        const seqnums = Array.from({ length: count - first + 1 }, (_, index) => first + index);
        const whole = Buffer.from(exported(...seqnums));
        const bytes = whole.subarray(0, cut === Infinity ? whole.length : cut % (whole.length + 1));
        const size = Math.ceil(bytes.length / (pieces + 1)) || 1;
        const chunks = Array.from({ length: pieces + 1 }, (_, piece) => bytes.subarray(piece * size, (piece + 1) * size));
        run(...chunks);
      }
      t.same(
        bodies(records),
        Array.from({ length: count }, (_, index) => String(index + 1)),
      );
      t.ok(
        records.every(({ fields }) => fields === ''),
        'with nothing of an entry that was cut off',
      );
    }),
    { numRuns: 100 },
  );
});

void test('any bytes are read without an error, and entries of which something is wrong are counted', async (t) => {
  const like = fc.constantFrom(
    `__CURSOR=${cursorText(7)}\n`,
    '__CURSOR=s=1\n',
    'MESSAGE=x\n',
    'MESSAGE\n\x02\0\0\0\0\0\0\0ab\n',
    'PRIORITY=\n',
    '_STREAM_ID=1\n',
    '_LINE_BREAK=line-max\n',
    '\n',
  );
  const piece = fc.oneof({ weight: 8, arbitrary: like }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 10 }) });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const { run, records, counts } = setUp();
      run(...pieces);
      t.ok(records.length + counts.damaged <= pieces.length);
    }),
    { numRuns: 300 },
  );
  const { run, records, counts } = setUp();
  run('MESSAGE=no cursor\n\n__CURSOR=s=1\n\n', exported(1), 'X=1\n'.repeat(3000), `__CURSOR=${cursorText(2)}\n\n`, exported(3));
  t.same(bodies(records), ['1', '3']);
  t.equal(counts.damaged, 3);
});

void test('batches end where the sequence or the boot does, and positions move in each of them', async (t) => {
  const { run, records, cursors } = setUp();
  const other = 'c3'.repeat(16);
  const inOther = exported(5).replaceAll(SEQNUM_ID, other);
  const inNextBoot = exported(3).replaceAll('b2'.repeat(16), 'd4'.repeat(16));
  run(exported(1, 2), inOther, inNextBoot);
  t.same(
    records.map(({ epoch, sequence }) => `${epoch.slice(0, 2)} ${epoch.slice(-8)} ${sequence}`),
    ['a1 b2b2b2b2 1', 'a1 b2b2b2b2 2', 'c3 b2b2b2b2 5', 'a1 d4d4d4d4 3'],
  );
  t.match(cursors, [/^s=a1.*;i=2;/, /^s=c3.*;i=5;/, /^s=a1.*;i=3;.*b=d4|^s=a1.*;i=3;b=d4/]);
});

void test('entries that are not chosen move the position, and the reader stops for them now and then', async (t) => {
  const { run, records, cursors, counts } = setUp({ include: { MESSAGE: ['9000'] } });
  run(exported(...Array.from({ length: 10_000 }, (_, index) => index + 1)));
  t.same(bodies(records), ['9000']);
  t.equal(counts.leftOut, 9999);
  t.same(cursors, [cursorText(8192), cursorText(10_000)]);
});

void test('a line that is not complete holds the position back, and is given up in time', async (t) => {
  const { reader, run, records, cursors, clock } = setUp();
  const part = exported(2).replace('MESSAGE=2\n', 'MESSAGE=part\n_STREAM_ID=1\n_LINE_BREAK=line-max\n');
  run(exported(1), part, exported(3));
  t.same(bodies(records), ['1', '3']);
  t.same(cursors, [cursorText(1)]);
  t.equal(reader.dueMs, 1000);
  clock.ms = 1000;
  run();
  t.same(records.map(({ body, partial }) => ({ body, partial })).at(-1), { body: 'part', partial: true });
  t.equal(cursors.at(-1), cursorText(3));
});

void test('members that are too large are left out one by one, and the record says so', async (t) => {
  const { run, records, counts } = setUp();
  const large = `X${'\x01'.repeat(MAX_VALUE_BYTES)}`;
  const fields = Array.from({ length: 400 }, (_, index) => `F${index}=${large.slice(1)}\n`).join('');
  run(exported(1), exported(2).replace('MESSAGE', `${fields}LAST=1\nMESSAGE`));
  const members = records[1]?.fields.match(/"F\d+":/g) ?? [];
  t.equal(records[1]?.truncated, true);
  t.equal(counts.cut, 1);
  t.ok(members.length > 50 && members.length < 400, `${members.length} members`);
});

void test('values of one field are joined even where the table of fields starts anew between them', async (t) => {
  const { run, records } = setUp();
  const batch = 1000;
  for (let first = 0; first + batch <= MAX_FIELDS; first += batch) {
    const names = Array.from({ length: batch }, (_, index) => `A${first + index}=1\n`).join('');
    run(exported(first + 1).replace('MESSAGE', `${names}MESSAGE`));
  }
  const names = Array.from({ length: 500 }, (_, index) => `B${index}=1\n`).join('');
  run(exported(100_000).replace('MESSAGE', `SAME=1\n${names}SAME=2\nMESSAGE`));
  t.match(records.at(-1)?.fields, /"SAME":\["1","2"\]/);
});

void test('a member whose JSON form has no room is left out as a whole, and those behind it are not', (t) => {
  const { records, counts, run } = setUp({ maxValueBytes: 256 * 1024 });
  const value = Buffer.alloc(100 * 1024, 1);
  const length = Buffer.alloc(8);
  length.writeUInt32LE(value.length);
  const [head = '', end = ''] = exported(1).split('MESSAGE=1\n');
  run(Buffer.concat([Buffer.from(`${head}MESSAGE=1\nX\n`), length, value, Buffer.from(`\nY=1\n${end}`)]));
  t.match(records, [{ body: '1', fields: '"Y":"1"', truncated: true }]);
  t.equal(counts.cut, 1);
  t.end();
});

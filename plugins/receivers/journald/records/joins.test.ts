/** What becomes of a line that journald has cut into entries. For lines whose end is not there see `pending_lines.test.ts`. */
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { part, START } from '../testdata/line_parts.ts';
import { readEntries } from '../testdata/read_entries.ts';
import { readInSteps } from '../testdata/read_in_steps.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const OTHER: EntrySpec = { fields: ['MESSAGE=other'], realtime: START };

void test('the parts of a line become one record, with the id and time of the last one', async (t) => {
  const { records, truncated } = readEntries(
    t,
    [part('a', 'one ', true, 1), part('a', 'two ', true, 2), part('a', 'three', false, 3), part('a', 'next', false, 4)],
    { fields: ['_STREAM_ID'] },
  );
  t.match(records, [
    {
      body: 'one two three',
      sequence: 3,
      time: START + 3000,
      service: 'app',
      partial: false,
      truncated: false,
      fields: '"_STREAM_ID":"a"',
    },
    { body: 'next', sequence: 4, time: START + 4000, partial: false },
  ]);
  t.equal(truncated, 0);
});

void test('a line that journald ended in another way is not continued', async (t) => {
  for (const reason of ['nul', 'eof', 'pid-change']) {
    const entries = ['a', 'b'].map((message) => ({ fields: [`MESSAGE=${message}`, '_STREAM_ID=a', `_LINE_BREAK=${reason}`] }));
    t.equal(readEntries(t, entries).records.length, 2, reason);
    t.match(
      readEntries(t, [part('a', 'x', true), ...entries]).records,
      [{ body: 'xa' }, { body: 'b' }],
      `the last part of one, ${reason}`,
    );
  }
  const withoutStream = { fields: ['MESSAGE=a', '_LINE_BREAK=line-max'] };
  t.equal(readEntries(t, [withoutStream, OTHER]).records.length, 2, 'nor without a stream');
});

void test('lines of several streams are joined each by itself, and the numbers of a batch grow', async (t) => {
  const entries = [
    part('a', '1', true),
    part('b', '1', true),
    OTHER,
    part('b', '2', true),
    part('a', '2', false),
    part('c', 'x', false),
    part('b', '3', false),
  ];
  const { records } = readEntries(t, entries);
  t.same(
    records.map(({ body, sequence }) => [sequence, body]),
    [
      [3, 'other'],
      [5, '12'],
      [6, 'x'],
      [7, '123'],
    ],
  );
});

void test('a character that was cut in two is whole again, and a body is of the kind that the whole line is', async (t) => {
  const euro = Buffer.from('€');
  const entries = [
    part('a', euro.subarray(0, 1), true),
    part('a', euro.subarray(1), false),
    part('a', '{"a":', true),
    part('a', '1}', false),
    part('a', Uint8Array.of(0xff), true),
    part('a', 'x', false),
  ];
  t.match(readEntries(t, entries, { parseJson: true }).records, [
    { body: '€', kind: 'text' },
    { body: '{"a":1}', kind: 'json' },
    { body: 'ff78', kind: 'binary' },
  ]);
});

void test('the first part decides on severity, and on whether the line is chosen', async (t) => {
  const line = [part('a', 'bad ', true, 0, ['PRIORITY=3']), part('a', 'news', false, 0, ['PRIORITY=6'])];
  t.match(readEntries(t, line).records, [{ body: 'bad news', severity: 17 }]);
  t.match(readEntries(t, line, { include: { priorities: 'err' } }).records, [{ body: 'bad news' }]);
  const { records, leftOut } = readEntries(t, [...line, OTHER], { exclude: { priorities: ['err'] } });
  t.match({ bodies: records.map(({ body }) => body), leftOut }, { bodies: ['other'], leftOut: 2 });
});

void test('a line is cut where a value is, between characters, and the rest of it is not a record', async (t) => {
  const entries = [
    part('a', 'é'.repeat(400), true),
    part('a', 'é'.repeat(400), true),
    part('a', 'end', false),
    part('a', 'next', false),
  ];
  const { records, truncated } = readEntries(t, entries, { maxValueBytes: 1025 });
  t.match(records, [
    { body: 'é'.repeat(512), truncated: true, sequence: 2 },
    { body: 'next', sequence: 4 },
  ]);
  t.equal(truncated, 1);
  const parts = [part('a', 'x'.repeat(2000), true), part('a', 'y'.repeat(10), false)];
  t.match(
    readEntries(t, parts, { maxValueBytes: 1024 }).records,
    [{ body: 'x'.repeat(1024), truncated: true }],
    'also in a part',
  );
});

void test('what parts of lines share with others stays what it is', async (t) => {
  const more = ['X=shared', 'Y=shared'];
  // What lies further back in the file than this is looked up as a set, whose members are copied once a batch.
  const far = { fields: [`FILLER=${'f'.repeat(100_000)}`], realtime: START };
  const entries = [part('a', 'first', false, 0, more), part('a', 'p', true, 0, more), part('a', 'q', false, 0, more), far];
  const parts = ['1', '2'.repeat(100), '3'.repeat(1000)].map((text) => part('a', text, true, 0, more));
  const last = part('a', 'late', false, 2000, more);
  const { records } = readEntries(
    t,
    [...entries, ...parts, part('a', 'end', false, 0, more), part('a', 'x', false, 0, more), ...parts, last],
    {
      fields: ['X', 'Y'],
    },
  );
  t.equal(records.length, 7);
  t.same(new Set(records.map(({ fields }) => fields)), new Set(['"X":"shared","Y":"shared"', '']));
});

void test('a line that goes on in the next file is joined, and one of another journald is not mixed up with it', async (t) => {
  const directory = temporaryDirectory(t);
  const save = (name: string, seqnumId: string, firstSeqnum: number, ...entries: EntrySpec[]): void =>
    new JournalWriter({ seqnumId: seqnumId.repeat(32), firstSeqnum }).append(...entries).save(join(directory, name));
  save('a1.journal', 'a', 1, { ...part('a', 'one ', true, 0), monotonic: 1 });
  save('b.journal', 'b', 1, { ...part('b', 'other', false, 1), monotonic: 2 });
  save('a2.journal', 'a', 2, { ...part('a', 'two', false, 2), monotonic: 3 });
  const { journal, read, told } = readInSteps(directory);
  journal.refresh(true);
  t.match(read(), [{ body: 'other', epoch: /^b/ }]);
  t.match(read(), [{ body: 'one two', epoch: /^a/ }]);
  t.same(told, ['batch 1', 'batch 2']);
  journal.close();
});

void test('whatever the order in which streams write, each line is one record', async (t) => {
  const lines = fc.array(
    fc.record({
      stream: fc.constantFrom('a', 'b', 'c', 'd'),
      sizes: fc.array(fc.constantFrom(0, 1, 700, 5000), { minLength: 1, maxLength: 5 }),
      rank: fc.array(fc.nat(), { minLength: 5, maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 40 },
  );
  const property = fc.property(lines, fc.boolean(), (given, isFiltered) => {
    // Parts of one stream stay in order; those of different streams are mixed by their ranks.
    const queues = Map.groupBy(
      given.flatMap(({ stream, sizes, rank }, line) =>
        sizes.map((size, index) => ({ stream, rank: rank[index] ?? 0, line, size, isLast: index === sizes.length - 1 })),
      ),
      ({ stream }) => stream,
    );
    const entries: EntrySpec[] = [];
    const wanted: string[] = [];
    const bodies = new Map<number, string>();
    for (;;) {
      const heads = [...queues.values()].filter((queue) => queue.length > 0);
      const next = heads.toSorted((a, b) => (a[0]?.rank ?? 0) - (b[0]?.rank ?? 0))[0]?.shift();
      if (next === undefined) break;
      const text = `${next.line}${'.'.repeat(next.size)}`;
      bodies.set(next.line, (bodies.get(next.line) ?? '') + text);
      const isOdd = next.line % 2 === 1;
      entries.push(part(next.stream, text, !next.isLast, 0, isOdd ? ['ODD=1'] : []));
      if (next.isLast && !(isFiltered && isOdd)) wanted.push(bodies.get(next.line) ?? '');
    }
    const { records } = readEntries(t, entries, isFiltered ? { exclude: { matches: { ODD: ['1'] } } } : {});
    return JSON.stringify(records.map(({ body }) => body)) === JSON.stringify(wanted);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 100 }));
});

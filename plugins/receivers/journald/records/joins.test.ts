import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { readEntries } from '../testdata/read_entries.ts';
import { readInSteps } from '../testdata/read_in_steps.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const START = 1_700_000_000_000_000;

const OTHER: EntrySpec = { fields: ['MESSAGE=other'], realtime: START };

/** An entry of a stream, as journald makes it of a line or a part of one. Times are milliseconds since the first entry. */
function part(
  stream: string,
  message: string | Uint8Array,
  isContinued: boolean,
  atMs = 0,
  more: readonly string[] = [],
): EntrySpec {
  const realtime = START + atMs * 1000;
  const lineBreak = isContinued ? ['_LINE_BREAK=line-max'] : [];
  return {
    realtime,
    fields: [{ name: 'MESSAGE', value: message }, `_STREAM_ID=${stream}`, 'SYSLOG_IDENTIFIER=app', ...lineBreak, ...more],
  };
}

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

void test('a line that never ends is one record, and the position does not wait for its end', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter().append(...Array.from({ length: 1000 }, () => part('a', 'x'.repeat(100), true)));
  writer.append(part('b', 'other', false)).save(join(directory, 'a.journal'));
  for (const options of [{}, { exclude: { matches: { _STREAM_ID: ['a'] } } }]) {
    const { journal, read, told } = readInSteps(directory, { ...options, maxValueBytes: 1024 });
    journal.refresh(true);
    const line = { body: 'x'.repeat(1024), sequence: 11, truncated: true, partial: false };
    t.match(read(), 'exclude' in options ? [{ body: 'other' }] : [line, { body: 'other' }]);
    t.equal(told.at(-1), 'batch 1001');
    journal.close();
  }
});

void test('a line that takes its time is shipped in pieces', async (t) => {
  let now = 0;
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter();
  const { journal, read, told } = readInSteps(directory, { now: () => now });
  const bodies: string[] = [];
  for (let second = 0; second < 25; second++) {
    writer
      .append(part('a', String.fromCharCode(0x61 + second), true, second * 900, ['PRIORITY=3']))
      .save(join(directory, 'a.journal'));
    now = second * 900;
    journal.refresh(true);
    const records = read();
    if (Array.isArray(records)) bodies.push(...records.map(({ body, severity, partial }) => `${body} ${severity} ${partial}`));
  }
  t.same(bodies, ['abcdefghijkl 17 true', 'mnopqrstuvwx 17 true']);
  t.equal(told.at(-1), 'batch 24', 'and the position moves');
  journal.close();
});

void test('a line whose next part does not come is given up by the clock, and shipped as it is', async (t) => {
  let now = 0;
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter().append(
    'before',
    part('a', 'one ', true, 10, ['X=1']),
    part('a', 'two', true, 10, ['X=1']),
    part('b', 'other', false, 10),
  );
  const save = (): void => writer.save(join(directory, 'a.journal'));
  save();
  const { journal, reader, read, told } = readInSteps(directory, { now: () => now, fields: ['X'] });
  t.equal(reader.dueMs, Infinity);
  journal.refresh(true);
  t.match(read(), [{ body: 'before' }, { body: 'other', sequence: 4 }]);
  t.same(told, ['batch 1'], 'reading would begin again before its first part');
  t.equal(read(), undefined);
  t.equal(reader.dueMs, 1000);
  now = 999;
  t.equal(read(), undefined);
  now = 1000;
  t.match(read(), [{ body: 'one two', sequence: 3, time: START + 10_000, partial: true, fields: '"X":"1"', service: 'app' }]);
  t.same([...new Set(told)], ['batch 1', 'passed 5e 1', 'batch 4'], 'which is where it stays until then');
  t.equal(reader.dueMs, Infinity);
  writer.append(part('a', 'late', false, 20));
  save();
  journal.refresh(true);
  t.match(read(), [{ body: 'late', partial: false }]);
  journal.close();
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

void test('what is stored is given up by the times of its entries', async (t) => {
  const entries = [
    part('a', 'one', true, 0),
    part('b', 'x', true, 500),
    part('c', 'y', false, 1000),
    part('c', 'z', false, 1001),
    part('b', 'y', false, 1499),
  ];
  t.match(readEntries(t, entries).records, [
    { body: 'y', sequence: 3 },
    { body: 'one', sequence: 1, partial: true },
    { body: 'z', sequence: 4 },
    { body: 'xy', sequence: 5, partial: false },
  ]);
});

void test('as long as a line is pending the position stays before its first part, and before that of the oldest', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter();
  const { journal, read, told } = readInSteps(directory, { exclude: { identifiers: ['noise'] } });
  const step = (...entries: EntrySpec[]): unknown => {
    writer.append(...entries);
    writer.save(join(directory, 'a.journal'));
    journal.refresh(true);
    told.length = 0;
    read();
    return [...told];
  };
  const noise = { fields: ['SYSLOG_IDENTIFIER=noise'], realtime: START };
  t.same(step(part('a', '1', true)), [], 'there is no entry before the first one');
  t.same(step(part('x', 'x', false)), ['batch at the start']);
  t.same(step(part('a', '2', false)), ['batch 3']);
  t.same(step(noise), ['passed 5e 4']);
  t.same(step(part('a', '1', true), noise), ['passed 5e 4']);
  t.same(step(part('b', '1', true), part('x', 'x', false)), ['batch 4']);
  t.same(step(part('a', '2', false)), ['batch 6'], 'of the other line, which began later');
  t.same(step(part('b', '2', false)), ['batch 10']);
  journal.close();
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

void test('a line of another journald that is given up goes into a batch of its own', async (t) => {
  const directory = temporaryDirectory(t);
  let now = 0;
  const save = (name: string, ...entries: EntrySpec[]): void =>
    new JournalWriter({ seqnumId: name.repeat(32) }).append(...entries).save(join(directory, `${name}.journal`));
  save('a', { ...part('x', 'before', false), monotonic: 1 }, { ...part('a', 'one', true), monotonic: 2 });
  save('b', { ...part('b', 'other', false), monotonic: 3 });
  const { journal, read, told } = readInSteps(directory, { now: () => now });
  journal.refresh(true);
  t.match([read(), read(), read()], [[{ body: 'before' }], [{ body: 'other', epoch: /^b/ }], undefined]);
  now = 1000;
  t.match(read(), [{ body: 'one', epoch: /^a/, partial: true }]);
  t.same(told.slice(0, 2), ['batch 1', 'batch 1']);
  t.equal(told.at(-1), 'batch 2');
  journal.close();
});

void test('no more than 64 lines are pending; the one that waits longest is given up for another', async (t) => {
  const lines = Array.from({ length: 66 }, (_, number) => part(`s${number}`, `${number}`, true));
  const ends = Array.from({ length: 66 }, (_, number) => part(`s${number}`, ' end', false));
  const { records } = readEntries(t, [...lines, ...ends]);
  t.same(
    records.filter(({ partial }) => partial).map(({ body }) => body),
    ['0', '1'],
  );
  t.equal(records.filter(({ body }) => /^\d+ end$/.test(body)).length, 64);
  t.same(records.filter(({ body }) => body === ' end').length, 2, 'whose ends are records of their own');
});

void test('what lines hold together is bounded', async (t) => {
  const large = 'x'.repeat(1024 * 1024);
  const lines = Array.from({ length: 20 }, (_, number) => part(`s${number}`, large, true));
  const { records } = readEntries(t, lines, { maxValueBytes: 2 * 1024 * 1024, fields: [] });
  t.equal(records.filter(({ partial }) => partial).length, 4, 'more than 16 MiB do not wait');
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

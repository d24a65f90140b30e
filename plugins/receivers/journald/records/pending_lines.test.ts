/** Lines whose end does not come, or not soon: when they are given up, what waits for them, and how much they may take. */
import { join } from 'node:path';
import { test } from 'tap';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { part, START } from '../testdata/line_parts.ts';
import { readEntries } from '../testdata/read_entries.ts';
import { readInSteps } from '../testdata/read_in_steps.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

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

import { join } from 'node:path';
import { test } from 'tap';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { readInSteps } from '../testdata/read_in_steps.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

void test('a batch ends where the boot does, and is told of with its own last entry', async (t) => {
  const directory = temporaryDirectory(t);
  for (const [index, boot] of ['a1', 'b2'].entries()) {
    const entries = [1, 2, 3].map((number) => ({ bootId: boot.repeat(16), fields: [`MESSAGE=${boot} ${number}`] }));
    const place = { firstSeqnum: 1 + index * 3, firstRealtime: 1_700_000_000_000_000 + index * 1e9 };
    new JournalWriter(place).append(...entries).save(join(directory, `${boot}.journal`));
  }
  const { journal, read, told } = readInSteps(directory);
  journal.refresh(true);
  const epoch = '5e'.repeat(16);
  t.match(read(), [{ body: 'a1 1', epoch: `${epoch}.a1a1a1a1` }, {}, { body: 'a1 3', sequence: 3 }]);
  t.match(read(), [{ body: 'b2 1', epoch: `${epoch}.b2b2b2b2` }, {}, { body: 'b2 3', sequence: 6 }]);
  t.same(told, ['batch 3', 'batch 6']);
  journal.close();
});

void test('records are of the batch of their own sequence, also where its first entries were left out', async (t) => {
  const directory = temporaryDirectory(t);
  for (const [index, name] of ['a', 'b'].entries()) {
    const entries = [0, 1, 2].map((round) => ({
      monotonic: round * 2 + index + 1,
      fields: [`MESSAGE=${name} ${round}`, `X=${name === 'a' && round === 0 ? 'no' : 'yes'}`],
    }));
    new JournalWriter({ seqnumId: name.repeat(32) }).append(...entries).save(join(directory, `${name}.journal`));
  }
  const { journal, read, told } = readInSteps(directory, { include: { matches: { X: ['yes'] } } });
  journal.refresh(true);
  const batches = [read(), read()].flatMap((batch) => (Array.isArray(batch) ? [batch] : []));
  t.same(
    batches.map((batch) => batch.map(({ epoch, body }) => `${epoch.slice(0, 1)}: ${body}`)),
    [
      ['b: b 0', 'b: b 1', 'b: b 2'],
      ['a: a 1', 'a: a 2'],
    ],
  );
  t.equal(read(), undefined);
  t.same(told, ['batch 3', 'batch 3']);
  journal.close();
});

void test('what was passed is told of behind the batches, which may have the entries that it has copies of', async (t) => {
  const directory = temporaryDirectory(t);
  for (const [index, name] of ['a', 'b', 'c'].entries()) {
    const entry = { monotonic: index + 1, fields: [`MESSAGE=${name}`, `X=${name === 'c' ? 'no' : 'yes'}`] };
    new JournalWriter({ seqnumId: name.repeat(32), firstSeqnum: index + 1 })
      .append(entry)
      .save(join(directory, `${name}.journal`));
  }
  const { journal, read, told } = readInSteps(directory, { include: { matches: { X: ['yes'] } } });
  journal.refresh(true);
  t.match([read(), read(), read()], [[{ body: 'a' }], [{ body: 'b' }], undefined]);
  t.same(told, ['batch 1', 'batch 2', 'passed cc 3']);
  journal.close();
});

void test('a boot that ends within a file ends the batch too', async (t) => {
  const directory = temporaryDirectory(t);
  const boots = ['a1', 'a1', 'b2', 'a1'];
  new JournalWriter()
    .append(...boots.map((boot) => ({ bootId: boot.repeat(16), fields: ['MESSAGE=x'] })))
    .save(join(directory, 'a.journal'));
  const { journal, read, told } = readInSteps(directory);
  journal.refresh(true);
  t.match([read(), read(), read(), read()], [{ length: 2 }, { length: 1 }, { length: 1 }, undefined]);
  t.same(told, ['batch 2', 'batch 3', 'batch 4']);
  journal.close();
});

/** Files of several sequences, whose entries take turns by their times: `a` has the first entry, `b` the second, and so on. */
function takingTurns(directory: string, names: readonly string[], rounds: number): void {
  for (const [index, name] of names.entries()) {
    const entries = Array.from({ length: rounds }, (_, round) => ({
      monotonic: round * names.length + index + 1,
      fields: [`MESSAGE=${name} ${round}`],
    }));
    new JournalWriter({ seqnumId: name.repeat(32 / name.length) }).append(...entries).save(join(directory, `${name}.journal`));
  }
}

void test('sequences that take turns have a batch each, and none is cut short by the other', async (t) => {
  const directory = temporaryDirectory(t);
  takingTurns(directory, ['a', 'b', 'c'], 1000);
  const { journal, read, told } = readInSteps(directory);
  journal.refresh(true);
  for (const name of ['a', 'b', 'c']) {
    const records = read();
    t.same(
      Array.isArray(records) ? records.map(({ body }) => body) : records,
      Array.from({ length: 1000 }, (_, round) => `${name} ${round}`),
    );
  }
  t.equal(read(), undefined);
  t.same(told, ['batch 1000', 'batch 1000', 'batch 1000']);
  journal.close();
});

void test('of a hundred sequences each has a batch of its own, unless values may be so long that arenas are large', async (t) => {
  const directory = temporaryDirectory(t);
  const names = Array.from({ length: 100 }, (_, number) => number.toString(16).padStart(2, '0'));
  takingTurns(directory, names, 3);
  for (const [maxValueBytes, wanted] of [
    [256 * 1024, 100],
    [4 * 1024 * 1024, 300],
  ] as const) {
    const { journal, read } = readInSteps(directory, { maxValueBytes });
    journal.refresh(true);
    const bodies: string[] = [];
    let batches = 0;
    for (let records = read(); records !== undefined; records = read()) {
      if (records === 'passed') continue;
      batches += 1;
      bodies.push(...records.map(({ body }) => body));
    }
    t.same(
      bodies.toSorted(),
      names.flatMap((name) => [0, 1, 2].map((round) => `${name} ${round}`)),
    );
    t.equal(batches, wanted);
    journal.close();
  }
});

void test('nothing more is read before the batches of a read are handed out', async (t) => {
  const directory = temporaryDirectory(t);
  takingTurns(directory, ['a', 'b'], 2);
  const { journal, reader, read, told } = readInSteps(directory);
  journal.refresh(true);
  t.match(read(), [{ body: 'a 0' }, { body: 'a 1' }]);
  takingTurns(directory, ['a', 'b'], 3);
  journal.refresh(true);
  t.match(read(), [{ body: 'b 0' }, { body: 'b 1' }]);
  t.same(told, ['batch 2', 'batch 2'], 'so each is told of with its own last entry');
  t.equal(reader.dueMs, Infinity);
  journal.close();
});

const MIB = 1024 * 1024;
const START = 1_700_000_000_000_000;

/** A file with more than a MiB of values that its entries share; those of the same boot take turns. */
function fileOfLargeValues(name: string, bootId: string, firstRealtime: number): JournalWriter {
  const values = Array.from({ length: 300 }, (_, number) => `X=${name} ${number} ${'x'.repeat(4000)}`);
  const entries = [...values, ...values].map((value) => ({ bootId, fields: [value] }));
  return new JournalWriter({ seqnumId: name.repeat(16), firstRealtime }).append(...entries);
}

void test('what is remembered of a file is forgotten when it was read to its end', async (t) => {
  const directory = temporaryDirectory(t);
  const names = Array.from({ length: 8 }, (_, number) => `a${number}`);
  for (const [index, name] of names.entries()) {
    const writer = fileOfLargeValues(name, name.repeat(16), START + index * 1e10);
    writer.state = 'archived';
    writer.save(join(directory, `system@${name}.journal`));
  }
  const { journal, reader, read } = readInSteps(directory, { fields: 'all' });
  journal.refresh(true);
  let records = 0;
  let most = 0;
  for (let batch = read(); batch !== undefined; batch = read()) {
    records += batch === 'passed' ? 0 : batch.length;
    most = Math.max(most, reader.cacheBytes);
  }
  t.equal(records, names.length * 600);
  t.ok(most > MIB && most < 8 * MIB, `${most} bytes`);
  journal.close();
});

void test('what is remembered of all files is bounded, and nothing is lost with what is forgotten', async (t) => {
  const directory = temporaryDirectory(t);
  const names = Array.from({ length: 24 }, (_, number) => number.toString(16).padStart(2, '0'));
  for (const name of names) fileOfLargeValues(name, 'b0'.repeat(16), START).save(join(directory, `${name}.journal`));
  const { journal, reader, read } = readInSteps(directory, { fields: 'all' });
  journal.refresh(true);
  const found = new Map<string, number>();
  let most = 0;
  for (let batch = read(); batch !== undefined; batch = read()) {
    for (const { fields } of batch === 'passed' ? [] : batch) found.set(fields, (found.get(fields) ?? 0) + 1);
    most = Math.max(most, reader.cacheBytes);
  }
  t.equal(found.size, names.length * 300);
  t.ok([...found.values()].every((count) => count === 2));
  t.ok(most > 20 * MIB && most <= 48 * MIB, `${most} bytes`);
  journal.close();
});

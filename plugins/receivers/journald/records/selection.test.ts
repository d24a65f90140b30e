import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import type { Criteria } from '../select/criteria.ts';
import { EntrySelection } from '../select/selection.ts';
import { type EntrySpec, JournalWriter } from '../testdata/journal_writer.ts';
import { readEntries } from '../testdata/read_entries.ts';
import { readInSteps } from '../testdata/read_in_steps.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

void test('only entries that are chosen become records, and the others are counted', async (t) => {
  const entries = Array.from({ length: 5000 }, (_, number) => ({
    fields: [`MESSAGE=${number}`, `_SYSTEMD_UNIT=u${number % 7}.service`, `PRIORITY=${number % 8}`],
  }));
  const { records, leftOut } = readEntries(t, entries, {
    include: { units: ['u3'] },
    exclude: { priorities: ['debug'] },
    fields: [],
  });
  const wanted = Array.from({ length: 5000 }, (_, number) => number).filter((number) => number % 7 === 3 && number % 8 !== 7);
  t.same(
    records.map(({ body }) => Number(body)),
    wanted,
  );
  t.equal(leftOut, 5000 - wanted.length);
  t.ok(
    records.every(({ fields }) => fields === ''),
    'fields that are only looked at are not shipped',
  );
});

void test('a message is looked at too where that is asked for', async (t) => {
  const entries = ['GET /a', 'GET /health', 'POST /health'].map((text) => ({ fields: [`MESSAGE=${text}`, 'X=1'] }));
  const { records } = readEntries(t, entries, { exclude: { matches: { MESSAGE: ['GET /health*'] } } });
  t.same(
    records.map(({ body }) => body),
    ['GET /a', 'POST /health'],
  );
});

void test('what is chosen does not depend on how entries share their objects', async (t) => {
  const field = fc.tuple(
    fc.constantFrom('_SYSTEMD_UNIT', 'SYSLOG_IDENTIFIER', 'PRIORITY', 'X', 'Y'),
    fc.constantFrom('a.service', 'b', '3', '6', 'x'.repeat(5000)),
  );
  const filler = fc.integer({ min: 0, max: 4000 }).map((length) => `FILLER=${'f'.repeat(length)}`);
  const entry = fc.tuple(filler, fc.uniqueArray(field, { maxLength: 6, selector: ([name, value]) => `${name}=${value}` }));
  const include: Criteria = { units: ['a', 'x*'], matches: { X: ['b', '3'] } };
  const exclude: Criteria = { identifiers: ['b'], priorities: ['err'] };
  const selection = new EntrySelection(include, exclude);
  let chosen = 0;
  const property = fc.property(fc.array(entry, { minLength: 100, maxLength: 300, size: 'max' }), (entries) => {
    const specs: EntrySpec[] = entries.map(([first, rest], number) => ({
      fields: [first, ...rest.map(([name, value]) => `${name}=${value}`), `MESSAGE=${number}`],
    }));
    const wanted = entries.flatMap(([, rest], number) => {
      const bits = rest.reduce((all, [name, value]) => all | selection.bitsOf(name, Buffer.from(value)), 0);
      return selection.accepts(bits) ? [number] : [];
    });
    chosen += wanted.length;
    const found = readEntries(t, specs, { include, exclude }).records.map(({ body }) => Number(body));
    return JSON.stringify(found) === JSON.stringify(wanted);
  });
  t.doesNotThrow(() => fc.assert(property, { numRuns: 20 }));
  t.ok(chosen > 50, `${chosen} entries were chosen`);
});

void test('a read looks at a few thousand entries at most, and tells how far it came where none is a record', async (t) => {
  const directory = temporaryDirectory(t);
  const entries = Array.from({ length: 20_000 }, (_, number) => ({
    fields: [`MESSAGE=${number}`, `X=${number === 17_000 ? 'yes' : 'no'}`],
  }));
  new JournalWriter().append(...entries).save(join(directory, 'a.journal'));
  const { journal, read, told } = readInSteps(directory, { include: { matches: { X: ['yes'] } } });
  journal.refresh(true);
  t.equal(read(), 'passed');
  t.equal(read(), 'passed');
  t.match(read(), [{ body: '17000' }]);
  t.equal(read(), undefined);
  t.same(told, ['passed 5e 8192', 'passed 5e 16384', 'batch 20000']);
  journal.refresh(true);
  t.equal(read(), undefined);
  t.equal(told.length, 3, 'nothing new is nothing to tell');
  journal.close();
});

void test('each sequence is told of how far it was passed', async (t) => {
  const directory = temporaryDirectory(t);
  for (const [index, name] of ['a', 'b'].entries()) {
    const firstRealtime = 1_700_000_000_000_000 + index * 1e9;
    new JournalWriter({ seqnumId: name.repeat(32), firstRealtime }).append('1', '2').save(join(directory, `${name}.journal`));
  }
  const { journal, read, told } = readInSteps(directory, { include: { matches: { X: ['yes'] } } });
  journal.refresh(true);
  t.equal(read(), undefined);
  t.same(told, ['passed aa 2', 'passed bb 2']);
  journal.close();
});

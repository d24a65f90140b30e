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

import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { Positions } from '../position/positions.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { JournalDirectories } from './directories.ts';
import { Journal } from './journal.ts';

for (const bytes of [0, 100]) {
  void test(`a file of ${bytes} bytes is being made at first, and told of when it stays so`, async (t) => {
    const directory = temporaryDirectory(t);
    const path = join(directory, 'system.journal');
    new JournalWriter().append('one').save(path);
    truncateSync(path, bytes);
    const journal = new Journal(new JournalDirectories([directory]), new Positions(0), () => {});
    journal.refresh(true);
    t.same([...journal.problems], []);
    for (let look = 0; look < 10; look++) journal.refresh(true);
    t.match([...journal.problems], [[path, /no complete header/]]);
    new JournalWriter().append('one').save(path);
    journal.refresh(true);
    t.same([...journal.problems], [], 'and no longer once it has one');
    journal.close();
  });
}

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { JournalDirectories } from '../journal/directories.ts';
import { setUnknownFeature } from '../testdata/foreign.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { readTail, readTails } from './tails.ts';

void test('the last entry is told of files with features that are not known, too', async (t) => {
  const path = join(temporaryDirectory(t), 'system.journal');
  const writer = new JournalWriter().append('one', 'two');
  writer.save(path);
  const tail = readTail(path);
  t.match(tail, { seqnumId: writer.seqnumId, seqnum: 2, isForeign: false });
  t.ok((tail?.realtime ?? 0) > 1e15);
  setUnknownFeature(path);
  t.same(readTail(path), { ...tail, isForeign: true });
});

void test('what is no journal, or not yet, has no tail', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'a.journal');
  new JournalWriter().append('one').save(path);
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, 100));
  t.equal(readTail(path), undefined);
  writeFileSync(path, Buffer.concat([Buffer.from('x'), bytes]));
  t.equal(readTail(path), undefined);
  t.same(readTails(new JournalDirectories([directory])), { tails: [], problems: new Map() });
});

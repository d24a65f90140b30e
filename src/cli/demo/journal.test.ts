import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { findJournal } from './journal.ts';

void test('the journal is readable where one of its files is, and otherwise it is said why not', async (t) => {
  const none = t.testdir({ empty: {}, machine: { 'notes.txt': '' } });
  t.match(findJournal([join(none, 'missing'), none]), { isReadable: false, reason: /no journal files/ });
  const some = t.testdir({ machine: { 'system.journal': '', 'user-1000.journal': '' } });
  t.same(findJournal([some]), { isReadable: true, reason: '' });
  if (process.getuid?.() === 0) return; // who may read everything
  for (const name of ['system', 'user-1000']) chmodSync(join(some, 'machine', `${name}.journal`), 0);
  t.match(findJournal([some]), { isReadable: false, reason: /systemd-journal/ });
});

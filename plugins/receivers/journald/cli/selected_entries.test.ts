import { join } from 'node:path';
import { test } from 'tap';
import { JournalDirectories } from '../journal/directories.ts';
import { Journal } from '../journal/journal.ts';
import { Positions } from '../position/positions.ts';
import { EntrySelection } from '../select/selection.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { MAX_REMEMBERED_BYTES, SelectedEntries } from './selected_entries.ts';

interface Tap {
  teardown(run: () => void): unknown;
}

/** Reads a directory of `hosts` files whose entries take turns, each with fields that all of its file have and one of its own. */
function readHosts(t: Tap, hosts: number, entriesOfEach: number) {
  const directory = temporaryDirectory(t);
  for (let host = 0; host < hosts; host++) {
    const writer = new JournalWriter({ seqnumId: host.toString(16).padStart(32, 'a') });
    for (let number = 0; number < entriesOfEach; number++) {
      const at = number * hosts + host + 1;
      const fields = [`_HOSTNAME=${host}`, `_MACHINE_ID=${host}`, `MESSAGE=${host} ${number}`];
      writer.append({ fields, realtime: 1_700_000_000_000_000 + at, monotonic: at });
    }
    writer.save(join(directory, `remote-${host}.journal`));
  }
  const journal = new Journal(new JournalDirectories([directory]), new Positions(0), () => {});
  t.teardown(() => journal.close());
  journal.refresh(true);
  let encoded = 0;
  const entries = new SelectedEntries(journal, {
    selection: new EntrySelection(undefined, undefined),
    untilMicros: Infinity,
    encoder: { knownNames: [], encode: () => void (encoded += 1) },
    onDamage: () => {},
  });
  let count = 0;
  let mostBytes = 0;
  for (let found = entries.next(); found !== 'none'; found = entries.next()) {
    if (typeof found === 'object') count += 1;
    mostBytes = Math.max(mostBytes, entries.memoryBytes);
  }
  return { count, encoded, mostBytes };
}

void test('what entries of a host share is encoded once, however many hosts take turns', (t) => {
  const { count, encoded } = readHosts(t, 20, 50);
  t.equal(count, 1000);
  t.equal(encoded, 1000 + 20 * 2);
  t.end();
});

void test('what is remembered of very many hosts is bounded', (t) => {
  const { count, mostBytes } = readHosts(t, 400, 2);
  t.equal(count, 800);
  t.ok(mostBytes <= MAX_REMEMBERED_BYTES, `${mostBytes} bytes`);
  t.ok(mostBytes > MAX_REMEMBERED_BYTES / 2, 'and the bound was come to');
  t.end();
});

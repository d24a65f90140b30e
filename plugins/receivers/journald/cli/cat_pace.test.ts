/** When `sluice journal cat` prints what, and when it waits. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'tap';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { runJournal } from '../testdata/run_command.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

void test('more is read only when what was printed has been taken', async (t) => {
  const directory = temporaryDirectory(t);
  const writer = new JournalWriter();
  for (let number = 0; number < 40; number++) writer.append(`${number} ${'x'.repeat(50_000)}`);
  writer.save(join(directory, 'system.journal'));
  const { promise: taken, resolve: take } = Promise.withResolvers<void>();
  let pieces = 0;
  const running = runJournal(['cat', '--directory', directory, '-o', 'export'], {
    onSend(bytes) {
      pieces += 1;
      t.ok(bytes.length < 400_000, 'in pieces');
      return taken;
    },
  });
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  t.equal(pieces, 1);
  take();
  t.ok((await running).stdout.length > 2_000_000);
  t.ok(pieces >= 5);
});

void test('--follow begins with the newest and goes on with what comes, until it is told to stop', async (t) => {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'system.journal');
  const writer = new JournalWriter();
  for (let number = 0; number < 15; number++) writer.append(`old ${number}`);
  writer.save(path);
  const stop = new AbortController();
  let seen = '';
  const running = runJournal(['cat', '--directory', directory, '--follow', '-o', 'json'], {
    stop: stop.signal,
    onSend: (bytes) => void (seen += bytes.toString()),
  });
  await waitFor(() => seen.includes('old 14'), { what: 'the newest' });
  t.notMatch(seen, /old 4"/, 'ten of them');
  t.match(seen, /old 5"/);
  writer.append('new 0').save(path);
  await waitFor(() => seen.includes('new 0'), { what: 'what was appended' });
  mkdirSync(join(directory, '0'.repeat(32)));
  new JournalWriter({ seqnumId: 'cc'.repeat(16), firstRealtime: 1_800_000_000_000_000 })
    .append('from a new file')
    .save(join(directory, '0'.repeat(32), 'system.journal'));
  await waitFor(() => seen.includes('from a new file'), { what: 'what is in the new file' });
  stop.abort();
  t.equal((await running).error, undefined);
});

void test('--follow with no lines prints only what comes', async (t) => {
  const path = join(temporaryDirectory(t), 'system.journal');
  const writer = new JournalWriter().append('old');
  writer.save(path);
  const stop = new AbortController();
  let seen = '';
  const running = runJournal(['cat', '--directory', dirname(path), '--follow', '--lines', '0', '-o', 'json'], {
    stop: stop.signal,
    onSend: (bytes) => void (seen += bytes.toString()),
  });
  let written = 0;
  await waitFor(
    () => {
      writer.append(`new ${(written += 1)}`).save(path);
      return seen.includes('new');
    },
    { what: 'what comes' },
  );
  stop.abort();
  t.equal((await running).error, undefined);
  t.notMatch(seen, /old/);
});

import { spawnSync } from 'node:child_process';
import { test } from 'tap';
import { waitFor } from '../../../../test/helpers/wait_for.ts';
import { startJournald, withoutJournald } from '../testdata/journald.ts';
import { runJournal } from '../testdata/run_command.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';

const ROUNDS = 6;
const LINES_A_ROUND = 300;

void test(
  'a real journald is followed through rotations, and what was printed is what journalctl prints afterwards',
  { skip: withoutJournald },
  async (t) => {
    const journald = await startJournald(temporaryDirectory(t));
    t.teardown(() => journald.stop());
    await journald.write(['the first']);
    await journald.sync();
    const stop = new AbortController();
    let printed = '';
    const running = runJournal(['cat', '--directory', journald.directory, '--since', '@0', '--follow', '-o', 'export'], {
      stop: stop.signal,
      onSend: (bytes) => void (printed += bytes.toString('latin1')),
    });
    for (let round = 0; round < ROUNDS; round++) {
      await journald.write(Array.from({ length: LINES_A_ROUND }, (_, number) => `line ${round * LINES_A_ROUND + number}`));
      if (round % 2 === 1) journald.rotate();
      await waitFor(() => printed.includes(`MESSAGE=line ${round * LINES_A_ROUND}\n`), {
        what: `round ${round}`,
        deadlineMs: 20_000,
      });
    }
    await waitFor(() => printed.includes(`MESSAGE=line ${ROUNDS * LINES_A_ROUND - 1}\n`), {
      what: 'the last line',
      deadlineMs: 20_000,
    });
    await journald.stop();
    const args = ['--directory', journald.directory, '-o', 'export', '--all', '--quiet'];
    const wanted = spawnSync('journalctl', args, { maxBuffer: 2 ** 28 }).stdout.toString('latin1');
    // journald says goodbye.
    await waitFor(() => printed.length >= wanted.length, { what: 'the end', deadlineMs: 20_000 });
    stop.abort();
    const { stderr, error } = await running;
    t.equal(error, undefined);
    t.equal(stderr, '');
    t.ok(printed === wanted, 'byte for byte');
    t.match(
      (await runJournal(['status', '--directory', journald.directory])).stdout.toString(),
      /^journal: \d+ entries can be read\n/,
    );
  },
);

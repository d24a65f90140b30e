import { join } from 'node:path';
import { test } from 'tap';
import { FakeReceiverContext } from '../../../../test/helpers/contexts.ts';
import { VirtualClock } from '../../../../test/helpers/virtual_clock.ts';
import { seqnumCursor } from '../file/cursor.ts';
import { options } from '../options.ts';
import { Positions } from '../position/positions.ts';
import { fakeJournalctl } from '../testdata/fake_journalctl.ts';
import { setUnknownFeature } from '../testdata/foreign.ts';
import { JournalWriter } from '../testdata/journal_writer.ts';
import { temporaryDirectory } from '../testdata/temporary.ts';
import { ForeignFiles } from './foreign_files.ts';

/** A file with a feature that is not known and two entries, and who watches it where journalctl is `program`. */
function setUp(t: { teardown(run: () => void): unknown }, program?: string) {
  const directory = temporaryDirectory(t);
  const path = join(directory, 'system.journal');
  const journal = new JournalWriter().append('one', 'two');
  journal.save(path);
  setUnknownFeature(path);
  const fake = fakeJournalctl(directory, [{ out: 'systemd 300 (300.1)\n+PAM\n', end: 0 }]);
  const clock = new VirtualClock();
  const context = new FakeReceiverContext({ clock });
  return { path, journal, fake, clock, context, foreign: new ForeignFiles(options.parse({}), context, program ?? fake.path) };
}

void test('journalctl is needed for a file that only it can read and that has entries', async (t) => {
  const { path, foreign, context, fake } = setUp(t);
  t.equal(await foreign.needJournalctl([path], new Positions(0)), true);
  t.match(context.log.lines, [
    {
      level: 'warn',
      message: /journalctl reads the journal/,
      fields: { files: [path], version: 'systemd 300 (300.1)', hint: /update/ },
    },
  ]);
  t.same(fake.runs(), [['--version']]);
});

void test('it is not needed for what was read before, or cannot be read for another reason', async (t) => {
  const { path, journal, foreign, fake } = setUp(t);
  const reached = new Positions(0);
  reached.set(seqnumCursor(journal.seqnumId, 2, 1));
  t.equal(await foreign.needJournalctl([path], reached), false);
  setUnknownFeature(path, false);
  t.equal(await foreign.needJournalctl([path, '/nonexistent', '/'], new Positions(0)), false);
  t.same(fake.runs(), []);
});

void test('where journalctl cannot be run that is told once, and tried again every minute', async (t) => {
  const later = temporaryDirectory(t);
  const { path, foreign, context, clock } = setUp(t, join(later, 'journalctl'));
  const start = new Positions(0);
  t.equal(await foreign.needJournalctl([path], start), false);
  clock.advance(60_000);
  t.equal(await foreign.needJournalctl([path], start), false);
  t.match(context.log.lines, [
    { level: 'error', message: /entries are left out/, fields: { files: [path], journalctl: /ENOENT/ } },
  ]);
  t.equal(context.log.lines.length, 1);
  fakeJournalctl(later, [{ out: 'systemd 300\n', end: 0 }]);
  clock.advance(59_999);
  t.equal(await foreign.needJournalctl([path], start), false);
  clock.advance(1);
  t.equal(await foreign.needJournalctl([path], start), true);
});

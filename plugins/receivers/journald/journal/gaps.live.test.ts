import { rmSync } from 'node:fs';
import { test } from 'tap';
import { startFlushable, withoutFlushableJournald } from '../testdata/flushable_journald.ts';
import type { JournalReader } from '../testdata/journal_reader.ts';

/** Looks as often as it takes to be sure, and reads up to `count` entries. */
function look(reader: JournalReader, count = Infinity): void {
  reader.look(count);
  for (let again = 0; again < 4; again++) reader.look(count === Infinity ? count : 0);
}

void test(
  'rotation, restarts, crashes and reboots of a real journald lose nothing',
  { skip: withoutFlushableJournald },
  async (t) => {
    const { journald, reader, write, rotate, flush } = await startFlushable(t);
    flush();
    for (const event of ['rotate', 'SIGTERM', 'rotate', 'SIGKILL', 'rotate', 'reboot', 'rotate'] as const) {
      await write(20);
      look(reader, 10);
      if (event === 'rotate') await rotate();
      else {
        await journald.stop(event === 'reboot' ? 'SIGTERM' : event);
        if (event === 'reboot') journald.setBootId('ab'.repeat(16));
        await journald.start();
      }
      reader.restart();
    }
    look(reader);
    t.ok(reader.read.length >= 140, `${reader.read.length} entries`);
    t.same(reader.lost, {});
  },
);

void test('what is vacuumed before it is read is counted to the entry', { skip: withoutFlushableJournald }, async (t) => {
  const { journald, reader, write, rotate, flush, files, entries } = await startFlushable(t);
  const written = new Set<string>();
  const note = async (): Promise<void> => {
    for (const entry of await entries()) written.add(entry);
  };
  flush();
  await write(20);
  look(reader);
  for (const count of [10, 30, 40]) {
    await rotate();
    await write(count);
  }
  reader.look(10);
  await note();
  journald.vacuum(1, journald.persistentDirectory);
  await write(5);
  look(reader);
  await note();
  const missing = (): number => written.size - reader.read.length;
  t.ok(missing() > 30, `${missing()} entries are lost`);
  t.same(reader.lost, { vacuumed: missing() });

  await write(7);
  await rotate();
  await note();
  for (const path of files()) if (path.includes('system@')) rmSync(path);
  await write(3);
  await note();
  reader.restart();
  look(reader);
  t.same(reader.lost, { vacuumed: missing() }, 'also over a restart');
});

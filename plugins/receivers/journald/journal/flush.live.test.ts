import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { type RunningJournald, startJournald, withoutJournald } from '../testdata/journald.ts';
import { JournalReader } from '../testdata/journal_reader.ts';
import { readWithSystemd } from '../testdata/systemd.ts';

/** journald removes runtime files only from a file system in memory. */
const MEMORY = '/dev/shm';
const TMPFS_MAGIC = 0x01021994;
const withoutMemory = existsSync(MEMORY) && statfsSync(MEMORY).type === TMPFS_MAGIC ? false : `${MEMORY} is not in memory`;
const skip = withoutJournald || withoutMemory;

/** Of each line there are so many that say the same, most of them written at one time. */
async function setUp(t: { teardown(run: () => unknown): unknown }, sameLines: number) {
  const directory = mkdtempSync(join(MEMORY, 'journald-'));
  const journald = await startJournald(directory, { configuration: ['Storage=auto'] });
  const reader = new JournalReader({ persistent: journald.persistentDirectory, runtime: journald.directory });
  t.teardown(async () => {
    reader.close();
    await journald.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  let lines = 0;
  const write = async (count = 50): Promise<void> => {
    await journald.write(Array.from({ length: count }, () => `line ${Math.floor(lines++ / sameLines)}`));
    await journald.sync();
  };
  return { journald, reader, write };
}

/** What tells the entries apart that the journal has in the end. */
async function entriesOf({ persistentDirectory, directory }: RunningJournald): Promise<string[]> {
  const files = [persistentDirectory, directory].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.journal'))
      .map((name) => join(root, name)),
  );
  const entries: string[] = [];
  for await (const [[, cursor] = []] of readWithSystemd(files)) entries.push(/b=.*$/.exec(String(cursor))?.[0] ?? '');
  return entries;
}

for (const isRestarted of [false, true]) {
  void test(
    `a real journald flushes, goes back and flushes again${isRestarted ? ', and the reader is restarted' : ''}`,
    { skip },
    async (t) => {
      const { journald, reader, write } = await setUp(t, isRestarted ? 1 : 2);
      const restart = (): void => {
        if (isRestarted) reader.restart();
      };
      await write();
      reader.look(30);
      mkdirSync(journald.persistentDirectory);
      restart();
      journald.flush();
      await write();
      restart();
      reader.look();
      for (let round = 0; round < 3; round++) {
        journald.relinquish();
        await write();
        reader.look(round * 25);
        journald.rotate();
        await write();
        restart();
        reader.look(round * 25);
        journald.flush();
        await write();
        restart();
        reader.look();
      }
      reader.look();
      const expected = await entriesOf(journald);
      t.ok(expected.length > 550, `${expected.length} entries`);
      t.same(reader.read.toSorted(), expected.toSorted());
      t.same(reader.lost, {});
    },
  );
}

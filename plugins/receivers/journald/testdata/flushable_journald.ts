/** A real journald that can be flushed: its root is in memory, which is the only place from which it removes runtime files. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { readWithSystemd } from './systemd.ts';
import { JournalReader } from './journal_reader.ts';
import { type RunningJournald, startJournald, withoutJournald } from './journald.ts';

const MEMORY = '/dev/shm';
const TMPFS_MAGIC = 0x01021994;

/** Why none can be started here; false where it can. */
export const withoutFlushableJournald: string | false =
  withoutJournald ||
  (existsSync(MEMORY) && statfsSync(MEMORY).type === TMPFS_MAGIC ? false : `${MEMORY} is not a file system in memory`);

export interface FlushableJournald {
  readonly journald: RunningJournald;
  /** On its persistent and its runtime files. */
  readonly reader: JournalReader;
  /** Writes lines as a service, most of them at one time; each is written `repeats` times. */
  readonly write: (count: number, repeats?: number) => Promise<void>;
  readonly rotate: () => Promise<void>;
  /** Allows it to write to persistent files, and tells it to. */
  readonly flush: () => void;
  /** Paths of the files there are. */
  readonly files: () => string[];
  /** What tells the entries in the files apart, as cursors have it, in journalctl's order. */
  readonly entries: () => Promise<string[]>;
}

/** Starts one that writes to runtime files; ended with the test. */
export async function startFlushable(t: { teardown(run: () => unknown): unknown }): Promise<FlushableJournald> {
  const directory = mkdtempSync(join(MEMORY, 'journald-'));
  const journald = await startJournald(directory, { configuration: ['Storage=auto'] });
  const reader = new JournalReader({ persistent: journald.persistentDirectory, runtime: journald.directory });
  t.teardown(async () => {
    reader.close();
    await journald.stop();
    rmSync(directory, { recursive: true, force: true });
  });
  let lines = 0;
  return {
    journald,
    reader,
    async write(count, repeats = 1) {
      const texts = Array.from({ length: count }, (_, index) => `line ${lines + Math.floor(index / repeats)}`);
      lines += count;
      await journald.write(texts);
      await journald.sync();
    },
    async rotate() {
      journald.rotate();
      await journald.sync();
    },
    flush() {
      mkdirSync(journald.persistentDirectory, { recursive: true });
      journald.flush();
    },
    files: () => filesOf(journald),
    async entries() {
      const entries: string[] = [];
      for await (const [[, cursor] = []] of readWithSystemd(filesOf(journald))) {
        entries.push(/b=.*$/.exec(String(cursor))?.[0] ?? '');
      }
      return entries;
    },
  };
}

function filesOf(journald: RunningJournald): string[] {
  return [journald.persistentDirectory, journald.directory]
    .filter((root) => existsSync(root))
    .flatMap((root) => readdirSync(root, { recursive: true, encoding: 'utf8' }).map((name) => join(root, name)))
    .filter((path) => /\.journal~?$/.test(path));
}

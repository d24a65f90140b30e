/**
 * What the agent takes of memory on a large journal directory, all of which goes to an acked receiver: of ordinary entries, or of
 * entries that each have a field of 16 KiB, too, which systemd compresses and nobody ships.
 * `node bench/journald_memory.ts [GIB] [entries|dumps]`
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeJournal } from './lib/journal_workload.ts';
import { Bench } from './lib/sluice.ts';

/** By what the entries are: the further field, and what an entry takes in a file. */
const KINDS = {
  entries: { dumpBytes: 0, entryBytes: 700 },
  dumps: { dumpBytes: 16 * 1024, entryBytes: 13 * 1024 },
};

export interface MemoryResult {
  readonly files: number;
  readonly gibibytes: number;
  readonly peakMiB: number;
  readonly entriesPerSecond: number;
}

export async function runJournaldMemory(gibibytes = 4, kind: keyof typeof KINDS = 'entries'): Promise<MemoryResult> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
  try {
    const { dumpBytes, entryBytes } = KINDS[kind];
    const entries = Math.round((gibibytes * 2 ** 30) / entryBytes);
    await writeJournal(directory, entries, { dumpBytes });
    const sizes = readdirSync(directory).map((name) => statSync(join(directory, name)).size);
    const receivers = () => ({ journald: { directory, start_at: 'beginning' } });
    const bench = await Bench.start({ mode: 'acked', receivers });
    try {
      const isDone = (got: number): boolean => got >= entries;
      const { peakMiB, recordsPerSecond } = await bench.measure(entries, () => {}, isDone);
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      return { files: sizes.length, gibibytes: bytes / 2 ** 30, peakMiB, entriesPerSecond: recordsPerSecond };
    } finally {
      await bench.stop();
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const [gibibytes = '4', kind = 'entries'] = process.argv.slice(2);
  const result = await runJournaldMemory(Number(gibibytes), kind === 'dumps' ? 'dumps' : 'entries');
  console.log(
    `${result.gibibytes.toFixed(2)} GiB of ${kind} in ${result.files} files: ${Math.round(result.peakMiB)} MiB at most,`,
    `${Math.round(result.entriesPerSecond)} entries/s`,
  );
}

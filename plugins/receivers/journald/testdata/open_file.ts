/** Opens journal files that a test has written, one at a time and without what is around them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { JournalFile } from '../file/journal_file.ts';
import type { JournalWriter } from './journal_writer.ts';
import { temporaryDirectory } from './temporary.ts';

interface Tap {
  teardown(run: () => void): unknown;
}

/** Saves and opens what `writer` has written, or `bytes`; `rest` are the numbers of the entries that can be advanced to. */
export function openFile(t: Tap, writer: JournalWriter, bytes = writer.bytes(), name = 'system.journal') {
  const path = join(temporaryDirectory(t), name);
  writeFileSync(path, bytes);
  const damage: string[] = [];
  const file = new JournalFile(path, (reason) => damage.push(reason));
  t.teardown(() => file.close());
  const rest = (): number[] => {
    const seqnums = [];
    while (file.advance() || file.isSearching) if (file.hasEntry) seqnums.push(file.seqnum);
    return seqnums;
  };
  return { path, file, damage, rest };
}

export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}

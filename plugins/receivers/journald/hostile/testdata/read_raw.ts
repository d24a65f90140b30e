/** Reads one file as whoever ships its entries does, and writes down all that it gives. */
import { DataReader } from '../../file/data_reader.ts';
import { JournalFile } from '../../file/journal_file.ts';
import { EntryKeys, NO_KEY, OBJECT_ALIGNMENT } from '../../records/entry_keys.ts';

export interface RawEntry {
  readonly seqnum: number;
  readonly realtime: number;
  /** Each `NAME=value` as latin1 text, in alphabetical order; those that cannot be read are left out. */
  readonly fields: readonly string[];
}

export interface RawContents {
  readonly entries: readonly RawEntry[];
  /** How often something could not be read, by reason. */
  readonly damage: Readonly<Record<string, number>>;
  /** How often `advance` was called. */
  readonly turns: number;
}

const MAX_VALUE_BYTES = 256 * 1024;

/** Reads on from where `file` is to its end. */
export function readOn(file: JournalFile, damage: Record<string, number>): RawContents {
  const reader = new DataReader(file.header.isCompact, MAX_VALUE_BYTES, (reason) => count(damage, reason));
  const keys = new EntryKeys();
  const entries: RawEntry[] = [];
  /** Text of the objects that were read, by key; undefined where they cannot be. */
  const known = new Map<number, string | undefined>();
  const textOf = (key: number): string | undefined => {
    if (key === NO_KEY || !reader.read(file.windows, key * OBJECT_ALIGNMENT)) return undefined;
    return reader.bytes.toString('latin1', reader.start, reader.end);
  };
  let turns = 0;
  while (file.advance() || file.isSearching) {
    turns += 1;
    if (!file.hasEntry) continue;
    reader.beginEntry();
    const fields: string[] = [];
    if (!keys.read(file)) count(damage, 'entry');
    else {
      for (const key of keys.keys.subarray(0, keys.count)) {
        if (!known.has(key)) known.set(key, textOf(key));
        const text = known.get(key);
        if (text !== undefined) fields.push(text);
      }
    }
    entries.push({ seqnum: file.seqnum, realtime: file.realtime, fields: fields.toSorted() });
  }
  return { entries, damage, turns };
}

/** Reads all of the file at `path`; nothing, with the error's message as damage, where it cannot be opened. */
export function readRaw(path: string): RawContents {
  const damage: Record<string, number> = {};
  let file: JournalFile;
  try {
    file = new JournalFile(path, (reason) => count(damage, reason));
  } catch (error) {
    return { entries: [], damage: { [error instanceof Error ? error.message : String(error)]: 1 }, turns: 0 };
  }
  try {
    return readOn(file, damage);
  } finally {
    file.close();
  }
}

function count(damage: Record<string, number>, reason: string): void {
  damage[reason] = (damage[reason] ?? 0) + 1;
}

/** Entries as journalctl reads them, in the shape of `readRaw`, to compare the two. */
import type { ExportField } from '../../testdata/export_format.ts';
import { readWithSystemd } from '../../testdata/systemd.ts';
import type { RawEntry } from './read_raw.ts';

const BOOT = '_BOOT_ID=';

/** What journalctl reads of the file. It says the boot of each entry, whether that is one of its fields or not: here, never. */
export async function readAsSystemd(path: string): Promise<RawEntry[]> {
  const entries: RawEntry[] = [];
  for await (const fields of readWithSystemd([path])) entries.push(asRaw(fields));
  return entries;
}

export function withoutBoot(entries: readonly RawEntry[]): RawEntry[] {
  return entries.map((entry) => ({ ...entry, fields: entry.fields.filter((text) => !text.startsWith(BOOT)) }));
}

function asRaw(exported: readonly ExportField[]): RawEntry {
  const value = (name: string): string => exported.find(([field]) => field === name)?.[1].toString() ?? '';
  const own = exported.filter(([field]) => !field.startsWith('__') && field !== '_BOOT_ID');
  return {
    seqnum: Number.parseInt(/;i=([0-9a-f]+);/.exec(value('__CURSOR'))?.[1] ?? '', 16),
    realtime: Number(value('__REALTIME_TIMESTAMP')),
    fields: own.map(([field, bytes]) => `${field}=${bytes.toString('latin1')}`).toSorted(),
  };
}

/** Compares what the reader reads with what journalctl does. */
import type { ExportField } from './export_format.ts';
import { fieldsOf, type JournalRecord } from './read_journal.ts';

/** What both sides agree on for an entry: its cursor, time, and each field with its values in any order. */
interface Comparable {
  readonly seqnum: number;
  readonly realtime: number;
  readonly fields: Record<string, string[]>;
}

export function ofExport(fields: readonly ExportField[]): Comparable {
  const byName = Map.groupBy(fields, ([field]) => field);
  const cursor = byName.get('__CURSOR')?.[0]?.[1].toString() ?? '';
  const values = [...byName].filter(([field]) => !field.startsWith('__'));
  return {
    seqnum: Number.parseInt(/;i=([0-9a-f]+);/.exec(cursor)?.[1] ?? '', 16),
    realtime: Number(byName.get('__REALTIME_TIMESTAMP')?.[0]?.[1].toString()),
    fields: sorted(values.map(([field, group]) => [field, group.map(([, bytes]) => bytes.toString('latin1'))])),
  };
}

function ofRecord(record: JournalRecord, hasMessage: boolean): Comparable {
  const fields = fieldsOf(record);
  if (!hasMessage && fields.get('MESSAGE')?.[0] === '') fields.delete('MESSAGE');
  return { seqnum: record.sequence, realtime: record.time, fields: sorted([...fields]) };
}

function sorted(fields: readonly (readonly [string, readonly string[]])[]): Record<string, string[]> {
  return Object.fromEntries(fields.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([field, values]) => [field, values.toSorted()]));
}

/** A few words on where two entries differ, whose values may be long. */
function difference(found: Comparable, wanted: Comparable): string | undefined {
  if (found.seqnum !== wanted.seqnum) return `seqnum ${found.seqnum} instead of ${wanted.seqnum}`;
  if (found.realtime !== wanted.realtime) return `realtime ${found.realtime} instead of ${wanted.realtime}`;
  for (const field of new Set([...Object.keys(found.fields), ...Object.keys(wanted.fields)])) {
    const [its, theirs] = [found.fields[field], wanted.fields[field]].map((values) => JSON.stringify(values));
    if (its !== theirs) return `${field} is ${its?.slice(0, 200)} instead of ${theirs?.slice(0, 200)}`;
  }
  return undefined;
}

/** Where the records first differ from what journalctl has exported, in a few words; undefined where they do not. */
export function firstDifference(records: readonly JournalRecord[], exported: readonly ExportField[][]): string | undefined {
  if (records.length !== exported.length) return `${records.length} records instead of ${exported.length}`;
  for (const [index, record] of records.entries()) {
    const wanted = ofExport(exported[index] ?? []);
    const found = difference(ofRecord(record, 'MESSAGE' in wanted.fields), wanted);
    if (found !== undefined) return `entry ${index}: ${found}`;
  }
  return undefined;
}

/** Compares what the reader reads with what journalctl does, entry by entry. */
import { epochOf } from '../file/cursor.ts';
import type { ExportField } from './export_format.ts';
import { fieldsOf, type JournalBatch, type JournalRecord, type Unread } from './read_journal.ts';

/** What both sides agree on for an entry: where and when it is, and its fields' values as latin1 text, by name. */
interface Comparable {
  /** `<seqnum id>.<first digits of the boot id> <seqnum> <realtime>`. */
  readonly place: string;
  readonly cursor: string;
  readonly fields: Map<string, string[]>;
}

/** journalctl's lists of addresses (`__CURSOR`) are not fields. */
const ADDRESS = '__';

function ofExport(exported: readonly ExportField[]): Comparable {
  const fields = new Map<string, string[]>();
  const addresses = new Map<string, string>();
  for (const [name, value] of exported) {
    const text = value.toString('latin1');
    if (name.startsWith(ADDRESS)) addresses.set(name, text);
    else {
      const values = fields.get(name);
      if (values === undefined) fields.set(name, [text]);
      else values.push(text);
    }
  }
  const cursor = addresses.get('__CURSOR') ?? '';
  const [, seqnumId = '', seqnum = '', bootId = ''] = /^s=([0-9a-f]+);i=([0-9a-f]+);b=([0-9a-f]+);/.exec(cursor) ?? [];
  const epoch = epochOf(seqnumId, bootId);
  return { place: `${epoch} ${Number.parseInt(seqnum, 16)} ${addresses.get('__REALTIME_TIMESTAMP')}`, cursor, fields };
}

/** A few words on where a record, and its cursor if that is known, differ from what they should be. */
function difference(record: JournalRecord, wanted: Comparable, cursor = wanted.cursor): string | undefined {
  if (cursor !== wanted.cursor) return `its cursor is ${cursor} instead of ${wanted.cursor}`;
  const place = `${record.epoch} ${record.sequence} ${record.time}`;
  if (place !== wanted.place) return `it is ${place} instead of ${wanted.place}`;
  const fields = fieldsOf(record);
  // A record has a body, be it empty; an entry need not have a message.
  if (!wanted.fields.has('MESSAGE') && fields.get('MESSAGE')?.[0] === '') fields.delete('MESSAGE');
  for (const name of new Set([...fields.keys(), ...wanted.fields.keys()])) {
    const [its, theirs] = [fields.get(name), wanted.fields.get(name)];
    if (!isSame(its, theirs)) return `${name} is ${short(its)} instead of ${short(theirs)}`;
  }
  return undefined;
}

/** Whether they are the same values in any order. */
function isSame(its: readonly string[] | undefined, theirs: readonly string[] | undefined): boolean {
  if (its === undefined || theirs === undefined || its.length !== theirs.length) return false;
  const [a, b] = its.length === 1 ? [its, theirs] : [its.toSorted(), theirs.toSorted()];
  return a.every((value, index) => value === b[index]);
}

function short(values: readonly string[] | undefined): string {
  return values === undefined ? 'absent' : JSON.stringify(values).slice(0, 200);
}

export interface Comparison {
  /** Entries that are the same on both sides, from the first on. */
  readonly same: number;
  /** Where the two sides first differ, in a few words; undefined where they do not. */
  readonly difference: string | undefined;
  /** What could not be read; undefined where the end was not reached. */
  readonly unread: Unread | undefined;
}

/** Compares entry by entry, and the cursor of each batch's last one; neither side is held in memory. */
export async function compare(
  batches: Generator<JournalBatch, Unread>,
  exported: AsyncIterable<readonly ExportField[]>,
): Promise<Comparison> {
  const entries = exported[Symbol.asyncIterator]();
  let same = 0;
  try {
    for (;;) {
      const batch = batches.next();
      if (batch.done === true) {
        const isOver = (await entries.next()).done === true;
        return { same, difference: isOver ? undefined : `there are more entries than ${same}`, unread: batch.value };
      }
      const { records, cursor } = batch.value;
      for (const record of records) {
        const entry = await entries.next();
        const found =
          entry.done === true
            ? 'there is none'
            : difference(record, ofExport(entry.value), record === records.at(-1) ? cursor : undefined);
        if (found !== undefined) return { same, difference: `entry ${same}: ${found}`, unread: undefined };
        same += 1;
      }
    }
  } finally {
    batches.return({ damage: {}, truncated: 0 });
    await entries.return?.();
  }
}

/** systemd's "Journal Export Format" (https://systemd.io/JOURNAL_EXPORT_FORMATS): what journalctl prints and journal-remote reads. */

/** A field and its value; an entry is a list of them, in which names may occur again. */
export type ExportField = readonly [name: string, value: Buffer];

const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** Entries to bytes. A value is written with its length in front where it has a newline or other control characters. */
export function writeExport(entries: readonly (readonly ExportField[])[]): Buffer {
  const chunks: Buffer[] = [];
  for (const entry of entries) {
    for (const [name, value] of entry) {
      if (value.every((byte) => byte >= 0x20 && byte < 0x7f)) chunks.push(Buffer.from(`${name}=`), value, Buffer.of(NEWLINE));
      else {
        const length = Buffer.alloc(8);
        length.writeBigUInt64LE(BigInt(value.length));
        chunks.push(Buffer.from(`${name}\n`), length, value, Buffer.of(NEWLINE));
      }
    }
    chunks.push(Buffer.of(NEWLINE));
  }
  return Buffer.concat(chunks);
}

/** Bytes to entries. Throws a RangeError on what is not the format. */
export function parseExport(bytes: Buffer): ExportField[][] {
  const entries: ExportField[][] = [];
  let entry: ExportField[] = [];
  let at = 0;
  while (at < bytes.length) {
    const lineEnd = bytes.indexOf(NEWLINE, at);
    if (lineEnd < 0) throw new RangeError('the last line does not end');
    const line = bytes.subarray(at, lineEnd);
    at = lineEnd + 1;
    if (line.length === 0) {
      if (entry.length > 0) entries.push(entry);
      entry = [];
      continue;
    }
    const equals = line.indexOf(EQUALS);
    if (equals >= 0) entry.push([line.toString('latin1', 0, equals), line.subarray(equals + 1)]);
    else {
      const end = at + 8 + Number(bytes.readBigUInt64LE(at));
      entry.push([line.toString('latin1'), bytes.subarray(at + 8, end)]);
      at = end + 1;
    }
  }
  if (entry.length > 0) entries.push(entry);
  return entries;
}

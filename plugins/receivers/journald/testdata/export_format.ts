/** systemd's "Journal Export Format" (https://systemd.io/JOURNAL_EXPORT_FORMATS): what journalctl prints and journal-remote reads. */

/** A field and its value; an entry is a list of them, in which names may occur again. */
export type ExportField = readonly [name: string, value: Buffer];

const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** Longer values are written with their length without a look at them. */
const LOOK_BYTES = 256;

/** An entry to bytes. A value is written with its length in front where it has a newline or other control characters. */
export function writeExport(entry: readonly ExportField[]): Buffer {
  const chunks: Buffer[] = [];
  for (const [name, value] of entry) {
    if (isPlain(value)) chunks.push(Buffer.from(`${name}=`), value, Buffer.of(NEWLINE));
    else {
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(value.length));
      chunks.push(Buffer.from(`${name}\n`), length, value, Buffer.of(NEWLINE));
    }
  }
  chunks.push(Buffer.of(NEWLINE));
  return Buffer.concat(chunks);
}

function isPlain(value: Buffer): boolean {
  if (value.length > LOOK_BYTES) return false;
  for (const byte of value) if (byte < 0x20 || byte >= 0x7f) return false;
  return true;
}

/** The entries in bytes that come in any pieces. Throws a RangeError where they end within an entry. */
export async function* parseExport(pieces: AsyncIterable<Buffer> | Iterable<Buffer>): AsyncGenerator<ExportField[]> {
  let bytes: Buffer = Buffer.alloc(0);
  for await (const piece of pieces) {
    bytes = bytes.length === 0 ? piece : Buffer.concat([bytes, piece]);
    let at = 0;
    for (let read = readEntry(bytes, at); read !== undefined; read = readEntry(bytes, at)) {
      yield read.entry;
      at = read.end;
    }
    bytes = bytes.subarray(at);
  }
  if (bytes.length > 0) throw new RangeError('the export ends within an entry');
}

/** The entry at `at` and where it ends; undefined where it is not complete. */
function readEntry(bytes: Buffer, at: number): { readonly entry: ExportField[]; readonly end: number } | undefined {
  const entry: ExportField[] = [];
  for (;;) {
    const lineEnd = bytes.indexOf(NEWLINE, at);
    if (lineEnd < 0) return undefined;
    if (lineEnd === at) return { entry, end: at + 1 };
    const equals = bytes.subarray(at, lineEnd).indexOf(EQUALS);
    if (equals >= 0) {
      entry.push([bytes.toString('latin1', at, at + equals), bytes.subarray(at + equals + 1, lineEnd)]);
      at = lineEnd + 1;
      continue;
    }
    const start = lineEnd + 1 + 8;
    if (start > bytes.length) return undefined;
    const end = start + Number(bytes.readBigUInt64LE(lineEnd + 1));
    if (end >= bytes.length) return undefined;
    entry.push([bytes.toString('latin1', at, lineEnd), bytes.subarray(start, end)]);
    at = end + 1;
  }
}

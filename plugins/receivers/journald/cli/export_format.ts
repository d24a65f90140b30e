/**
 * systemd's "Journal Export Format" (https://systemd.io/JOURNAL_EXPORT_FORMATS), byte for byte as `journalctl -o export` writes it: a
 * line for each field, or its name, its length as 64 bits and its bytes where it is not printable in a line; and an empty line.
 */
import type { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import type { EntryHead } from './entry_head.ts';
import { type EntryFormat, isBootId } from './format.ts';
import { HeadWriter } from './head_writer.ts';
import type { EntryPieces } from './pieces.ts';
import { Printable, printable } from './printable.ts';

const NEWLINE = 0x0a;
const LENGTH_BYTES = 8;

const PUNCTUATION = { first: '', assign: '=', next: '\n', last: '\n' };

export class ExportFormat implements EntryFormat {
  readonly knownNames: readonly string[] = [];
  readonly #head: HeadWriter;

  /** `withSeqnum`: with `__SEQNUM` and `__SEQNUM_ID`, as since systemd 254. */
  constructor(withSeqnum: boolean) {
    this.#head = new HeadWriter(PUNCTUATION, withSeqnum);
  }

  encode(into: ByteWriter, bytes: Buffer, start: number, equals: number, end: number): void {
    if (isBootId(bytes, start, equals)) return;
    const target = into.reserve(end - start + LENGTH_BYTES + 1);
    let at = into.length;
    if (printable(bytes, equals + 1, end) === Printable.line) at += bytes.copy(target, at, start, end);
    else {
      at += bytes.copy(target, at, start, equals);
      target[at++] = NEWLINE;
      const length = end - equals - 1;
      at = target.writeUInt32LE(length, at);
      at = target.writeUInt32LE(0, at);
      at += bytes.copy(target, at, equals + 1, end);
    }
    target[at++] = NEWLINE;
    into.length = at;
  }

  write(out: ByteWriter, head: EntryHead, pieces: EntryPieces): void {
    this.#head.write(out, head);
    pieces.copyAll(out);
    out.reserve(1)[out.length++] = NEWLINE;
  }
}

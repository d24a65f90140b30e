/**
 * A line an entry for people, as `journalctl -o short-iso`: local time, host, identifier, process id and message. Further lines of a message
 * are indented, and what would move the cursor of a terminal or is no text is not written as it is.
 */
import type { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { printable as withoutControls, sizeText } from '../../../../src/kit/table.ts';
import type { EntryHead } from './entry_head.ts';
import type { EntryFormat } from './format.ts';
import { LocalTime } from './local_time.ts';
import type { EntryPieces } from './pieces.ts';
import { Printable, printable } from './printable.ts';

const MESSAGE = 1;
const HOST = 2;
const IDENTIFIER = 3;
const COMMAND = 4;
const PID = 5;
const SYSLOG_PID = 6;
const KNOWN = ['MESSAGE', '_HOSTNAME', 'SYSLOG_IDENTIFIER', '_COMM', '_PID', 'SYSLOG_PID'] as const;

const NAMES = KNOWN.map((name) => Buffer.from(name));

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** Sequences of a terminal that set colours and the like (ECMA-48, section 8.3.117), and that name windows or links. */
// oxlint-disable-next-line no-control-regex -- they begin with a control character
const ESCAPES = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class TextFormat implements EntryFormat {
  readonly knownNames: readonly string[] = KNOWN;
  readonly #time = new LocalTime();
  /** The item with each known field, the first where there are several; -1 where there is none. */
  readonly #items = new Int32Array(KNOWN.length + 1);

  encode(into: ByteWriter, bytes: Buffer, start: number, equals: number, end: number): void {
    const from = equals + 1;
    if (!NAMES.some((name) => bytes.compare(name, 0, name.length, start, equals) === 0)) return;
    if (printable(bytes, from, end) === Printable.no) into.append(Buffer.from(harmless(bytes.subarray(from, end))));
    else into.append(bytes.subarray(from, end));
  }

  write(out: ByteWriter, head: EntryHead, pieces: EntryPieces): void {
    pieces.expand();
    const items = this.#items.fill(-1);
    for (let item = pieces.count - 1; item >= 0; item--) items[pieces.name[item]!] = item; // only known fields have pieces
    const start = out.length;
    const [high = 0, low = 0] = head.realtime;
    this.#time.write(out, high * 2 ** 32 + low);
    this.#writeField(out, pieces, ' ', [HOST], '');
    if (!this.#writeField(out, pieces, ' ', [IDENTIFIER, COMMAND], '')) out.append(UNKNOWN);
    this.#writeField(out, pieces, '[', [PID, SYSLOG_PID], ']');
    out.append(COLON);
    const width = widthOf(out.bytes, start, out.length);
    const message = items[MESSAGE]!; // known fields have a place
    if (message >= 0) writeIndented(out, pieces, message, width);
    out.reserve(1)[out.length++] = NEWLINE;
  }

  /** Writes the first of some fields that the entry has, on one line; false where it has none. */
  #writeField(out: ByteWriter, pieces: EntryPieces, before: string, fields: readonly number[], behind: string): boolean {
    const field = fields.find((known) => this.#items[known]! >= 0); // as above
    if (field === undefined) return false;
    out.append(Buffer.from(before));
    const from = out.length;
    const item = this.#items[field]!;
    pieces.copy(out, item);
    for (let at = from; at < out.length; at++) if (out.bytes[at] === NEWLINE) out.bytes[at] = SPACE;
    out.append(Buffer.from(behind));
    return true;
  }
}

const UNKNOWN = Buffer.from(' unknown');
const COLON = Buffer.from(': ');

/** Text without what a terminal would act on; a note where it is no text. */
function harmless(bytes: Buffer): string {
  try {
    return withoutControls(DECODER.decode(bytes).replaceAll(ESCAPES, ''));
  } catch {
    return `[${sizeText(bytes.length)} that are no text]`;
  }
}

function writeIndented(out: ByteWriter, pieces: EntryPieces, item: number, width: number): void {
  const bytes = pieces.bytesOf(pieces.source[item]!); // the item is below the count, here and below
  const end = pieces.end[item]!;
  for (let start = pieces.start[item]!; start <= end;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const lineEnd = newline < 0 || newline > end ? end : newline;
    const target = out.reserve(lineEnd - start + 1 + width);
    out.length += bytes.copy(target, out.length, start, lineEnd);
    start = lineEnd + 1;
    if (start >= end) return;
    target[out.length++] = NEWLINE;
    target.fill(SPACE, out.length, out.length + width);
    out.length += width;
  }
}

/** Characters from `start` to `end`: all bytes but those that go on with a UTF-8 sequence. */
function widthOf(bytes: Buffer, start: number, end: number): number {
  let width = 0;
  for (let at = start; at < end; at++) if ((bytes[at]! & 0xc0) !== 0x80) width += 1; // at is below the end
  return width;
}

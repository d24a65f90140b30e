/**
 * An object a line, as `journalctl -o json --all` writes it: all values are strings, or arrays of byte values where they are not printable;
 * a field that an entry has several times is an array of its values. Unlike journalctl's, members are in the order of the fields.
 */
import type { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { maxEscapedBytes, writeEscaped } from '../../../../src/kit/json_text.ts';
import { MAX_ITEMS } from '../file/journal_file.ts';
import type { EntryHead } from './entry_head.ts';
import { type EntryFormat, isBootId } from './format.ts';
import { HeadWriter } from './head_writer.ts';
import { type EntryPieces, NAME_IDS } from './pieces.ts';
import { Printable, printable } from './printable.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const CLOSING = Buffer.from('}\n');

const PUNCTUATION = { first: '{"', assign: '":"', next: '","', last: '"' };

/** Digits and a comma. */
const MAX_BYTES_OF_A_BYTE = 4;

export class JsonFormat implements EntryFormat {
  readonly knownNames: readonly string[] = [];
  readonly #head: HeadWriter;
  /** By id of a name, the number of the last entry that has it. */
  readonly #seen = new Float64Array(NAME_IDS);
  readonly #names = new Uint16Array(MAX_ITEMS);
  #entry = 0;

  /** `withSeqnum`: with `__SEQNUM` and `__SEQNUM_ID`, as since systemd 254. */
  constructor(withSeqnum: boolean) {
    this.#head = new HeadWriter(PUNCTUATION, withSeqnum);
  }

  /** A piece is `,"NAME":value`. */
  encode(into: ByteWriter, bytes: Buffer, start: number, equals: number, end: number): void {
    if (isBootId(bytes, start, equals)) return;
    const from = equals + 1;
    const isText = printable(bytes, from, end) !== Printable.no;
    const target = into.reserve(equals - start + 8 + (isText ? maxEscapedBytes(end - from) : (end - from) * MAX_BYTES_OF_A_BYTE));
    let at = into.length;
    target[at++] = COMMA;
    target[at++] = QUOTE;
    at += bytes.copy(target, at, start, equals);
    target[at++] = QUOTE;
    target[at++] = COLON;
    if (isText) {
      target[at++] = QUOTE;
      at = writeEscaped(target, at, bytes, from, end);
      target[at++] = QUOTE;
    } else at = writeByteArray(target, at, bytes, from, end);
    into.length = at;
  }

  write(out: ByteWriter, head: EntryHead, pieces: EntryPieces): void {
    this.#head.write(out, head);
    if (this.#hasRepeated(pieces)) writeGrouped(out, pieces);
    else pieces.copyAll(out);
    out.append(CLOSING);
  }

  #hasRepeated(pieces: EntryPieces): boolean {
    this.#entry += 1;
    const seen = this.#seen;
    const names = this.#names;
    pieces.readNames(names);
    for (let item = 0; item < pieces.count; item++) {
      const id = names[item]!; // items are below the count
      if (seen[id] === this.#entry) return true;
      seen[id] = this.#entry;
    }
    return false;
  }
}

/** Writes one member for each name, at the place of its first value. */
function writeGrouped(out: ByteWriter, pieces: EntryPieces): void {
  pieces.expand();
  const items = Array.from({ length: pieces.count }, (_, item) => item);
  for (const group of Map.groupBy(items, (item) => pieces.name[item]).values()) {
    const [first = 0, ...others] = group;
    if (others.length === 0) {
      pieces.copy(out, first);
      continue;
    }
    const valueAt = openingBytes(pieces, first);
    const source = pieces.source[first]!; // items are below the count, here and below
    const start = pieces.start[first]!;
    pieces.copyBytes(out, source, start, start + valueAt);
    out.reserve(1)[out.length++] = OPENING_BRACKET;
    for (const item of group) {
      if (item !== first) out.reserve(1)[out.length++] = COMMA;
      pieces.copyBytes(out, pieces.source[item]!, pieces.start[item]! + valueAt, pieces.end[item]!);
    }
    out.reserve(1)[out.length++] = CLOSING_BRACKET;
  }
}

/** Length of `,"NAME":`. */
function openingBytes(pieces: EntryPieces, item: number): number {
  const start = pieces.start[item]!; // the item is below the count
  return pieces.bytesOf(pieces.source[item]!).indexOf(COLON, start) + 1 - start;
}

function writeByteArray(target: Buffer, start: number, bytes: Buffer, from: number, end: number): number {
  let at = start;
  target[at++] = OPENING_BRACKET;
  for (let index = from; index < end; index++) {
    if (index > from) target[at++] = COMMA;
    const byte = bytes[index]!; // index is below the caller's end
    const hundreds = (byte / 100) | 0;
    const tens = (byte / 10) | 0;
    if (hundreds > 0) target[at++] = 0x30 + hundreds;
    if (tens > 0) target[at++] = 0x30 + (tens % 10);
    target[at++] = 0x30 + (byte % 10);
  }
  target[at++] = CLOSING_BRACKET;
  return at;
}

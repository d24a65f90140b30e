/**
 * Writes what journalctl's formats have in front of an entry's fields: the entry's cursor, as sd_journal_get_cursor(3) makes it, its times and
 * its boot. Entry by entry only some digits of that change, so it is kept as templates, one for each combination of lengths.
 */
import type { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { decimalDigits, hexDigits, writeDecimal, writeHex } from './digits.ts';
import type { EntryHead, Halves } from './entry_head.ts';

/** What stands around names and values. */
export interface Punctuation {
  readonly first: string;
  readonly assign: string;
  readonly next: string;
  readonly last: string;
}

/** No number has as many digits. */
const MORE_DIGITS = 32;

/** Boots and sequences of which templates are kept go on for long; lengths vary little. */
const MAX_TEMPLATES = 64;

interface Place {
  readonly at: number;
  readonly digits: number;
}

interface Template {
  readonly bytes: Buffer;
  /** In the cursor, hexadecimal. */
  readonly seqnum: Place;
  readonly monotonic: Place;
  readonly realtime: Place;
  readonly xorHash: Place;
  /** As values of their own, decimal. */
  readonly decimalRealtime: Place;
  readonly decimalMonotonic: Place;
  readonly decimalSeqnum: Place | undefined;
}

export class HeadWriter {
  readonly #punctuation: Punctuation;
  readonly #withSeqnum: boolean;
  readonly #templates = new Map<number, Template>();
  #bootId = '';
  #seqnumId = '';

  /** `withSeqnum`: with `__SEQNUM` and `__SEQNUM_ID`, which journalctl writes since systemd 254. */
  constructor(punctuation: Punctuation, withSeqnum: boolean) {
    this.#punctuation = punctuation;
    this.#withSeqnum = withSeqnum;
  }

  write(out: ByteWriter, head: EntryHead): void {
    const template = this.#templateOf(head);
    const target = out.reserve(template.bytes.length);
    const start = out.length;
    out.length += template.bytes.copy(target, start);
    putHex(target, start, template.seqnum, head.seqnum);
    putHex(target, start, template.monotonic, head.monotonic);
    putHex(target, start, template.realtime, head.realtime);
    putHex(target, start, template.xorHash, head.xorHash);
    putDecimal(target, start, template.decimalRealtime, head.realtime);
    putDecimal(target, start, template.decimalMonotonic, head.monotonic);
    if (template.decimalSeqnum !== undefined) putDecimal(target, start, template.decimalSeqnum, head.seqnum);
  }

  #templateOf(head: EntryHead): Template {
    if (head.bootId !== this.#bootId || head.seqnumId !== this.#seqnumId || this.#templates.size >= MAX_TEMPLATES) {
      this.#bootId = head.bootId;
      this.#seqnumId = head.seqnumId;
      this.#templates.clear();
    }
    let key = lengthOf(hexDigits, head.seqnum);
    key = key * MORE_DIGITS + lengthOf(hexDigits, head.monotonic);
    key = key * MORE_DIGITS + lengthOf(hexDigits, head.realtime);
    key = key * MORE_DIGITS + lengthOf(hexDigits, head.xorHash);
    key = key * MORE_DIGITS + lengthOf(decimalDigits, head.realtime);
    key = key * MORE_DIGITS + lengthOf(decimalDigits, head.monotonic);
    key = key * MORE_DIGITS + lengthOf(decimalDigits, head.seqnum);
    const known = this.#templates.get(key);
    if (known !== undefined) return known;
    const made = this.#make(head);
    this.#templates.set(key, made);
    return made;
  }

  #make(head: EntryHead): Template {
    const { first, assign, next, last } = this.#punctuation;
    let text = '';
    const put = (before: string, count: typeof hexDigits, number: Halves): Place => {
      text += before;
      const place = { at: text.length, digits: lengthOf(count, number) };
      text += '0'.repeat(place.digits);
      return place;
    };
    const seqnum = put(`${first}__CURSOR${assign}s=${head.seqnumId};i=`, hexDigits, head.seqnum);
    const monotonic = put(`;b=${head.bootId};m=`, hexDigits, head.monotonic);
    const realtime = put(';t=', hexDigits, head.realtime);
    const xorHash = put(';x=', hexDigits, head.xorHash);
    const decimalRealtime = put(`${next}__REALTIME_TIMESTAMP${assign}`, decimalDigits, head.realtime);
    const decimalMonotonic = put(`${next}__MONOTONIC_TIMESTAMP${assign}`, decimalDigits, head.monotonic);
    const decimalSeqnum = this.#withSeqnum ? put(`${next}__SEQNUM${assign}`, decimalDigits, head.seqnum) : undefined;
    if (this.#withSeqnum) text += `${next}__SEQNUM_ID${assign}${head.seqnumId}`;
    text += `${next}_BOOT_ID${assign}${head.bootId}${last}`;
    return { bytes: Buffer.from(text), seqnum, monotonic, realtime, xorHash, decimalRealtime, decimalMonotonic, decimalSeqnum };
  }
}

function lengthOf(count: typeof hexDigits, halves: Halves): number {
  return count(halves[0]!, halves[1]!); // halves are two, here and below
}

function putHex(target: Buffer, start: number, { at, digits }: Place, halves: Halves): void {
  writeHex(target, start + at, digits, halves[0]!, halves[1]!);
}

function putDecimal(target: Buffer, start: number, { at, digits }: Place, halves: Halves): void {
  writeDecimal(target, start + at, digits, halves[0]!, halves[1]!);
}

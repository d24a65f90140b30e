/**
 * Reads systemd's "Journal Export Format" (https://systemd.io/JOURNAL_EXPORT_FORMATS) as it comes in, in chunks of any size:
 *
 *   entry  = 1*field LF
 *   field  = name "=" *(any byte but LF) LF                         text
 *          / name LF length 1*(any byte) LF                         binary; length is little-endian and has 64 bits
 *   name   = 1*64(capital / digit / "_")
 *
 * Values are cut at a bound while they come in, so that a value of 768 MiB, which journald takes, takes no more than that bound here.
 */
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { MAX_NAME_BYTES, u64 } from '../file/format.ts';

/** What `next` has found: a field, the end of an entry, nothing before the next chunk, or that the stream is not the format. */
export type Found = 'field' | 'entry' | 'nothing' | 'broken';

/** What the next byte belongs to. */
type State = 'name' | 'text' | 'length' | 'binary';

const NEWLINE = 0x0a;
const EQUALS = 0x3d;

/** The longest value that systemd writes or reads (DATA_SIZE_MAX). A longer one shows that these are not lengths. */
const MAX_LENGTH = 768 * 1024 * 1024;
const LENGTH_BYTES = 8;

const SIGN = Buffer.of(EQUALS);
const EMPTY = Buffer.alloc(0);

export class ExportParser {
  readonly #maxValueBytes: number;
  #chunk: Buffer = EMPTY;
  #at = 0;
  #state: State = 'name';
  /** A field whose bytes are not together in one chunk, as `NAME=value`. */
  readonly #field = new ByteWriter(4096);
  /** Bytes of the name and value that `#field` may have. */
  #maxFieldBytes = 0;
  /** Bytes of a binary value that are still to come. */
  #rest = 0;
  /** What is wrong, once `next` has found that the stream is broken. */
  problem = '';
  /** The members below are of the field that `next` found, until the next call. `NAME=value` is at `start` of `bytes`. */
  bytes: Buffer = EMPTY;
  start = 0;
  /** Behind the last byte that was kept, which is not the value's last where that is longer than the bound. */
  end = 0;
  /** Length of name, equals sign and value together, kept or not. */
  length = 0;

  /** `maxValueBytes` is how much of a value is needed; one byte more is kept, which shows that there is more. */
  constructor(maxValueBytes: number) {
    this.#maxValueBytes = maxValueBytes;
  }

  /** Goes on with a chunk, which must stay as it is until `next` finds nothing more in it. */
  push(chunk: Buffer): void {
    this.#chunk = chunk;
    this.#at = 0;
  }

  /** Looks for what is next in the chunk. A stream that is broken stays so. */
  next(): Found {
    for (;;) {
      if (this.problem !== '') return 'broken';
      if (this.#at >= this.#chunk.length) return 'nothing';
      const found = this.#read();
      if (found !== undefined) return found;
    }
  }

  /** Takes bytes; undefined where they are not the end of anything. */
  #read(): Found | undefined {
    switch (this.#state) {
      case 'name':
        return this.#readName();
      case 'text':
        return this.#readText();
      case 'length':
        return this.#readLength();
      case 'binary':
        return this.#readBinary();
    }
  }

  /** At the beginning of a line, or in the middle of its name. */
  #readName(): Found | undefined {
    const chunk = this.#chunk;
    const start = this.#at;
    const field = this.#field;
    if (field.length === 0 && chunk[start] === NEWLINE) {
      this.#at += 1;
      return 'entry';
    }
    const limit = Math.min(chunk.length, start + MAX_NAME_BYTES + 1);
    let at = start;
    while (at < limit && isNameByte(chunk[at]!)) at++; // at is below the chunk's length
    const nameBytes = field.length + at - start;
    if (nameBytes > MAX_NAME_BYTES) return this.#break('the name of a field is too long');
    if (at < chunk.length && chunk[at] !== EQUALS && chunk[at] !== NEWLINE)
      return this.#break('a line does not begin with a name');
    if (at < chunk.length && nameBytes === 0) return this.#break('a line does not begin with a name');
    this.#maxFieldBytes = nameBytes + 1 + this.#maxValueBytes + 1;
    if (field.length === 0 && chunk[at] === EQUALS) {
      // Most fields lie in one chunk, and are not copied.
      const end = chunk.indexOf(NEWLINE, at);
      if (end >= 0) {
        this.#at = end + 1;
        return this.#show(chunk, start, end);
      }
    }
    field.append(chunk.subarray(start, at));
    if (at >= chunk.length) {
      this.#at = at;
      return undefined;
    }
    field.append(SIGN);
    this.length = field.length;
    this.#at = at + 1;
    this.#state = chunk[at] === EQUALS ? 'text' : 'length';
    return undefined;
  }

  #readText(): Found | undefined {
    const end = this.#chunk.indexOf(NEWLINE, this.#at);
    this.#keep(end < 0 ? this.#chunk.length : end);
    return end < 0 ? undefined : this.#endField();
  }

  /** The length is kept behind the name until all of it is there. */
  #readLength(): Found | undefined {
    const field = this.#field;
    const end = Math.min(this.#chunk.length, this.#at + this.length + LENGTH_BYTES - field.length);
    field.append(this.#chunk.subarray(this.#at, end));
    this.#at = end;
    if (field.length < this.length + LENGTH_BYTES) return undefined;
    this.#rest = u64(field.view, this.length);
    field.length = this.length;
    if (this.#rest > MAX_LENGTH) return this.#break('a value is longer than journald takes');
    this.#state = 'binary';
    return undefined;
  }

  #readBinary(): Found | undefined {
    if (this.#rest === 0)
      return this.#chunk[this.#at] === NEWLINE ? this.#endField() : this.#break('a value does not end where it should');
    const from = this.#at;
    this.#keep(Math.min(this.#chunk.length, from + this.#rest));
    this.#rest -= this.#at - from;
    return undefined;
  }

  /** Takes the bytes of the value up to `end`, as far as they are within the bound. */
  #keep(end: number): void {
    const room = this.#maxFieldBytes - this.#field.length;
    if (room > 0) this.#field.append(this.#chunk.subarray(this.#at, Math.min(end, this.#at + room)));
    this.length += end - this.#at;
    this.#at = end;
  }

  #endField(): Found {
    this.#at += 1;
    const { bytes, length } = this.#field;
    this.#field.length = 0;
    this.#state = 'name';
    this.bytes = bytes;
    this.start = 0;
    this.end = length;
    return 'field';
  }

  #show(chunk: Buffer, start: number, end: number): Found {
    this.bytes = chunk;
    this.start = start;
    this.end = Math.min(end, start + this.#maxFieldBytes);
    this.length = end - start;
    return 'field';
  }

  #break(problem: string): Found {
    this.problem = problem;
    return 'broken';
  }
}

function isNameByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f;
}

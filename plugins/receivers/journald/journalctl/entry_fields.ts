/**
 * What the fields of one entry amount to: parts of a record, and members. The fields come one by one, and are gone when the next one
 * comes.
 */
import { severityFromSyslog } from '../../../../src/core/severity.ts';
import { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { MAX_ITEMS } from '../file/journal_file.ts';
import { bitsOf, type Field, Part } from '../records/fields.ts';
import { writeMember } from '../records/member.ts';
import { cutAt, type DecoderOptions, serviceName } from '../records/object_decoder.ts';
import { joinRepeated } from '../records/repeated.ts';

/** What the members of an entry may take together, unless one value may take more; more are left out. */
const MIN_MEMBERS_BYTES = 512 * 1024;

/** One field as `NAME=value` at `start` of `bytes`. */
export interface FieldBytes {
  readonly bytes: Buffer;
  readonly start: number;
  /** Behind the last byte that is there, which is not the value's last where that is too long. */
  readonly end: number;
  /** Length of name, equals sign and value together, there or not. */
  readonly length: number;
}

/** A member in the entry's bytes. */
interface MemberRange {
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly openingBytes: number;
}

export class EntryFields {
  readonly #options: DecoderOptions;
  readonly #maxMembersBytes: number;
  readonly #members = new ByteWriter(16 * 1024);
  #ranges: MemberRange[] = [];
  /** That of the field table when the entry began; ids of another one mean other names. */
  #generation = 0;
  readonly #message = new ByteWriter(4096);
  #hasMessage = false;
  #rank = Infinity;
  #count = 0;
  /** The members below are of the entry so far. */
  severity = 0;
  service = '';
  stream = '';
  /** What its values fulfil together: bits of the selection, and marks. */
  bits = 0;
  /** Whether something was cut or left out. */
  isCut = false;

  constructor(options: DecoderOptions) {
    this.#options = options;
    this.#maxMembersBytes = Math.max(MIN_MEMBERS_BYTES, 2 * options.maxValueBytes);
  }

  /** Forgets what was taken: the next field is the first one of an entry. */
  begin(): void {
    this.#members.length = 0;
    this.#ranges = [];
    this.#generation = this.#options.table.generation;
    this.#message.length = 0;
    this.#hasMessage = false;
    this.#rank = Infinity;
    this.#count = 0;
    this.severity = 0;
    this.service = '';
    this.stream = '';
    this.bits = 0;
    this.isCut = false;
  }

  /** Whether there are so many fields that the entry must be damaged. */
  get areTooMany(): boolean {
    return this.#count > MAX_ITEMS;
  }

  /** The first message; valid until the next entry. */
  get message(): Buffer {
    return this.#message.written();
  }

  take({ bytes, start: at, end: fieldEnd, length: fieldLength }: FieldBytes): void {
    const { table, maxValueBytes } = this.#options;
    if (++this.#count > MAX_ITEMS) return;
    const field = table.find(bytes, at, fieldEnd);
    if (field === undefined) return;
    const start = table.nameEnd + 1;
    const length = at + fieldLength - start;
    const isCut = length > maxValueBytes;
    const end = isCut ? cutAt(bytes, start + maxValueBytes) : start + length;
    if (isCut) this.isCut = true;
    if (field.conditions.length > 0) this.bits |= bitsOf(field, bytes, start, fieldEnd);
    if (field.part === Part.message && !this.#hasMessage) {
      this.#hasMessage = true;
      this.#message.append(bytes.subarray(start, end));
      return;
    }
    this.#takePart(field.part, bytes, start, end);
    if (field.opening !== undefined) this.#takeMember(field, bytes, start, end);
  }

  /** The members, each with a comma behind it, those of one name joined: as few buffers as can be, or one for each with `areApart`. */
  members(areApart = false): Buffer[] {
    return areApart || this.#hasRepeated() ? this.#joined() : [this.#members.written()];
  }

  #takePart(part: number, bytes: Buffer, start: number, end: number): void {
    if (part === Part.priority) {
      if (this.severity === 0 && end - start === 1) this.severity = severityFromSyslog(bytes[start]! - 0x30); // start is below the end
    } else if (part === Part.stream) this.stream = bytes.toString('latin1', start, end);
    else if (part >= Part.service && part < this.#rank) {
      this.#rank = part;
      this.service = serviceName(bytes, start, end);
    }
  }

  #takeMember(field: Field, bytes: Buffer, start: number, end: number): void {
    const out = this.#members;
    const from = out.length;
    const id = from + end - start <= this.#maxMembersBytes ? writeMember(out, field, bytes, start, end) : 0;
    // What has to be escaped may take several times its size.
    if (out.length > this.#maxMembersBytes) out.length = from;
    if (out.length === from) {
      this.isCut = true;
      return;
    }
    const opening = id === field.id ? field.opening : field.base64Opening;
    this.#ranges.push({ id, start: from, end: out.length, openingBytes: opening?.length ?? 0 });
  }

  #hasRepeated(): boolean {
    if (this.#generation !== this.#options.table.generation) return true;
    return new Set(this.#ranges.map(({ id }) => id)).size < this.#ranges.length;
  }

  /** Told apart by name, which ids may fail to do. */
  #joined(): Buffer[] {
    const { bytes } = this.#members;
    const ids = new Map<string, number>();
    const members = this.#ranges.map(({ start, end, openingBytes }) => {
      const opening = bytes.toString('latin1', start, start + openingBytes);
      const id = ids.get(opening) ?? ids.size;
      ids.set(opening, id);
      return { id, bytes: bytes.subarray(start, end), openingBytes };
    });
    return joinRepeated(members);
  }
}

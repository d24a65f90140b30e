/** Makes the same record of an entry's fields that `records/` makes of its objects in a file, parts of lines included. */
import { BodyKind, RecordFlag } from '../../../../src/core/batch.ts';
import type { BatchBuilder } from '../../../../src/core/batch_builder.ts';
import type { EntryOptions, Outcome } from '../records/entry_decoder.ts';
import type { LinePart } from '../records/joins.ts';
import { Mark } from '../records/marks.ts';
import { writeBody } from '../records/object_decoder.ts';
import { readSuppressed, SUPPRESSED_MESSAGE_ID } from '../records/suppressed.ts';
import { EntryFields, type FieldBytes } from './entry_fields.ts';

/** Where an entry is: its cursor, and what of it records have. */
export interface EntryPlace {
  readonly seqnumId: string;
  readonly epoch: string;
  readonly seqnum: number;
  /** Microseconds. */
  readonly realtime: number;
}

/** Fields that tell of messages which journald dropped, and of which nothing else may be known. */
const TOLD_BY: readonly string[] = ['_TRANSPORT', 'N_DROPPED'];
const TOLD_BY_LENGTHS: ReadonlySet<number> = new Set(TOLD_BY.map(({ length }) => length));

export class EntryWriter {
  readonly #options: EntryOptions;
  readonly #fields: EntryFields;
  readonly #told = new Map<string, string>();

  constructor(options: EntryOptions) {
    this.#options = options;
    this.#fields = new EntryFields(options);
  }

  /** Whether there are so many fields that the entry must be damaged. */
  get areTooMany(): boolean {
    return this.#fields.areTooMany;
  }

  /** Forgets what was taken: the next field is the first one of an entry. */
  begin(): void {
    this.#fields.begin();
    this.#told.clear();
  }

  take(field: FieldBytes): void {
    this.#fields.take(field);
    const { bytes, start, end } = field;
    const nameBytes = this.#options.table.nameEnd - start;
    if (!TOLD_BY_LENGTHS.has(nameBytes)) return;
    const name = bytes.toString('latin1', start, start + nameBytes);
    if (TOLD_BY.includes(name)) this.#told.set(name, bytes.toString('latin1', start + nameBytes + 1, Math.min(end, start + 64)));
  }

  /** Appends the entry to `builder`, which is not full, as `EntryDecoder.append` does. */
  append(builder: BatchBuilder, place: EntryPlace): Outcome {
    const { selection, joins, onSuppressed } = this.#options;
    const { bits, stream, message } = this.#fields;
    const isWanted = selection.accepts(bits);
    const isContinued = (bits & Mark.lineMax) !== 0 && stream !== '';
    if (isContinued || joins.isOpen(stream)) {
      return joins.add(this.#linePart(place), isContinued, isWanted) ? 'taken' : 'left_out';
    }
    const outcome = isWanted ? this.#write(builder, place) : 'left_out';
    if ((bits & Mark.suppressed) !== 0 && outcome !== 'full') {
      this.#told.set('MESSAGE_ID', SUPPRESSED_MESSAGE_ID).set('MESSAGE', message.toString());
      const suppressed = readSuppressed(this.#told);
      if (suppressed !== undefined) onSuppressed(suppressed);
    }
    return outcome;
  }

  #write(builder: BatchBuilder, { realtime, seqnum }: EntryPlace): Outcome {
    const fields = this.#fields;
    const { message } = fields;
    if (message.length >= builder.room) return 'full';
    const start = builder.used;
    const fieldsStart = writeBody(builder.arena, start, message, 0, message.length);
    const fieldsEnd = this.#writeMembers(builder, fieldsStart);
    if (fieldsEnd < 0) return 'full';
    if (fields.isCut) this.#options.onCut();
    const flags = fields.isCut ? RecordFlag.truncated : 0;
    const service = builder.services.intern(fields.service);
    const bodyEnd = start + message.length;
    const record = builder.add(realtime, fields.severity, service, BodyKind.text, flags, start, bodyEnd);
    builder.setFields(record, fieldsStart, fieldsEnd > fieldsStart ? fieldsEnd - 1 : fieldsEnd);
    builder.setSequence(record, seqnum);
    builder.used = fieldsEnd;
    return 'taken';
  }

  /** Returns the offset behind the members, or -1 where the arena lacks room and an empty one has more. */
  #writeMembers(builder: BatchBuilder, start: number): number {
    const { arena } = builder;
    const room = arena.length - start;
    const members = this.#fields.members();
    const bytes = members.reduce((sum, { length }) => sum + length, 0);
    if (bytes > room && builder.count > 0) return -1;
    let at = start;
    for (const member of bytes > room ? this.#fields.members(true) : members) {
      if (at + member.length <= arena.length) at += member.copy(arena, at);
      else this.#fields.isCut = true;
    }
    return at;
  }

  /** The entry as a part of a line, with copies of its bytes. */
  #linePart({ seqnumId, epoch, seqnum, realtime }: EntryPlace): LinePart {
    const { stream, severity, service, isCut, message } = this.#fields;
    const fields = Buffer.concat(this.#fields.members()).subarray(0, -1);
    return { stream, seqnumId, epoch, seqnum, realtime, severity, service, isCut, fields, body: Buffer.from(message) };
  }
}

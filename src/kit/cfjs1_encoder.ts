/**
 * Encodes batches as cfjs1 lines (docs/CFJS1.md):
 *
 *   {"format":"F","F":{"id":"E-S","timestamp":"T",<resource>,"service":"…","severity":"…",<fields>,"message":"…"}}
 *
 * All of a line but its sequence number, time, fields and body is the same for every record of one service and severity in a
 * batch. That part is made once, as a template; a record costs one copy of it, one of its body, and the digits that differ.
 */
import { type Batch, BodyKind, RecordFlag } from '../core/batch.ts';
import type { NameTable } from '../core/names.ts';
import type { Resource } from '../core/resource.ts';
import { severityName } from '../core/severity.ts';
import type { ByteWriter } from './byte_writer.ts';
import { maxEscapedBytes, writeEscaped } from './json_text.ts';
import { TIMESTAMP_BYTES, TimestampWriter } from './timestamp.ts';

const OPENING_OF_TIME = '","timestamp":"';
const TRUNCATED = Buffer.from(',"truncated":true');
const PARTIAL = Buffer.from(',"partial":true');

/** What precedes the body, by kind of body. */
const BODY_OPENINGS: readonly Buffer[] = [',"message":"', ',"body":', ',"message_base64":"'].map((text) => Buffer.from(text));

/** More than flags, body opening, quotes and commas take. */
const SLACK_BYTES = 64;

/** Stands for the kind of body in a template that ends before the body's opening, because fields or flags go between. */
const NO_BODY = 3;
const TEMPLATE_KINDS = 4;
const SEVERITIES = 25;

/** Sets of templates that are kept; a host has one or two for each receiver. */
const MAX_SETS = 32;

/** Templates that are kept, of some hundred bytes each; a host has far fewer, unless somebody makes up names of services. */
const MAX_TEMPLATES = 8192;

/** The templates of records that agree in all of this. Sequence numbers from `min` up to `below` have equally many digits. */
interface TemplateSet {
  readonly format: string;
  readonly epoch: string;
  readonly resource: Resource;
  readonly services: NameTable;
  readonly min: number;
  readonly below: number;
  /** Offset behind the sequence number's last digit, the same in every template of the set. */
  readonly sequenceEnd: number;
  readonly timeAt: number;
  readonly opening: string;
  readonly byKey: (Buffer | undefined)[];
}

export class Cfjs1Encoder {
  readonly #timestamps = new TimestampWriter();
  readonly #sets: TemplateSet[] = [];
  #templates = 0;

  /**
   * Appends the lines of all records of a batch to `writer`, each with its newline; with `destination`, each bears it as the mark
   * of a record that travels by another route than its own. The batch must have its epoch and sequence numbers.
   */
  encode(batch: Batch, writer: ByteWriter, destination?: string): void {
    const mark = batch.destination ?? destination;
    const closing = closingOf(mark);
    const { kind, sequence } = batch.columns;
    let set: TemplateSet | undefined;
    for (let index = 0; index < batch.count; index++) {
      if (kind[index] === BodyKind.cfjs1) {
        copyLine(batch, index, writer, batch.destination === undefined && mark !== undefined ? closing : undefined);
        continue;
      }
      const number = sequence[index]!; // index is below the batch's count
      if (set === undefined || number < set.min || number >= set.below) set = this.#setOf(batch, number);
      this.#encodeRecord(batch, index, set, writer, closing);
    }
  }

  /** Appends the line of one record; for the few that are told apart from their batch. */
  encodeOne(batch: Batch, index: number, writer: ByteWriter): void {
    if (batch.columns.kind[index] === BodyKind.cfjs1) return copyLine(batch, index, writer, undefined);
    const set = this.#setOf(batch, batch.columns.sequence[index]!); // index is below the batch's count, by contract
    this.#encodeRecord(batch, index, set, writer, closingOf(batch.destination));
  }

  #encodeRecord(batch: Batch, index: number, set: TemplateSet, writer: ByteWriter, closing: Buffer): void {
    const { columns, arena } = batch;
    const kind = columns.kind[index]!; // index is below the batch's count, here and below
    const start = columns.bodyStart[index]!;
    const end = columns.bodyEnd[index]!;
    const fieldsStart = columns.fieldsStart[index]!;
    const fieldsEnd = columns.fieldsEnd[index]!;
    const flags = columns.flags[index]!;
    const isBare = fieldsStart === fieldsEnd && flags === 0;
    const template = this.#template(set, columns.service[index]!, columns.severity[index]!, isBare ? kind : NO_BODY);
    const bodyBytes = kind === BodyKind.json ? end - start : maxEscapedBytes(end - start);
    const out = writer.reserve(template.length + (fieldsEnd - fieldsStart) + bodyBytes + closing.length + SLACK_BYTES);

    let at = writer.length;
    out.set(template, at); // half the time of `copy`, which is for ranges
    writeDigits(out, at + set.sequenceEnd, columns.sequence[index]!);
    this.#timestamps.write(writer.view, at + set.timeAt, columns.time[index]!);
    at += template.length;
    if (!isBare) {
      if (fieldsEnd > fieldsStart) {
        out[at++] = 0x2c;
        at += arena.copy(out, at, fieldsStart, fieldsEnd);
      }
      if ((flags & RecordFlag.truncated) !== 0) at += TRUNCATED.copy(out, at);
      if ((flags & RecordFlag.partial) !== 0) at += PARTIAL.copy(out, at);
      at += BODY_OPENINGS[kind]!.copy(out, at); // every kind but cfjs1, which does not come here, has one
    }
    if (kind === BodyKind.json) at += arena.copy(out, at, start, end);
    else {
      if (kind === BodyKind.text) at = writeEscaped(out, at, arena, start, end);
      else at += out.write(arena.toString('base64', start, end), at, 'latin1');
      out[at++] = 0x22;
    }
    for (let byte = 0; byte < closing.length; byte++) out[at++] = closing[byte]!; // byte is below the length
    writer.length = at;
  }

  #template(set: TemplateSet, service: number, severity: number, kind: number): Buffer {
    const key = (service * SEVERITIES + severity) * TEMPLATE_KINDS + kind;
    const known = set.byKey[key];
    if (known !== undefined) return known;
    if (this.#templates === MAX_TEMPLATES) this.#forget();
    const serviceName = set.services.name(service);
    const text =
      set.opening +
      (serviceName === '' ? '' : `,"service":${JSON.stringify(serviceName)}`) +
      (severity === 0 ? '' : `,"severity":"${severityName(severity)}"`) +
      (BODY_OPENINGS[kind]?.toString() ?? '');
    const made = Buffer.from(text);
    set.byKey[key] = made;
    this.#templates += 1;
    return made;
  }

  /** Starts anew; the set in use is let go with its batch. */
  #forget(): void {
    this.#sets.length = 0;
    this.#templates = 0;
  }

  #setOf(batch: Batch, sequence: number): TemplateSet {
    const { format, resource, services, epoch } = batch;
    if (epoch === undefined) throw new Error('a batch was encoded before it had its ids');
    const known = this.#sets.find(
      (set) =>
        set.services === services &&
        set.resource === resource &&
        set.epoch === epoch &&
        set.format === format &&
        sequence >= set.min &&
        sequence < set.below,
    );
    if (known !== undefined) return known;
    const digits = String(sequence).length;
    const wrapper = JSON.stringify(format);
    const beforeSequence = `{"format":${wrapper},${wrapper}:{"id":"${epoch}-`;
    const beforeTime = beforeSequence + '0'.repeat(digits) + OPENING_OF_TIME;
    const members = Object.entries(resource.attributes).map(
      ([name, value]) => `,${JSON.stringify(name)}:${JSON.stringify(value)}`,
    );
    const made: TemplateSet = {
      format,
      epoch,
      resource,
      services,
      min: digits === 1 ? 0 : 10 ** (digits - 1),
      below: 10 ** digits,
      sequenceEnd: Buffer.byteLength(beforeSequence) + digits,
      timeAt: Buffer.byteLength(beforeTime),
      opening: `${beforeTime}${' '.repeat(TIMESTAMP_BYTES)}"${members.join('')}`,
      byKey: [],
    };
    if (this.#sets.length === MAX_SETS) this.#forget();
    this.#sets.push(made);
    return made;
  }
}

/** What ends a line: the braces, and between them the mark where there is one. */
function closingOf(mark: string | undefined): Buffer {
  return Buffer.from(mark === undefined ? '}}\n' : `},"destination":${JSON.stringify(mark)}}\n`);
}

/** Writes a whole number so that its last digit stands before `end`. */
function writeDigits(out: Buffer, end: number, value: number): void {
  let at = end;
  let rest = value;
  // 32-bit division is several times faster than dividing doubles, so large numbers are cut in two.
  if (rest >= 1e9) {
    const high = Math.floor(rest / 1e9);
    let low = rest - high * 1e9;
    for (let digit = 0; digit < 9; digit++) {
      const next = (low / 10) | 0;
      out[--at] = 0x30 + low - next * 10;
      low = next;
    }
    rest = high;
  }
  do {
    const next = (rest / 10) | 0;
    out[--at] = 0x30 + rest - next * 10;
    rest = next;
  } while (rest > 0);
}

/** Copies a line as it came; with `closing`, its last brace makes way for the mark that it lacks. */
function copyLine(batch: Batch, index: number, writer: ByteWriter, closing: Buffer | undefined): void {
  const start = batch.columns.bodyStart[index]!; // index is below the batch's count, here and below
  const end = batch.columns.bodyEnd[index]!;
  const out = writer.reserve(end - start + SLACK_BYTES + (closing?.length ?? 0));
  let at = writer.length;
  if (closing === undefined) {
    at += batch.arena.copy(out, at, start, end);
    out[at++] = 0x0a;
  } else {
    // The closing text repeats the wrapper's brace, which stays.
    at += batch.arena.copy(out, at, start, end - 1);
    at += closing.copy(out, at, 1);
  }
  writer.length = at;
}

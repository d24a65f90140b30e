/**
 * A dead letter: a record that a destination would not have, with why. One JSON object a line, whose `line` is the record as a cfjs1 line,
 * byte for byte as it was sent and will be sent again:
 *
 *     {"time":"…","reason":"refused","destination":"log-a","attempts":1,"detail":"…","receiver":"pipe/nginx","line":{"format":…}}
 *
 * A letter that is replayed is a record of kind cfjs1. Its first receiver and how often it had been sent travel with it as the record's
 * fields, which no encoder puts into a complete line, so that a letter that comes back still has them.
 */
import { type Batch, BodyKind } from '../core/batch.ts';
import type { Refusal } from '../core/component.ts';
import type { ByteWriter } from '../kit/byte_writer.ts';
import type { Cfjs1Encoder } from '../kit/cfjs1_encoder.ts';
import { TIMESTAMP_BYTES, TimestampWriter } from '../kit/timestamp.ts';
import { cutText } from '../kit/utf8.ts';

/** Everything about a letter but its line. */
export interface LetterHead {
  /** When it became one: RFC 3339, UTC, microseconds. */
  readonly time: string;
  readonly reason: string;
  /** Who did not get it. */
  readonly destination: string;
  /** How often it was sent, over all its replays. */
  readonly attempts: number;
  /** In the words of whoever refused it. */
  readonly detail: string;
  /** Configuration id of the receiver that took it in. */
  readonly receiver: string;
}

/** What a letter keeps over a replay. */
export type Provenance = Pick<LetterHead, 'receiver' | 'attempts'>;

/** Details are the peer's to choose. */
const MAX_DETAIL_BYTES = 1024;

const timestamps = new TimestampWriter();

export function timestampText(micros: number): string {
  const bytes = Buffer.alloc(TIMESTAMP_BYTES);
  timestamps.write(new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, micros);
  return bytes.toString('latin1');
}

export interface LettersOf {
  readonly batch: Batch;
  /** Indexes of the records. */
  readonly records: readonly number[];
  readonly destination: string;
  readonly refusal: Refusal;
}

/** Appends the letters of some records of a batch, each with its newline. The batch must have its epoch and sequence numbers. */
export function writeLetters(
  { batch, records, destination, refusal }: LettersOf,
  nowMicros: number,
  encoder: Cfjs1Encoder,
  writer: ByteWriter,
): void {
  const common = {
    time: timestampText(nowMicros),
    reason: refusal.reason,
    destination,
    attempts: refusal.attempts,
    detail: cutText(refusal.detail, MAX_DETAIL_BYTES),
    receiver: batch.receiver,
  };
  const commonHead = headBytes(common);
  for (const index of records) {
    const earlier = provenanceOf(batch, index);
    const head =
      earlier === undefined
        ? commonHead
        : headBytes({ ...common, receiver: earlier.receiver, attempts: earlier.attempts + refusal.attempts });
    writer.append(head);
    encoder.encodeOne(batch, index, writer);
    writer.length -= 1; // the newline of the line, behind the brace of the letter
    writer.append(END_OF_LETTER);
  }
}

const END_OF_LETTER = Buffer.from('}\n');

function headBytes(head: LetterHead): Buffer {
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"line":`);
}

/** The fields of a letter's record while it is replayed. */
export function provenanceFields({ receiver, attempts }: Provenance): string {
  return JSON.stringify({ receiver, attempts }).slice(1, -1);
}

/** What a record that was a letter before says of that; undefined for others. */
function provenanceOf({ columns, arena }: Batch, index: number): Provenance | undefined {
  const start = columns.fieldsStart[index]!; // index is below the batch's count, here and below
  const end = columns.fieldsEnd[index]!;
  if (columns.kind[index] !== BodyKind.cfjs1 || start === end) return undefined;
  // oxlint-disable-next-line no-unsafe-type-assertion -- provenanceFields has written it, and nobody else gives fields to complete lines
  return JSON.parse(`{${arena.toString('utf8', start, end)}}`) as Provenance;
}

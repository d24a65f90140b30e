/** Writes a field's value as a JSON member. */
import { isUtf8 } from 'node:buffer';
import type { ByteWriter } from '../../../../src/kit/byte_writer.ts';
import { maxEscapedBytes, writeEscaped } from '../../../../src/kit/json_text.ts';
import { copyBytes } from './copy.ts';
import type { Field } from './fields.ts';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;

/** Longer values are looked at by functions that begin slowly and then are faster. */
const MAX_PLAIN_BYTES = 64;

/** Whole numbers that a double holds exactly, without leading zeros. */
const MAX_DIGITS = 15;

/** A name's longest opening, quotes and comma. */
const SLACK_BYTES = 96;

/**
 * Appends `"name":"value",` to `out`, as a number where the field is one, and as `"name_base64":"…",` where the bytes are not
 * UTF-8. Returns the member's id: the field's, or the next one for its base64 variant. The field must be one that is shipped.
 */
export function writeMember(out: ByteWriter, field: Field, bytes: Buffer, start: number, end: number): number {
  const { opening, base64Opening } = field;
  if (opening === undefined || base64Opening === undefined) throw new Error(`${field.name.toString()} is not shipped`);
  const target = out.reserve(maxEscapedBytes(end - start) + SLACK_BYTES);
  let at = out.length;
  if (!field.isNumber && isPlain(bytes, start, end)) {
    at = copyBytes(target, at, opening, 0, opening.length);
    target[at++] = QUOTE;
    at = copyBytes(target, at, bytes, start, end);
    target[at++] = QUOTE;
    target[at++] = COMMA;
    out.length = at;
    return field.id;
  }
  const isText = isUtf8(bytes.subarray(start, end));
  at += (isText ? opening : base64Opening).copy(target, at);
  if (field.isNumber && isNumber(bytes, start, end)) at += bytes.copy(target, at, start, end);
  else {
    target[at++] = QUOTE;
    if (isText) at = writeEscaped(target, at, bytes, start, end);
    else at += target.write(bytes.toString('base64', start, end), at, 'latin1');
    target[at++] = QUOTE;
  }
  target[at++] = COMMA;
  out.length = at;
  return isText ? field.id : field.id + 1;
}

function isNumber(bytes: Buffer, start: number, end: number): boolean {
  const digits = end - start;
  if (digits < 1 || digits > MAX_DIGITS || (bytes[start] === 0x30 && digits > 1)) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!; // at is below the caller's end
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}

/** Whether the value is short, and goes into a JSON string as it is: most values that only one entry has are times and numbers. */
function isPlain(bytes: Buffer, start: number, end: number): boolean {
  if (end - start > MAX_PLAIN_BYTES) return false;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!; // at is below the caller's end
    if (byte < 0x20 || byte > 0x7e || byte === QUOTE || byte === BACKSLASH) return false;
  }
  return true;
}

/** The largest offset up to `end` at which no UTF-8 sequence is cut through, for bytes that are UTF-8 as far as they go. */
export function utf8Floor(bytes: Uint8Array, start: number, end: number): number {
  let lead = end - 1;
  while (lead >= start && lead > end - 4 && (bytes[lead]! & 0xc0) === 0x80) lead--; // lead is within the range
  if (lead < start) return end;
  const first = bytes[lead]!; // see above
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
  return lead + length > end ? lead : end;
}

/** A text of at most `maxBytes` bytes of UTF-8, without half surrogates. */
export function cutText(text: string, maxBytes: number): string {
  const bytes = Buffer.from(text.toWellFormed());
  return bytes.toString('utf8', 0, bytes.length <= maxBytes ? bytes.length : utf8Floor(bytes, 0, maxBytes));
}
